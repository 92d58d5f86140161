"""What patterns name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Tag

LEVEL = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8)
PATH = st.lists(LEVEL, min_size=1, max_size=5).map("/".join)


def tag(path: str) -> Tag:
    return Tag(address=f"nsu=urn:plant;s={path}", path=path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("Plant/P101/*", "Plant/P101/Speed", True, id="one-level"),
        pytest.param("Plant/P101/*", "Plant/P101/Bearing/Temp", False, id="not-two-levels"),
        pytest.param("Plant/*/Speed", "Plant/P101/Speed", True, id="middle-level"),
        pytest.param("Plant/**", "Plant/P101/Bearing/Temp", True, id="any-levels"),
        pytest.param("Plant/**/Temp", "Plant/P101/Bearing/Temp", True, id="any-levels-between"),
        pytest.param("Plant/**/Temp", "Plant/Temp", True, id="no-level-between"),
        pytest.param("**/Temp", "Temp", True, id="no-level-before"),
        pytest.param("**/Temp", "Plant/XTemp", False, id="whole-levels-only"),
        pytest.param("Plant/P10?/Speed", "Plant/P101/Speed", True, id="one-character"),
        pytest.param("Plant?P101", "Plant/P101", False, id="question-mark-is-no-slash"),
        pytest.param("Plant/P1*1/Sp*", "Plant/P101/Speed", True, id="within-names"),
        pytest.param("plant/P101/Speed", "Plant/P101/Speed", False, id="case-counts"),
        pytest.param("*", "Plant/P101/Speed", True, id="star-alone-is-everything"),
        pytest.param("a.c", "abc", False, id="a-dot-is-a-dot"),
        pytest.param("", "Plant", False, id="empty"),
        pytest.param("nsu=urn:plant;s=A*b", "A*b", True, id="address"),
        pytest.param("nsu=urn:plant;s=A*b", "Axb", False, id="an-address-has-no-wildcards"),
    ],
)
def test_a_pattern_names_a_tag(pattern: str, path: str, *, expected: bool) -> None:
    assert matches(pattern, tag(path)) is expected


@given(PATH)
def test_every_tag_is_named_by_its_address_and_by_two_stars(path: str) -> None:
    assert matches(f"nsu=urn:plant;s={path}", tag(path))
    assert matches("**", tag(path))


@given(st.text(max_size=30), PATH)
def test_no_pattern_raises(pattern: str, path: str) -> None:
    assert matches(pattern, tag(path)) in {True, False}


@pytest.mark.timeout(20)
def test_a_hostile_pattern_takes_no_longer_than_its_length_allows() -> None:
    assert not matches("*a" * 30 + "b", tag("a" * 200))
    assert not matches("**/a/" * 500 + "b", tag("a/" * 400 + "c"))

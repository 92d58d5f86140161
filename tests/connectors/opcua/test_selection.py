"""What an address asks for beyond its node."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.opcua.address import Namespaces
from tagsight_connectors.opcua.selection import Selection, element_asked, selection_of

PREFIXES = ("nsu=", "ns=", "i=", "s=", "g=", "b=")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("index=3;nsu=urn:plant;s=Temps", Selection("nsu=urn:plant;s=Temps", 3)),
        ("as=number;s=Mode", Selection("s=Mode", None, number=True)),
        ("index=0;as=number;ns=2;i=7", Selection("ns=2;i=7", 0, number=True)),
        ('ns=3;s="DB1"."Temps"[3]', Selection('ns=3;s="DB1"."Temps"[3]')),
        ("index=03;s=x", Selection("index=03;s=x")),
    ],
    ids=["element", "number", "both", "siemens", "no-number"],
)
def test_a_selection_stands_before_the_node(address: str, expected: Selection) -> None:
    assert selection_of(address) == expected


@given(st.sampled_from(PREFIXES), st.text())
def test_no_node_is_taken_for_a_selection(prefix: str, text: str) -> None:
    assert selection_of(prefix + text) == Selection(prefix + text)


@given(st.none() | st.integers(0, 999_999_999), st.booleans())
def test_a_selection_survives_the_stable_form(index: int | None, number: bool) -> None:  # noqa: FBT001 - hypothesis
    asked = Selection("ns=1;s=a[1];b", index, number)
    stable = Namespaces(["", "urn:own"]).stable(asked.prefix + asked.node)
    assert selection_of(stable) == Selection("nsu=urn:own;s=a[1];b", index, number)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("Plant/Temps[3]", ("Plant/Temps", 3)),
        ("Plant/*/Temps[*]", ("Plant/*/Temps", None)),
        ("Plant/Temps[1][2]", ("Plant/Temps[1]", 2)),
        ("Plant/Temps", None),
        ("[3]", None),
        ("Plant/Temps[x]", None),
    ],
)
def test_a_path_with_an_index_names_an_element(pattern: str, expected: tuple[str, int | None] | None) -> None:
    assert element_asked(pattern) == expected

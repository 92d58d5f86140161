"""Patterns of contributions and what is said to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.cause_patterns import (
    DIRECTIONS,
    LEAST_SHARE,
    advice,
    parse_pattern,
    roles_by_configuration,
    unknown_role,
)
from tagsight.conditions import DEPTH_LIMIT, LENGTH_LIMIT, ConditionError, parse
from tagsight.plan import CausePlan, InputPlan
from tagsight_explain.message import Cause

VALUES = {"high": 9.0, "low": 1.0, "unusual": 5.0, "": float("nan")}
ROLES = ("PT-101", "IT-101", "TT 1")


def cause(role: str, way: str, share: float = 50.0) -> Cause:
    return Cause(role, VALUES[way], 5.0, 4.0, 6.0, share=share)


def holds(pattern: str, *causes: Cause) -> bool:
    return advice([CausePlan(parse_pattern(pattern), "yes")], causes) == "yes"


def test_the_pattern_of_the_documentation_holds_for_its_causes() -> None:
    low, high = cause("PT-101", "low"), cause("IT-101", "high")
    assert holds("PT-101 low and IT-101 high", low, high)
    assert not holds("PT-101 low and IT-101 high", low)
    assert not holds("PT-101 low and IT-101 high", low, cause("IT-101", "low"))


def test_a_pattern_is_a_condition_over_directions() -> None:
    found = parse_pattern("discharge pressure LOW and (IT-101 high or [Set high] unusual)")
    assert found.operands == ("discharge pressure", "IT-101", "Set high")
    assert found.tree == parse("[discharge pressure] = 'low' and ([IT-101] = 'high' or [Set high] = 'unusual')").tree


def test_and_binds_tighter_than_or() -> None:
    assert holds("A high or B high and C high", cause("A", "high"))
    assert not holds("(A high or B high) and C high", cause("A", "high"))


def test_a_bracket_in_a_role_is_doubled() -> None:
    assert parse_pattern("[Array]]3] low").operands == ("Array]3",)


@pytest.mark.parametrize(
    ("text", "position", "expected"),
    [
        pytest.param("", 1, "a role", id="empty"),
        pytest.param("PT-101", 7, "high, low or unusual", id="no-direction"),
        pytest.param("PT-101 low and", 15, "a role", id="unfinished"),
        pytest.param("PT-101 low IT-101 high", 12, "and, or, or the end", id="no-and"),
        pytest.param("low", 1, "a role", id="no-role"),
        pytest.param("(PT-101 low", 12, "and, or, or )", id="no-parenthesis"),
        pytest.param("PT-101 low)", 11, "and, or, or the end", id="too-many"),
        pytest.param("[PT-101 low", 1, "a closing ] of the role", id="no-bracket"),
        pytest.param("[ ] low", 1, "a role between the brackets", id="nothing-in-brackets"),
        pytest.param("PT-101 and IT-101 high", 8, "high, low or unusual", id="one-direction-for-two"),
    ],
)
def test_what_is_no_pattern_is_told_with_its_place(text: str, position: int, expected: str) -> None:
    with pytest.raises(ConditionError) as raised:
        parse_pattern(text)
    assert (raised.value.position, raised.value.expected) == (position, expected)
    assert "PT-101 low" in raised.value.mend


@pytest.mark.parametrize("text", ["(" * (DEPTH_LIMIT + 2), "x" * (LENGTH_LIMIT + 1)], ids=["deep", "long"])
def test_a_pattern_is_neither_too_deep_nor_too_long(text: str) -> None:
    with pytest.raises(ConditionError, match="at most"):
        parse_pattern(text)


@given(st.text(max_size=60) | st.text("A ()[]andorhigl", max_size=60))
def test_a_text_is_a_pattern_or_a_fault_within_it(text: str) -> None:
    try:
        found = parse_pattern(text)
    except ConditionError as error:
        assert 1 <= error.position <= len(text) + 1  # noqa: PT017 - some texts are patterns
    else:
        assert found.operands
        assert parse(found.canonical).tree == found.tree


def test_the_first_entry_that_holds_is_said() -> None:
    library = [CausePlan(parse_pattern(f"{role} low"), role) for role in ("TT 1", "PT-101", "IT-101")]
    assert advice(library, [cause("IT-101", "low"), cause("PT-101", "low")]) == "PT-101"
    assert advice(library, []) == ""
    assert advice([], [cause("PT-101", "low")]) == ""


def test_a_role_with_hardly_a_share_is_no_part_of_a_pattern() -> None:
    assert holds("A low", cause("A", "low", LEAST_SHARE))
    assert not holds("A low", cause("A", "low", LEAST_SHARE - 0.1))
    assert not holds("A low", cause("A", ""))


patterns = st.recursive(
    st.tuples(st.sampled_from(ROLES), st.sampled_from(DIRECTIONS)),
    lambda inner: st.tuples(inner, st.sampled_from(["and", "or"]), inner),
    max_leaves=6,
)


def text_of(pattern: tuple[object, ...]) -> str:
    if len(pattern) == 2:
        return f"{pattern[0]} {pattern[1]}"
    return f"({text_of(pattern[0])}) {pattern[1]} ({text_of(pattern[2])})"  # type: ignore[arg-type]


def truth_of(pattern: tuple[object, ...], ways: dict[str, str]) -> bool:
    if len(pattern) == 2:
        return ways.get(str(pattern[0])) == pattern[1]
    left, right = truth_of(pattern[0], ways), truth_of(pattern[2], ways)  # type: ignore[arg-type]
    return left and right if pattern[1] == "and" else left or right


@given(patterns, st.dictionaries(st.sampled_from(ROLES), st.sampled_from(sorted(VALUES)), min_size=1))
def test_a_pattern_means_what_its_words_say(pattern: tuple[object, ...], ways: dict[str, str]) -> None:
    assert holds(text_of(pattern), *(cause(role, way) for role, way in ways.items())) == truth_of(pattern, ways)


def test_the_roles_are_known_where_the_file_tells_them() -> None:
    settings = {"Plant/P101/X": InputPlan(role="speed")}
    assert roles_by_configuration(["Plant/P101/X"], settings) == frozenset({"speed"})
    assert roles_by_configuration(["P/A"], {}) == frozenset({"A", "P-A"})
    assert roles_by_configuration(["P/*"], {}) is None
    assert roles_by_configuration(["ns=2;s=A"], {}) is None
    assert roles_by_configuration(["ns=2;s=A"], {"ns=2;s=A": InputPlan(role="A")}) == frozenset({"A"})


def test_an_unknown_role_is_named_with_what_is_near() -> None:
    assert unknown_role(parse_pattern("PT-101 low"), ROLES) is None
    assert unknown_role(parse_pattern("PT-101 low and IT-102 low"), ROLES) == ("IT-102", "Did you mean IT-101?")
    assert unknown_role(parse_pattern("Z low"), ["b", "a"]) == ("Z", "Roles of this model: a, b.")

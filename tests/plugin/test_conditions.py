import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.conditions import (
    DEPTH_LIMIT,
    LENGTH_LIMIT,
    Comparison,
    Condition,
    ConditionError,
    Joined,
    Literal,
    Name,
    Node,
    Not,
    parse,
)

NAMES = ("Plant/P101/Speed", "Mode", "odd]name[3]", "a b")


def truth(text: str, **values: object) -> list[int]:
    return parse(text).evaluate({name: np.atleast_1d(value) for name, value in values.items()}).tolist()


def texts(*elements: object) -> np.ndarray:
    return np.array(elements, dtype=object)


def test_the_sample_of_the_documentation_reads_and_evaluates() -> None:
    condition = parse("[Plant/P101/Speed] > 100 and not ([Mode] = 'AUTO' or [Trip])")
    assert condition.operands == ("Plant/P101/Speed", "Mode", "Trip")
    values = {
        "Plant/P101/Speed": np.array([50.0, 150.0, np.nan, 200.0]),
        "Mode": texts("AUTO", "MAN", None, "MAN"),
        "Trip": np.array([False, False, False, True]),
    }
    assert condition.evaluate(values).tolist() == [0, 1, -1, 0]


@pytest.mark.parametrize(
    ("sign", "expected"),
    [("<", [1, 0, 0]), ("<=", [1, 1, 0]), ("=", [0, 1, 0]), ("!=", [1, 0, 1]), (">=", [0, 1, 1]), (">", [0, 0, 1])],
)
def test_every_sign_means_what_it_says(sign: str, expected: list[int]) -> None:
    assert truth(f"[A] {sign} 2", A=[1.0, 2.0, 3.0]) == expected


def test_and_binds_tighter_than_or_and_not_tighter_than_and() -> None:
    assert truth("[A] or [B] and not [C]", A=[0, 1, 0], B=[1, 0, 1], C=[1, 1, 0]) == [0, 1, 1]


def test_a_state_of_another_case_is_another_state() -> None:
    assert truth("[A] = 'auto'", A=texts("AUTO", "auto")) == [0, 1]


@pytest.mark.parametrize("nothing", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_is_unknown(nothing: float) -> None:
    assert truth("[A] < 1e300", A=[nothing]) == [-1]
    assert truth("[A] != 1", A=[nothing]) == [-1]


def test_a_value_of_the_wrong_type_is_unknown() -> None:
    assert truth("[A] > 100", A=texts("150", 150.0, None, True, 10**400, 1j)) == [-1, 1, -1, 0, -1, -1]
    assert truth("[A] != 'AUTO'", A=[1.0, 2.0]) == [-1, -1]


def test_a_missing_operand_is_unknown_and_what_does_not_need_it_is_known() -> None:
    assert truth("[A] > 1 or [Missing] > 1", A=[0, 2]) == [-1, 1]
    assert truth("[A] > 1 and [Missing] > 1", A=[0, 2]) == [0, -1]


def test_two_tags_compare_with_each_other() -> None:
    assert truth("[A] > [B]", A=[1, 3], B=[2, 2]) == [0, 1]
    assert truth("[A] = [B]", A=texts("x", "x"), B=texts("x", "y")) == [1, 0]


def test_without_any_value_the_result_is_empty_and_unequal_shapes_are_refused() -> None:
    assert parse("[A]").evaluate({}).shape == (0,)
    with pytest.raises(ValueError, match="unequal shapes"):
        parse("[A]").evaluate({"A": np.zeros(2), "B": np.zeros(3)})


@pytest.mark.parametrize(
    ("text", "position", "found", "expected"),
    [
        pytest.param("", 1, "the end", "a [tag]", id="empty"),
        pytest.param("[A", 1, "[", "closing ]", id="open-bracket"),
        pytest.param("[A] = 'x", 7, "'", "closing quote", id="open-quote"),
        pytest.param("[ ] > 3", 1, "[ ]", "a tag between the brackets", id="no-name"),
        pytest.param("[A] == 3", 5, "==", "=", id="sign-of-programmers"),
        pytest.param("1 < 2", 1, "a comparison without a tag", "a [tag]", id="no-tag"),
        pytest.param("1 < [A] < 3", 9, "<", "and, or", id="chained"),
        pytest.param("[A] > 1,5", 8, ",", "and, or", id="decimal-comma"),
        pytest.param("[A] > 1e999", 7, "1e999", "64 bits", id="infinite"),
        pytest.param("[A] < 'x'", 5, "<", "= or !=", id="ordered-state"),
        pytest.param("([A] > 1", 9, "the end", "and, or, or )", id="open-parenthesis"),
        pytest.param("[A] > 1 100rpm", 9, "100", "and, or", id="no-joining-word"),
        pytest.param("__import__('os')", 1, "__import__", "a [tag]", id="code"),
        pytest.param("not " * (DEPTH_LIMIT + 1) + "[A]", 133, "[A]", "at most 32", id="deep"),
        pytest.param("[A] > 1" + " " * LENGTH_LIMIT, LENGTH_LIMIT + 1, "2007 characters", "at most", id="long"),
    ],
)
def test_a_fault_says_where_what_was_found_and_what_was_expected(
    text: str, position: int, found: str, expected: str
) -> None:
    with pytest.raises(ConditionError) as caught:
        parse(text)
    error = caught.value
    assert (error.position, error.found) == (position, found)
    assert expected in error.expected
    assert pickle.loads(pickle.dumps(error)) == error


def comparisons() -> st.SearchStrategy[Node]:
    names = st.sampled_from(NAMES).map(Name)
    numbers = st.floats(allow_nan=False, allow_infinity=False).map(Literal)
    states = st.text(max_size=5).map(Literal)
    signs = st.sampled_from(["<", "<=", "=", "!=", ">=", ">"])
    return st.builds(Comparison, names, signs, names | numbers) | st.builds(
        Comparison, states, st.sampled_from(["=", "!="]), names
    )


def trees() -> st.SearchStrategy[Node]:
    return st.recursive(
        comparisons(),
        lambda parts: (
            st.builds(Not, parts)
            | st.builds(Joined, st.sampled_from(["and", "or"]), st.lists(parts, min_size=2, max_size=3).map(tuple))
        ),
        max_leaves=6,
    )


@given(trees())
def test_what_is_written_reads_back_the_same(tree: Node) -> None:
    assert parse(str(tree)).tree == tree


@given(trees())
def test_a_condition_survives_hashing_and_the_pipe_to_a_worker(tree: Node) -> None:
    condition = parse(str(tree))
    copy = pickle.loads(pickle.dumps(condition))
    assert copy == condition
    assert hash(copy) == hash(condition)
    assert parse(condition.canonical).tree == condition.tree


@given(st.text(max_size=60) | st.text(alphabet="[]()'\"<>=!. andortA1-", max_size=60))
def test_any_text_is_a_condition_or_a_condition_error(text: str) -> None:
    try:
        condition = parse(text)
    except ConditionError as error:
        assert 1 <= error.position <= len(text) + 1  # noqa: PT017 -- both outcomes are right
    else:
        assert isinstance(condition, Condition)
        assert condition.operands


TRUTHS = st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=1, max_size=8)


def same(left: str, right: str, **values: object) -> bool:
    arrays = {name: np.array(value) for name, value in values.items()}
    return bool(np.array_equal(parse(left).evaluate(arrays), parse(right).evaluate(arrays)))


@given(st.lists(st.tuples(*[st.sampled_from([0.0, 1.0, np.nan])] * 3), min_size=1, max_size=27))
def test_the_laws_of_kleene_hold(rows: list[tuple[float, float, float]]) -> None:
    a, b, c = (np.array(column) for column in zip(*rows, strict=True))
    values = {"a": a, "b": b, "c": c}
    assert same("not not [a]", "[a]", **values)
    assert same("not ([a] and [b])", "not [a] or not [b]", **values)
    assert same("not ([a] or [b])", "not [a] and not [b]", **values)
    assert same("[a] and [b]", "[b] and [a]", **values)
    assert same("[a] and ([b] or [c])", "[a] and [b] or [a] and [c]", **values)
    assert same("[a] and ([b] and [c])", "([a] and [b]) and [c]", **values)
    assert same("[a] or [a] and [b]", "[a]", **values)


@given(TRUTHS)
def test_knowing_more_never_reverses_what_was_known(column: list[float]) -> None:
    text = "[a] and [b] or not [c] and [a]"
    partly = {"a": np.array(column), "b": np.array(column[::-1]), "c": np.full(len(column), np.nan)}
    before = parse(text).evaluate(partly)
    for known in (0.0, 1.0):
        after = parse(text).evaluate({name: np.where(np.isnan(a), known, a) for name, a in partly.items()})
        assert np.all((before == -1) | (before == after))

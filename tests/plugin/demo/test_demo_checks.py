"""The self-check of the demo finds each thing that can go wrong."""

from dataclasses import replace

import pytest

from tagsight.demo.checks import Evidence, failures
from tagsight.demo.viewer import COMPARED, OUTPUTS, Row, Seen, differences, seen_of

NORMAL = Seen(time_ns=90, good=True, score=0.2, alarm=False, reason="", message="", top=())
ALARM = Seen(
    time_ns=120, good=True, score=2.0, alarm=True, reason="", message="Reactor: TV-201 high", top=("TV-201", "FT-101")
)


def passed() -> Evidence:
    return Evidence(fault_ns=100, before=[NORMAL], alarm=ALARM, compared=6)


def test_a_demo_that_went_well_has_no_failures() -> None:
    assert failures(passed()) == []


@pytest.mark.parametrize("top", ["TT-201", "TV-201"])
def test_any_tag_of_the_faulted_loop_counts(top: str) -> None:
    assert failures(replace(passed(), alarm=replace(ALARM, top=(top,)))) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(passed(), before=[]), "no Good score"),
        (replace(passed(), before=[replace(NORMAL, good=False)]), "no Good score"),
        (replace(passed(), before=[NORMAL, replace(NORMAL, alarm=True)]), "before the fault"),
        (replace(passed(), alarm=None), "no alarm"),
        (replace(passed(), alarm=replace(ALARM, time_ns=99)), "older than the fault"),
        (replace(passed(), alarm=replace(ALARM, message="")), "no sentence"),
        (replace(passed(), alarm=replace(ALARM, top=("TT-202",))), "TT-202"),
        (replace(passed(), alarm=replace(ALARM, top=())), "empty"),
        (replace(passed(), compared=0), "no values were compared"),
        (replace(passed(), differing=["Score: 3 values"]), "Score: 3 values"),
    ],
)
def test_what_is_not_as_it_must_be_is_said(changed: Evidence, words: str) -> None:
    found = failures(changed)
    assert len(found) == 1
    assert words in found[0]


def test_equal_readings_have_no_differences() -> None:
    rows: dict[str, list[Row]] = {output: [(1, 0.5, 0), (2, None, 0)] for output in COMPARED}
    assert differences(rows, rows) == []


@pytest.mark.parametrize("other", [[], [(1, 0.5, 0)], [(1, 0.5, 1), (2, None, 0)], [(2, None, 0), (1, 0.5, 0)]])
def test_a_missing_changed_or_reordered_value_is_a_difference(other: list[Row]) -> None:
    rows: dict[str, list[Row]] = {output: [(1, 0.5, 0), (2, None, 0)] for output in COMPARED}
    found = differences(rows, {**rows, "Score": other})
    assert len(found) == 1
    assert found[0].startswith("Score")


def test_an_empty_top_tag_and_a_score_that_is_no_number_are_seen_as_none() -> None:
    values: dict[str, Row] = dict.fromkeys(OUTPUTS, (5, "", 0))
    values |= {"Score": (5, float("nan"), 0), "Alarm": (5, 1, 0), "Top2_Tag": (5, "FT-101", 0)}
    seen = seen_of(values)
    assert seen.score is None
    assert not seen.good
    assert seen.alarm
    assert seen.top == ("FT-101",)

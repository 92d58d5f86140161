"""What the scores of a tick leave behind; the ledger is a real one."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight.cause_patterns import parse_pattern
from tagsight.clocks import SystemClock
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, TickRecord
from tagsight.plan import CausePlan
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, OutputRow, Run, State
from tagsight.scoring_task import ScoredRun
from tagsight_connectors.quality import BAD, BAD_NO_DATA, GOOD, Quality, quality_of
from tests.plugin.small_site import MINUTE, START, plan_of

MODEL = plan_of("P101")


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[Recorder]:
    with Ledger.open(tmp_path / "ledger.sqlite", SystemClock()) as ledger:
        yield Recorder(ledger, ZoneInfo("UTC"))


def scored(minute: int, score: float | None, *, trial: bool = False, revised: bool = False) -> ScoredRun:
    quality = GOOD if score is not None else BAD_NO_DATA
    return ScoredRun(Run(MODEL.key, START + minute * MINUTE, 1, score, quality, trial=trial, revised=revised))


def keep(recorder: Recorder, *runs: ScoredRun) -> list[OutputRow]:
    """Recorded and stored, as a tick does it; the rows with the scores."""
    made = recorder.record(MODEL, MINUTE, runs)
    recorder.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
    return [row for row in made.rows if row.part == "score"]


def look(row: OutputRow) -> tuple[int, int, Quality]:
    found = {value.output: value for value in row.values}
    state, alarm = found["State"], found["Alarm"]
    assert state.status == alarm.status
    return int(state.value or 0), int(alarm.value or 0), quality_of(state.status)


def test_while_nothing_can_be_scored_the_state_is_that_of_the_last_scored_run(recorder: Recorder) -> None:
    rows = keep(recorder, scored(0, 0.3), scored(1, None), scored(2, 1.4), scored(3, None))
    assert [look(row)[0] for row in rows] == [State.NORMAL, State.NORMAL, *[State.OUT_OF_SPECIFICATION] * 2]
    assert look(rows[3])[2] is Quality.BAD
    (later,) = keep(recorder, scored(4, None))
    assert look(later) == (State.OUT_OF_SPECIFICATION, 0, Quality.BAD)


def test_a_due_time_that_cannot_be_looked_at_keeps_the_last_state(recorder: Recorder) -> None:
    keep(recorder, scored(0, 1.4))
    row, _ = recorder.unavailable(MODEL, START + MINUTE, 1, BAD, "no connection")
    assert look(row) == (State.OUT_OF_SPECIFICATION, 0, Quality.BAD)


def test_an_active_alarm_stays_while_nothing_can_be_scored(recorder: Recorder) -> None:
    on = MODEL.alarm.on_delay_ns // MINUTE
    rows = keep(recorder, *[scored(minute, 1.4) for minute in range(on + 1)], scored(on + 1, None))
    assert look(rows[-2]) == (State.MAINTENANCE_REQUIRED, 1, Quality.GOOD)
    assert look(rows[-1]) == (State.MAINTENANCE_REQUIRED, 1, Quality.BAD)
    row, _ = recorder.unavailable(MODEL, START + (on + 2) * MINUTE, 1, BAD, "no connection")
    assert look(row) == (State.MAINTENANCE_REQUIRED, 1, Quality.BAD)


def test_a_model_on_trial_is_a_function_check_also_while_it_cannot_be_scored(recorder: Recorder) -> None:
    rows = keep(recorder, scored(0, 1.4, trial=True), scored(1, None, trial=True))
    assert [look(row) for row in rows] == [
        (State.FUNCTION_CHECK, 0, Quality.UNCERTAIN),
        (State.FUNCTION_CHECK, 0, Quality.BAD),
    ]


def test_a_model_that_is_switched_off_announces_nothing_and_keeps_its_scores(recorder: Recorder) -> None:
    off = OperatorAct("1", MODEL.key, "ann", START, off=True)
    recorder.ledger.act([off], lambda _act, _state: None, {})
    on = MODEL.alarm.on_delay_ns // MINUTE
    rows = keep(recorder, *[scored(minute, 1.4) for minute in range(on + 3)])
    assert {look(row) for row in rows} == {(State.FUNCTION_CHECK, 0, Quality.UNCERTAIN)}
    assert recorder.ledger.count_activations(0, 2**62) == 0
    assert len(recorder.ledger.runs(MODEL.key, 0, 2**62)) == on + 3


def test_runs_whose_explanation_was_cut_off_by_an_end_say_so(recorder: Recorder) -> None:
    explained = ExplanationResult(0.0, {}, {})
    made = recorder.record(MODEL, MINUTE, [scored(0, 0.3), scored(1, None), scored(2, 0.8)])
    runs = (replace(made.runs[0], explanation=explained), *made.runs[1:])
    recorder.ledger.record(TickRecord(runs=runs, watermarks={MODEL.key: START + 2 * MINUTE}))
    left = recorder.interrupted(MODEL, recorder.cut_off(MODEL))
    assert [run.due_ns for run in left.runs] == [row.due_ns for row in left.rows] == [START + 2 * MINUTE]
    message = {value.output: value for value in left.rows[0].values}["Message"]
    assert "TagSight ended before it was explained" in str(message.value)
    recorder.ledger.record(TickRecord(runs=left.runs, rows=left.rows))
    assert recorder.cut_off(MODEL) == ()


def test_the_past_scored_again_neither_retracts_nor_invents_an_alarm(recorder: Recorder) -> None:
    on = MODEL.alarm.on_delay_ns // MINUTE
    keep(recorder, *[scored(minute, 1.4) for minute in range(on + 1)])
    rows = keep(recorder, *[scored(minute, 0.1, revised=True) for minute in range(on + 1)])
    assert look(rows[-1])[1] == 1
    assert recorder.ledger.count_activations(0, 2**62) == 1


def test_what_waits_for_its_explanation_knows_language_descriptions_and_causes(recorder: Recorder) -> None:
    causes = (CausePlan(parse_pattern("Flow high"), "check filter"),)
    recorder.language, recorder.descriptions = "zh", {MODEL.key: {"Flow": "feed flow"}}
    one = replace(scored(0, 1.4), window=np.zeros((1, 1)))
    (waiting,) = recorder.record(replace(MODEL, causes=causes), MINUTE, [one]).explainable
    now = waiting.circumstances
    assert (now.language, now.descriptions, now.causes) == ("zh", {"Flow": "feed flow"}, causes)


HOURLY = replace(MODEL, explain_normal_every_ns=60 * MINUTE)


def explained_minutes(recorder: Recorder, *runs: ScoredRun) -> list[int]:
    """Minutes of the runs that are handed over to be explained."""
    with_windows = [replace(one, window=np.zeros((2, 1))) if one.run.score is not None else one for one in runs]
    made = recorder.record(HOURLY, MINUTE, with_windows)
    recorder.ledger.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
    waiting = {one.scored.run.due_ns for one in made.explainable}
    told = {row.due_ns for row in made.rows if row.part == "explanation"}
    for one in made.runs:
        skipped = one.score is not None and one.due_ns not in waiting
        assert (one.explanation is not None) == skipped
        assert one.due_ns not in told or one.score is None
    return [(due_ns - START) // MINUTE for due_ns in sorted(waiting)]


def test_scores_below_half_the_limit_are_explained_from_time_to_time_only(recorder: Recorder) -> None:
    assert explained_minutes(recorder, *[scored(minute, 0.2) for minute in range(130)]) == [0, 60, 120]
    assert explained_minutes(recorder, scored(130, 0.2)) == []


def test_scores_from_half_the_limit_on_are_always_explained_and_so_is_the_first_below(recorder: Recorder) -> None:
    scores = [0.2, 0.2, 0.5, 0.7, 2.0, 0.4, 0.4]
    found = explained_minutes(recorder, *[scored(minute, score) for minute, score in enumerate(scores)])
    assert found == [0, 2, 3, 4, 5]


def test_after_a_gap_and_under_other_circumstances_what_was_explained_is_out_of_date(recorder: Recorder) -> None:
    assert explained_minutes(recorder, scored(0, 0.2), scored(1, None), scored(2, 0.2), scored(3, 0.2)) == [0, 2]
    recorder.unavailable(HOURLY, START + 4 * MINUTE, 1, BAD, "no connection")
    assert explained_minutes(recorder, scored(5, 0.2), scored(6, 0.2)) == [5]
    other = replace(scored(7, 0.2), run=replace(scored(7, 0.2).run, version=2))
    assert explained_minutes(recorder, other, scored(8, 0.2)) == [7, 8]


def test_a_run_that_is_scored_again_is_explained_again(recorder: Recorder) -> None:
    assert explained_minutes(recorder, scored(0, 0.2), scored(1, 0.2)) == [0]
    assert explained_minutes(recorder, scored(1, 0.3, revised=True)) == [1]


def test_runs_that_are_not_explained_by_policy_are_not_taken_for_cut_off_ones(recorder: Recorder) -> None:
    explained_minutes(recorder, scored(0, 0.2), scored(1, 0.2), scored(2, 0.2))
    assert [run.due_ns for run in recorder.ledger.unexplained(MODEL.key, 0)] == [START]

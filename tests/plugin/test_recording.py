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

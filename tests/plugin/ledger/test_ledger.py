"""What the ledger promises to the service, over a real database."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tagsight.binding import Binding
from tagsight.clocks import SECOND, SetClock
from tagsight.errors import StorageError
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import (
    Activation,
    DeliveryState,
    OperatorAct,
    OperatorState,
    RefusedTag,
    Settlement,
    TickRecord,
    historian_destination,
)
from tagsight.plan import Retention
from tagsight.results import ExplanationResult, OutputRow, OutputValue, RoleResult, Run
from tagsight_models.frame import Role

MODEL = "P101/Health"
HISTORIAN = historian_destination("default")
MINUTE = 60 * SECOND


@pytest.fixture
def clock() -> SetClock:
    return SetClock(1_000 * MINUTE)


@pytest.fixture
def ledger(tmp_path: Path, clock: SetClock) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as opened:
        yield opened


def run(due_ns: int, *, score: float | None = 0.3, digest: str = "a", model: str = MODEL) -> Run:
    roles = (RoleResult("speed", 1.0, 2.0, 1.5, float("nan")),)
    return Run(model, due_ns, 1, score, 0, input_digest=digest, roles=roles)


def row(due_ns: int, value: float = 0.3, *, part: str = "score", model: str = MODEL) -> OutputRow:
    output = "Score" if part == "score" else "Message"
    return OutputRow(model, due_ns, part, (OutputValue(output, value, 0), OutputValue('Odd "one"', 'Score":', 0)))


def tick(*dues: int, destination: str = HISTORIAN, digest: str = "a", value: float = 0.3) -> TickRecord:
    return TickRecord(
        runs=[run(due, digest=digest, score=value) for due in dues],
        rows=[row(due, value) for due in dues],
        destinations={MODEL: destination},
        watermarks={MODEL: max(dues)},
    )


def test_a_run_comes_back_as_it_went_in(ledger: Ledger) -> None:
    explained = ExplanationResult(0.1, {"speed": 0.2}, {"speed": 0.01})
    stored = Run(MODEL, 60, 2, 0.3, 0x40000000, "late", "d", (RoleResult("speed", 1.0, 2.0, 1.5, 2.5),), explained)
    ledger.record(TickRecord(runs=[stored]))
    assert ledger.newest_run(MODEL) == stored
    assert ledger.runs(MODEL, 0, 61) == (stored,)


def test_a_gated_run_is_a_run_with_its_reason_and_a_score_that_is_not_a_number(ledger: Ledger) -> None:
    ledger.record(TickRecord(runs=[Run(MODEL, 60, 1, None, 0x40000000, "stopped", stopped=True), run(120)]))
    times, scores = ledger.scores(MODEL, 0, 121)
    assert times.tolist() == [60, 120]
    assert np.array_equal(scores, [np.nan, 0.3], equal_nan=True)
    assert ledger.runs(MODEL, 60, 61)[0].reason == "stopped"


def test_spans_are_half_open(ledger: Ledger) -> None:
    ledger.record(tick(60, 120, 180))
    assert ledger.digests(MODEL, 60, 180) == {60: "a", 120: "a"}


def test_a_watermark_never_goes_back(ledger: Ledger) -> None:
    assert ledger.watermark(MODEL) is None
    ledger.record(TickRecord(watermarks={MODEL: 120}))
    ledger.record(TickRecord(watermarks={MODEL: 60}))
    assert ledger.watermark(MODEL) == 120


def test_other_inputs_for_the_same_due_time_revise_the_run_and_are_owed_again(ledger: Ledger) -> None:
    ledger.record(tick(60))
    first = ledger.pending(HISTORIAN, 10)[0]
    ledger.settle([Settlement(first.sequence, HISTORIAN, DeliveryState.WRITTEN)])
    ledger.record(tick(60, digest="b", value=0.9))
    revised = ledger.runs(MODEL, 60, 61)[0]
    again = ledger.pending(HISTORIAN, 10)[0]
    assert revised.revised
    assert revised.score == 0.9
    assert again.sequence > first.sequence
    assert again.row.values[0].value == 0.9


def test_the_same_inputs_again_revise_nothing(ledger: Ledger) -> None:
    ledger.record(TickRecord(runs=[run(60)]))
    ledger.record(TickRecord(runs=[run(60)]))
    assert not ledger.runs(MODEL, 60, 61)[0].revised


def test_an_explanation_that_comes_later_is_added_and_not_lost_again(ledger: Ledger) -> None:
    explained = ExplanationResult(0.1, {"speed": 0.2}, {"speed": 0.0})
    plain = Run(MODEL, 60, 1, 0.3, 0, input_digest="a")
    ledger.record(TickRecord(runs=[plain]))
    ledger.record(TickRecord(runs=[Run(MODEL, 60, 1, 0.3, 0, input_digest="a", explanation=explained)]))
    ledger.record(TickRecord(runs=[plain]))
    kept = ledger.runs(MODEL, 60, 61)[0]
    assert kept.explanation == explained
    assert not kept.revised


def test_an_answer_to_a_row_that_was_revised_meanwhile_settles_nothing(ledger: Ledger) -> None:
    ledger.record(tick(60))
    sent = ledger.pending(HISTORIAN, 10)[0]
    ledger.record(tick(60, digest="b"))
    ledger.settle([Settlement(sent.sequence, HISTORIAN, DeliveryState.WRITTEN)])
    assert ledger.counters().buffered == 1


def test_what_our_own_server_shows_is_written_once_committed(ledger: Ledger) -> None:
    ledger.record(tick(60, destination="server"))
    assert ledger.counters().buffered == 0
    assert ledger.deliveries_in(DeliveryState.WRITTEN) == 1


def test_the_live_lane_comes_before_the_backlog_and_the_backlog_oldest_first(ledger: Ledger) -> None:
    for due in (60, 120, 180):
        ledger.record(tick(due))
    pending = ledger.pending(HISTORIAN, 10)
    assert [(one.row.due_ns, one.live) for one in pending] == [(180, True), (60, False), (120, False)]


def test_refused_tags_are_kept_and_can_be_sent_again(ledger: Ledger) -> None:
    ledger.record(tick(60))
    refused = (RefusedTag("ns=2;s=x", 0x80340000),)
    first = ledger.pending(HISTORIAN, 1)[0]
    ledger.settle([Settlement(first.sequence, HISTORIAN, DeliveryState.QUARANTINED, refused)])
    assert ledger.quarantined()[0].refused == refused
    assert ledger.counters().quarantined == 1
    assert ledger.resend(HISTORIAN, "anna") == 1
    assert ledger.counters().buffered == 1


def test_an_answer_that_comes_twice_settles_once(ledger: Ledger) -> None:
    ledger.record(tick(60))
    first = ledger.pending(HISTORIAN, 1)[0]
    ledger.settle([Settlement(first.sequence, HISTORIAN, DeliveryState.WRITTEN)])
    ledger.settle([Settlement(first.sequence, HISTORIAN, DeliveryState.PENDING)])
    assert ledger.counters().buffered == 0


def test_the_row_of_a_pending_delivery_cannot_be_deleted_by_anybody(ledger: Ledger, tmp_path: Path) -> None:
    ledger.record(tick(60, 120))
    other = sqlite3.connect(tmp_path / "ledger.sqlite")
    other.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError, match="nothing_pending_disappears"):
        other.execute("DELETE FROM output_rows WHERE due_ns = 60")
    other.close()


def test_a_destination_that_cannot_take_a_row_now_keeps_it_pending_and_counts_the_attempts(ledger: Ledger) -> None:
    ledger.record(tick(60))
    first = ledger.pending(HISTORIAN, 1)[0]
    ledger.settle([Settlement(first.sequence, HISTORIAN, DeliveryState.PENDING)])
    assert ledger.pending(HISTORIAN, 1)[0].attempts == 1


def test_rows_are_found_in_the_order_of_storing(ledger: Ledger) -> None:
    ledger.record(tick(120))
    ledger.record(tick(60))
    assert [one.row.due_ns for one in ledger.rows_after(0)] == [120, 60]
    assert [one.row.due_ns for one in ledger.rows_after(1)] == [60]
    assert [one.row.due_ns for one in ledger.newest_rows()] == [120]
    assert ledger.last_sequence() == 2


def test_the_history_of_an_output_is_ascending_and_paged(ledger: Ledger) -> None:
    ledger.record(tick(120, value=2.0))
    ledger.record(tick(60, 180, value=1.0))
    ledger.record(TickRecord(rows=[row(60, part="explanation")]))
    found = ledger.output_history(MODEL, "Score", 0, 200, limit=2, offset=1)
    assert [(due, one.value) for due, one in found] == [(120, 2.0), (180, 1.0)]


@pytest.mark.parametrize("output", ['Odd "one"', "Message"])
def test_the_history_of_an_output_is_found_whatever_its_name(ledger: Ledger, output: str) -> None:
    ledger.record(TickRecord(rows=[row(60, part="explanation")]))
    assert len(ledger.output_history(MODEL, output, 0, 61, limit=10)) == 1
    assert ledger.output_history(MODEL, "Score", 0, 61, limit=10) == []


def test_an_announced_alarm_is_never_retracted(ledger: Ledger) -> None:
    ledger.record(TickRecord(activations=[Activation(MODEL, 60, 120, cleared_ns=180)]))
    ledger.record(TickRecord(activations=[Activation(MODEL, 90, 120, revised=True)]))
    newest = ledger.newest_activations()[MODEL]
    assert newest == Activation(MODEL, 60, 120, cleared_ns=180, revised=True)
    assert ledger.count_activations(0, 121) == 1


def test_an_operators_act_has_its_effect_exactly_once(ledger: Ledger) -> None:
    ledger.record(TickRecord(activations=[Activation(MODEL, 60, 120)]))
    act = OperatorAct("id-1", MODEL, "otto", 200, off=True, feedback=2, acknowledge=120, comment="pump ran dry")
    assert ledger.act([act], lambda done, state: row(done.time_ns, state.feedback_count)) == (act,)
    assert ledger.act([act]) == ()
    assert ledger.operator_state(MODEL) == OperatorState(off=True, feedback_count=1)
    assert [(label.feedback, label.announced_ns) for label in ledger.labels(MODEL)] == [(2, 120)]
    assert ledger.newest_activations()[MODEL].acknowledged_by == "otto"
    assert len(ledger.rows_after(0)) == 1


def test_entries_marked_in_a_tick_are_not_acted_on_again(ledger: Ledger) -> None:
    ledger.record(TickRecord(acted=["id-1"]))
    assert ledger.act([OperatorAct("id-1", MODEL, "otto", 200, off=True)]) == ()


def test_a_binding_outlives_a_restart_and_is_not_lost_to_a_model_not_yet_bound(tmp_path: Path, clock: SetClock) -> None:
    bound = Binding((Role("speed", "1/s", 0.0, 50.0),), {"speed": "ns=2;s=a"}, {}, {"speed": ""}, (("b", "text"),))
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        ledger.bind(BoundModel(MODEL, bound, detail=False))
        ledger.bind(BoundModel("P102/Health", None))
        before = ledger.bindings_digest()
        ledger.bind(BoundModel(MODEL, None, detail=True))
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        assert ledger.binding(MODEL) == BoundModel(MODEL, bound, detail=True)
        assert ledger.bindings_digest() != before
        ledger.keep_bindings([MODEL])
        assert [one.model for one in ledger.bindings()] == [MODEL]


def test_accepting_a_list_of_targets_is_audited(ledger: Ledger, clock: SetClock) -> None:
    assert ledger.accepted_targets("default") is None
    ledger.accept_targets("default", "0f", ["ns=2;s=a", "ns=2;s=b"], "anna")
    accepted = ledger.accepted_targets("default")
    assert accepted is not None
    assert (accepted.digest, accepted.addresses, accepted.accepted_ns) == (
        "0f",
        ("ns=2;s=a", "ns=2;s=b"),
        clock.now_ns(),
    )
    assert ledger.audit_entries()[0].who == "anna"


def test_the_audit_trail_cannot_be_changed_or_shortened(ledger: Ledger, tmp_path: Path) -> None:
    ledger.audit("anna", "first")
    ledger.audit("anna", "second")
    assert ledger.verify_audit() == 2
    other = sqlite3.connect(tmp_path / "ledger.sqlite")
    for change in ("UPDATE audit SET who = 'eve'", "DELETE FROM audit"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            other.execute(change)
    other.execute("DROP TRIGGER audit_is_not_changed")
    other.execute("UPDATE audit SET who = 'eve' WHERE number = 1")
    other.commit()
    other.close()
    with pytest.raises(StorageError, match="broken at entry 1"):
        ledger.verify_audit()


def test_missed_due_times_are_counted(ledger: Ledger) -> None:
    ledger.record(TickRecord(missed=3))
    ledger.record(TickRecord(missed=2))
    assert ledger.counters().missed == 5


def drain(ledger: Ledger, limits: Retention) -> int:
    given_up = 0
    while (step := ledger.retain(limits)).more:
        given_up += step.not_recovered
    return given_up


def test_old_rows_go_and_the_newest_of_each_part_stays(ledger: Ledger, clock: SetClock) -> None:
    for minute in range(5):
        ledger.record(tick(minute * MINUTE, destination="server"))
    assert drain(ledger, Retention(keep_ns=clock.now_ns() - 10 * MINUTE, at_most_bytes=1 << 30)) == 0
    assert [one.row.due_ns for one in ledger.rows_after(0)] == [4 * MINUTE]
    assert [one.due_ns for one in ledger.runs(MODEL, 0, 10 * MINUTE)] == [4 * MINUTE]


def test_pending_rows_go_last_and_are_then_not_recovered_counted_and_audited(ledger: Ledger) -> None:
    ledger.record(tick(0, MINUTE))
    ledger.settle([Settlement(1, HISTORIAN, DeliveryState.WRITTEN)])
    limits = Retention(keep_ns=10_000 * MINUTE, at_most_bytes=1)
    ledger.record(tick(2 * MINUTE))
    assert ledger.retain(limits).not_recovered == 0
    assert ledger.counters().buffered == 2
    assert drain(ledger, limits) == 1
    assert ledger.counters().not_recovered == 1
    assert ledger.deliveries_in(DeliveryState.NOT_RECOVERED) == 1
    assert ledger.audit_entries()[0].what == "not recovered"


def test_what_is_not_recovered_is_forgotten_after_a_while_and_its_count_never(ledger: Ledger, clock: SetClock) -> None:
    ledger.record(tick(0, MINUTE))
    drain(ledger, Retention(keep_ns=10_000 * MINUTE, at_most_bytes=1))
    clock.advance(60 * 20_000)
    drain(ledger, Retention(keep_ns=10_000 * MINUTE, at_most_bytes=1 << 30))
    assert ledger.deliveries_in(DeliveryState.NOT_RECOVERED) == 0
    assert ledger.counters().not_recovered == 1

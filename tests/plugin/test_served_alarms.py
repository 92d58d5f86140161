"""What clients see of alarms in the ledger, and how what operators do to them gets there: latch and shelving included.

The ledger, the inbox and the recorder are the real ones; scores are given.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, TickRecord
from tagsight.operating import Operators
from tagsight.output_tags import identifier_of
from tagsight.outputs import explanation_row
from tagsight.recording import Recorder
from tagsight.results import ExplanationResult, RoleResult, Run
from tagsight.scoring_task import ScoredRun
from tagsight.served_alarms import LedgerAlarms
from tagsight_connectors.alarming import Act, ConditionAct, ConditionState, Shelving
from tagsight_connectors.quality import BAD_NO_DATA, GOOD, Quality, quality_of
from tests.plugin.small_site import MINUTE, START, plan_of

PLAN = replace(plan_of("P101"), alarm=replace(plan_of("P101").alarm, on_delay_ns=MINUTE, off_delay_ns=MINUTE))
MODEL = PLAN.key
CONDITION = identifier_of(MODEL, "Condition")


@dataclass
class Alarmed:
    """A service without connections: scores come from the test, one a minute."""

    writer: Ledger
    inbox: Inbox
    heartbeat: HeartbeatFile
    clock: SetClock
    alarms: LedgerAlarms
    plan: object = PLAN
    recorder: Recorder = field(init=False)
    operators: Operators = field(init=False)
    notes: list[str] = field(default_factory=list)
    minute: int = 0

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.writer, ZoneInfo("UTC"))
        self.operators = Operators(
            {MODEL: PLAN}, self.writer, self.inbox, self.recorder, {}, lambda _what, words: self.notes.append(words)
        )

    def score(self, *scores: float | None, plan: object = None) -> None:
        """One tick for each score."""
        for score in scores:
            due_ns = START + self.minute * MINUTE
            quality = GOOD if score is not None else BAD_NO_DATA
            run = ScoredRun(Run(MODEL, due_ns, 1, score, quality))
            made = self.recorder.record(plan or PLAN, MINUTE, [run])  # type: ignore[arg-type]
            self.writer.record(TickRecord(runs=made.runs, rows=made.rows, activations=made.activations))
            self.minute += 1
            self.clock.advance(60.0)
            self.heartbeat.write(PluginStatus(self.minute + 1, self.clock.now_ns()))

    def explain(self) -> None:
        """The explanation of the newest run."""
        found = self.recorder.standing(PLAN)
        assert found is not None
        run, now = found
        role = RoleResult("Flow", 60.0, 50.0, 45.0, 55.0)
        run = replace(run, roles=(role,), explanation=ExplanationResult(0.0, {"Flow": run.score or 0.0}, {}))
        self.writer.record(TickRecord(rows=[explanation_row(run, now)]))

    def act(self, act: Act, comment: str = "", seconds: float = 0.0) -> None:
        """An operator does something, and the service takes it over."""
        state = self.state
        now_ns = self.clock.now_ns()
        until_ns = now_ns + int(seconds * SECOND) if seconds else 0
        assert self.alarms.act(ConditionAct(CONDITION, act, "olga", now_ns, state.occurrence, comment, until_ns))
        self.work()

    def work(self) -> None:
        """One look of the service."""
        self.operators.apply()
        self.operators.end_shelvings(self.clock.now_ns())

    @property
    def state(self) -> ConditionState:
        (state,) = self.alarms.conditions()
        return state

    def tags(self) -> tuple[object, object, object]:
        """Alarm, State and Reason as shown last."""
        shown = {value.output: value.value for one in self.writer.newest_rows() for value in one.row.values}
        return shown["Alarm"], shown["State"], shown["Reason"]

    @property
    def activations(self) -> tuple[Activation, ...]:
        return self.writer.activations(0, 2**62)


@pytest.fixture
def alarmed(tmp_path: Path) -> Iterator[Alarmed]:
    clock = SetClock(START)
    path, heartbeat = tmp_path / "ledger.sqlite", HeartbeatFile(tmp_path / "heartbeat")
    with (
        Ledger.open(path, clock) as writer,
        Ledger.open_reader(path, clock) as reader,
        Inbox.open(tmp_path / "inbox.sqlite") as inbox,
    ):
        writer.bind(BoundModel(MODEL, None, severity=250))
        heartbeat.write(PluginStatus(1, clock.now_ns()))
        yield Alarmed(writer, inbox, heartbeat, clock, LedgerAlarms(reader, heartbeat, inbox, clock))


def test_a_model_without_alarm_has_a_condition_at_rest(alarmed: Alarmed) -> None:
    alarmed.score(0.2)
    state = alarmed.state
    assert (state.active, state.acknowledged, state.confirmed, state.retain) == (False, True, True, False)
    assert (state.severity, state.input, state.quality) == (250, "P101/Health/Score", GOOD)


def test_while_nothing_changes_the_very_same_states_are_answered(alarmed: Alarmed) -> None:
    alarmed.score(0.2)
    assert alarmed.alarms.conditions() is alarmed.alarms.conditions()


def test_an_alarm_is_active_with_its_sentence_as_soon_as_that_is_known(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    assert (alarmed.state.active, alarmed.state.complete) == (True, False)
    assert alarmed.state.message == "P101/Health: score above its limit"
    alarmed.explain()
    assert alarmed.state.complete
    assert "Flow" in alarmed.state.message


def test_an_acknowledgement_with_name_and_comment_stays_in_the_ledger_and_comes_back(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    alarmed.act(Act.ACKNOWLEDGE, "filter is dirty")
    (kept,) = alarmed.activations
    assert (kept.acknowledged_by, kept.comment) == ("olga", "filter is dirty")
    state = alarmed.state
    assert (state.acknowledged, state.confirmed, state.comment, state.comment_by) == (
        True,
        False,
        "filter is dirty",
        "olga",
    )
    assert alarmed.notes == ["olga: P101/Health: acknowledged"]
    assert alarmed.inbox.unread() == ()


def test_confirming_and_commenting_are_kept_beside_the_acknowledgement(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    for act, comment in ((Act.ACKNOWLEDGE, "seen"), (Act.CONFIRM, "cleaned"), (Act.COMMENT, "ordered a new one")):
        alarmed.act(act, comment)
    (kept,) = alarmed.activations
    assert (kept.comment, kept.confirmed_by) == ("seen", "olga")
    said = [one.comment for one in alarmed.writer.comments(MODEL, kept.announced_ns)]
    assert said == ["seen", "cleaned", "ordered a new one"]
    assert (alarmed.state.confirmed, alarmed.state.comment) == (True, "ordered a new one")


def test_an_act_is_applied_once_even_if_the_inbox_is_read_twice(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    state = alarmed.state
    alarmed.alarms.act(ConditionAct(CONDITION, Act.COMMENT, "olga", START, state.occurrence, "once"))
    entries = alarmed.inbox.unread()
    alarmed.inbox.remove = lambda _up_to: None  # type: ignore[method-assign]
    alarmed.work()
    alarmed.work()
    assert alarmed.inbox.unread() == entries
    assert len(alarmed.writer.comments(MODEL, state.occurrence)) == 1


def test_an_alarm_that_ends_stays_until_it_is_acknowledged(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4, 0.2, 0.2)
    assert (alarmed.state.active, alarmed.state.retain) == (False, True)
    alarmed.act(Act.ACKNOWLEDGE)
    assert alarmed.state.retain is False


def test_a_latched_alarm_clears_only_after_it_was_acknowledged(alarmed: Alarmed) -> None:
    latched = replace(PLAN, alarm=replace(PLAN.alarm, latch=True))
    alarmed.score(1.4, 1.4, 0.2, 0.2, 0.2, plan=latched)
    assert alarmed.state.active
    assert alarmed.tags()[0] == 1
    alarmed.act(Act.ACKNOWLEDGE, "seen")
    alarmed.score(0.2, plan=latched)
    assert (alarmed.state.active, alarmed.state.retain) == (False, False)
    assert alarmed.tags()[:2] == (0, 0)


def test_feedback_acknowledges_for_those_whose_hmi_knows_no_conditions(alarmed: Alarmed) -> None:
    latched = replace(PLAN, alarm=replace(PLAN.alarm, latch=True))
    alarmed.score(1.4, 1.4, 0.2, plan=latched)
    from tagsight_connectors.serving import ClientWrite

    alarmed.inbox.append(ClientWrite("P101/Health/Feedback", 1, "olga", alarmed.clock.now_ns()))
    alarmed.work()
    alarmed.score(0.2, plan=latched)
    assert (alarmed.state.active, alarmed.state.comment) == (False, "feedback: true")


def test_a_shelved_alarm_is_active_in_the_ledger_and_announces_nothing(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    assert alarmed.tags()[0] == 1
    alarmed.act(Act.SHELVE, seconds=150.0)
    assert alarmed.tags() == (0, 2, "shelved until 2025-10-09 08:58")
    alarmed.score(1.4)
    assert alarmed.tags()[:2] == (0, 2)
    state = alarmed.state
    assert (state.active, state.shelving, state.retain) == (True, Shelving.TIMED, True)
    assert [one.cleared_ns for one in alarmed.activations] == [None]


def test_a_shelving_ends_by_itself_at_its_time(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    alarmed.act(Act.SHELVE, seconds=150.0)
    alarmed.score(1.4)
    alarmed.clock.advance(91.0)
    assert alarmed.state.shelving is Shelving.UNSHELVED
    alarmed.work()
    assert alarmed.tags() == (1, 4, "")
    assert alarmed.writer.operator_state(MODEL).shelved_until_ns is None
    alarmed.work()
    assert alarmed.notes == ["olga: P101/Health: shelved", "TagSight: P101/Health: not shelved any more"]


def test_a_shelving_is_the_newest_value_also_where_the_historians_clock_is_ahead(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    alarmed.clock.advance(-90.0)
    alarmed.act(Act.SHELVE, seconds=600.0)
    newest = alarmed.writer.output_history(MODEL, "Alarm", 0, 2**62, limit=10)[-1]
    assert (newest[0], newest[1].value) == (START + MINUTE, 0)


def test_an_alarm_that_begins_while_shelved_is_announced_when_the_shelving_ends(alarmed: Alarmed) -> None:
    alarmed.score(0.2)
    alarmed.act(Act.SHELVE, seconds=600.0)
    alarmed.score(1.4, 1.4)
    assert (alarmed.tags()[:2], alarmed.state.active) == ((0, 2), True)
    alarmed.act(Act.UNSHELVE)
    assert alarmed.tags()[:2] == (1, 4)


def test_a_shelving_for_one_alarm_ends_with_it(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    alarmed.act(Act.SHELVE_ONCE, seconds=86_400.0)
    assert alarmed.state.shelving is Shelving.ONE_SHOT
    alarmed.score(0.2, 0.2)
    assert (alarmed.state.shelving, alarmed.state.active) == (Shelving.UNSHELVED, False)
    assert alarmed.tags() == (0, 0, "")
    alarmed.score(1.4, 1.4)
    assert alarmed.tags()[0] == 1


def test_a_score_keeps_its_quality_while_its_alarm_is_shelved(alarmed: Alarmed) -> None:
    alarmed.score(0.2)
    alarmed.act(Act.SHELVE, seconds=600.0)
    alarmed.score(0.3)
    shown = {value.output: value for one in alarmed.writer.newest_rows() for value in one.row.values}
    assert quality_of(shown["Score"].status) is Quality.GOOD
    assert quality_of(shown["Alarm"].status) is Quality.UNCERTAIN


def test_quality_follows_the_inputs_and_the_heartbeat(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4, None)
    assert (alarmed.state.active, quality_of(alarmed.state.quality)) == (True, Quality.BAD)
    alarmed.score(1.4)
    assert quality_of(alarmed.state.quality) is Quality.GOOD
    alarmed.clock.advance(16.0)
    assert quality_of(alarmed.state.quality) is Quality.UNCERTAIN


def test_a_model_that_is_switched_off_has_a_suppressed_condition(alarmed: Alarmed) -> None:
    from tagsight_connectors.serving import ClientWrite

    alarmed.inbox.append(ClientWrite("P101/Health/Off", 1, "olga", START))
    alarmed.work()
    assert alarmed.state.suppressed


@pytest.mark.parametrize("identifier", ["P101/Health/Score", "TagSight/Condition", "nonsense"])
def test_what_is_no_condition_takes_no_acts(alarmed: Alarmed, identifier: str) -> None:
    assert not alarmed.alarms.act(ConditionAct(identifier, Act.UNSHELVE, "olga", START))
    assert alarmed.inbox.unread() == ()


def test_a_restarted_server_says_the_same(alarmed: Alarmed) -> None:
    alarmed.score(1.4, 1.4)
    alarmed.explain()
    alarmed.act(Act.ACKNOWLEDGE, "seen")
    alarmed.act(Act.SHELVE, seconds=600.0)
    again = LedgerAlarms(alarmed.alarms.ledger, alarmed.heartbeat, alarmed.inbox, alarmed.clock)
    assert again.conditions() == alarmed.alarms.conditions()


def test_alarms_speak_the_language_of_the_operators(alarmed: Alarmed) -> None:
    alarmed.alarms.language = "de"
    alarmed.score(0.2)
    assert alarmed.state.message == f"{MODEL}: normal"
    alarmed.score(1.4, 1.4, 1.4, 1.4, 1.4, 1.4)
    assert alarmed.state.message == f"{MODEL}: Kennwert über dem Grenzwert"

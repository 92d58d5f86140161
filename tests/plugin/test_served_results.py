"""What clients of the tag server see of the ledger, the heartbeat and themselves."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tagsight.binding import Binding
from tagsight.clocks import SECOND, SetClock
from tagsight.heartbeat import STALE_AFTER_S, HeartbeatFile, PluginStatus
from tagsight.inbox import Inbox
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, TickRecord
from tagsight.outputs import operator_row
from tagsight.planner import Backlog
from tagsight.results import OutputRow, OutputValue
from tagsight.served_results import FRESH, LAST_USABLE, NO_DATA, LedgerSource
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.quality import (
    BAD,
    BAD_OUT_OF_SERVICE,
    BAD_WAITING_FOR_INITIAL_DATA,
    GOOD,
    UNCERTAIN_LAST_USABLE,
)
from tagsight_connectors.serving import ClientWrite
from tagsight_models.frame import Role

MODEL = "P101/Health"
BOUND = Binding((Role("speed", "1/s", 0.0, 50.0),), {"speed": "ns=2;s=a"}, {}, {"speed": ""})


@dataclass
class Served:
    ledger: Ledger
    heartbeat: HeartbeatFile
    inbox: Inbox
    clock: SetClock
    source: LedgerSource
    beats: int = 0

    def beat(self) -> None:
        self.beats += 1
        self.heartbeat.write(PluginStatus(self.beats, self.clock.now_ns(), buffered=3))

    def store(self, second: int, score: float | None = 0.3, status: int = GOOD) -> None:
        values = (OutputValue("Score", score, status), OutputValue("Reason", "", GOOD))
        self.ledger.record(TickRecord(rows=[OutputRow(MODEL, second * SECOND, "score", values)]))

    def look(self, position: int) -> tuple[dict[str, Sample], int]:
        changes = self.source.changes(position)
        return {sample.address: sample for sample in changes.samples}, changes.position


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    clock = SetClock(10**18)
    path = tmp_path / "ledger.sqlite"
    heartbeat = HeartbeatFile(tmp_path / "heartbeat")
    with (
        Ledger.open(path, clock) as ledger,
        Ledger.open_reader(path, clock) as reader,
        Inbox.open(tmp_path / "inbox.sqlite") as inbox,
    ):
        ledger.bind(BoundModel(MODEL, BOUND, detail=True))
        service = Served(ledger, heartbeat, inbox, clock, LedgerSource(reader, heartbeat, inbox, clock))
        service.beat()
        yield service


def test_variables_are_those_of_the_models_and_of_the_plugin(served: Served) -> None:
    variables = {one.identifier: one for one in served.source.variables()}
    assert variables["P101/Health/Expected/speed"].unit == "1/s"
    assert "TagSight/Heartbeat" in variables


def test_the_structure_changes_with_the_models(served: Served) -> None:
    before = served.source.structure_version()
    assert served.source.structure_version() == before
    served.ledger.bind(BoundModel("P102/Health", None))
    assert served.source.structure_version() != before


def test_a_new_version_with_other_inputs_keeps_every_node_that_it_still_has(served: Served) -> None:
    before = {one.identifier: one for one in served.source.variables()}
    roles = (*BOUND.roles, Role("flow", "m3/h", 0.0, 9.0))
    served.ledger.bind(BoundModel(MODEL, replace(BOUND, roles=roles), detail=True))
    after = {one.identifier: one for one in served.source.variables()}
    assert before.items() <= after.items()
    assert {name.rsplit("/", 1)[-1] for name in after.keys() - before.keys()} == {"flow"}


def test_everything_has_a_value_from_the_start(served: Served) -> None:
    samples, _ = served.look(0)
    assert samples.keys() == {one.identifier for one in served.source.variables()}
    assert samples["P101/Health/Score"].status == BAD_WAITING_FOR_INITIAL_DATA
    assert (samples["P101/Health/Off"].value, samples["P101/Health/Off"].status) == (0, GOOD)
    assert samples["TagSight/Buffered"].value == 3


def test_new_rows_come_once_with_the_end_of_their_window_as_source_time(served: Served) -> None:
    _, position = served.look(0)
    served.store(60)
    samples, position = served.look(position)
    assert samples["P101/Health/Score"] == Sample("P101/Health/Score", 60 * SECOND, 0.3, GOOD)
    assert served.look(position) == ({}, position)


def test_a_revised_past_is_seen_in_the_history_and_not_as_the_present(served: Served) -> None:
    served.store(60)
    served.store(120)
    _, position = served.look(0)
    served.store(60, 0.9)
    samples, after = served.look(position)
    assert "P101/Health/Score" not in samples
    assert after > position
    history, more = served.source.history("P101/Health/Score", Span(0, 10**12), 10, 0)
    assert (history.values.tolist(), more) == ([0.9, 0.3], False)


def test_results_of_a_clock_that_was_ahead_hide_nothing_once_they_are_taken_back(served: Served) -> None:
    served.store(60)
    served.store(100_000, 0.9)
    _, position = served.look(0)
    served.ledger.retract(Backlog(MODEL, 60 * SECOND, 60 * SECOND))
    served.store(120, 0.5)
    samples, _ = served.look(position)
    assert samples["P101/Health/Score"].value == 0.5


def test_history_is_paged_and_says_whether_there_is_more(served: Served) -> None:
    for second in range(5):
        served.store(second, float(second))
    page, more = served.source.history("P101/Health/Score", Span(SECOND, 5 * SECOND), 2, 1)
    assert (page.values.tolist(), more) == ([2.0, 3.0], True)
    assert not served.source.history("P101/Health/Score", Span(SECOND, 5 * SECOND), 2, 2)[1]


def test_what_could_not_be_scored_has_no_value_in_the_history(served: Served) -> None:
    served.store(1, None, BAD)
    served.source.variables()
    history, _ = served.source.history("P101/Health/Score", Span(0, 10**12), 10, 0)
    assert str(history.values.tolist()) == "[nan]"
    assert history.status.tolist() == [BAD]
    texts, _ = served.source.history("P101/Health/Reason", Span(0, 10**12), 10, 0)
    assert texts.values.tolist() == [""]


@pytest.mark.parametrize("identifier", ["TagSight/Heartbeat", "nonsense", "P999/Health/Score"])
def test_what_has_no_history_has_an_empty_one(served: Served, identifier: str) -> None:
    history, more = served.source.history(identifier, Span(0, 10**12), 10, 0)
    assert (len(history), more) == (0, False)


def test_a_dead_service_makes_everything_uncertain_and_a_living_one_good_again(served: Served) -> None:
    served.store(60)
    _, position = served.look(0)
    served.clock.advance(15.1)
    samples, position = served.look(position)
    assert samples["P101/Health/Score"].status == UNCERTAIN_LAST_USABLE
    assert samples["P101/Health/Score"].value == 0.3
    assert samples["P101/Health/Reason"].value == "TagSight stopped"
    assert samples["P101/Health/Limit"].status == BAD_WAITING_FOR_INITIAL_DATA
    assert samples["TagSight/Heartbeat"].status == UNCERTAIN_LAST_USABLE
    assert served.look(position)[0] == {}
    served.beat()
    samples, _ = served.look(position)
    assert samples["P101/Health/Score"].status == GOOD
    assert samples["P101/Health/Reason"].value == ""


def test_bad_stays_bad_when_the_service_dies(served: Served) -> None:
    served.store(60, None, BAD)
    _, position = served.look(0)
    served.clock.advance(15.1)
    assert served.look(position)[0]["P101/Health/Score"].status == BAD


def test_an_orderly_stop_is_bad_at_once(served: Served) -> None:
    served.store(60)
    _, position = served.look(0)
    served.heartbeat.write(PluginStatus(0, served.clock.now_ns()))
    samples, _ = served.look(position)
    assert samples["P101/Health/Score"].status == BAD_OUT_OF_SERVICE
    assert samples["TagSight/Heartbeat"].value == 0


def test_a_tag_server_without_a_service_shows_nothing_good(served: Served) -> None:
    served.store(60)
    served.heartbeat.path.unlink()
    samples, _ = served.look(0)
    assert all(sample.status != GOOD for sample in samples.values())


def test_the_heartbeat_is_shown_each_time_it_moves(served: Served) -> None:
    _, position = served.look(0)
    served.beat()
    samples, position = served.look(position)
    assert samples["TagSight/Heartbeat"].value == 2
    assert served.look(position)[0] == {}


def test_a_write_goes_to_the_inbox_and_comes_back_from_the_ledger(served: Served) -> None:
    _, position = served.look(0)
    assert served.source.accept(ClientWrite("P101/Health/Off", 1, "otto", 5))
    assert served.inbox.unread()[0].write.user == "otto"
    served.ledger.act(
        [OperatorAct("id", MODEL, "otto", 5, off=True)],
        lambda act, state: operator_row(act.model, act.time_ns, off=state.off, feedback_count=state.feedback_count),
    )
    assert served.look(position)[0]["P101/Health/Off"].value == 1


def test_a_value_that_does_not_fit_is_not_accepted(served: Served) -> None:
    assert not served.source.accept(ClientWrite("P101/Health/Feedback", 9, "otto", 5))
    assert served.inbox.unread() == ()


def test_the_service_level_follows_the_heartbeat(served: Served) -> None:
    levels = []

    def look() -> None:
        served.look(1)
        levels.append(served.source.service_level())

    look()
    served.clock.advance(STALE_AFTER_S + 1)
    look()
    served.beat()
    look()
    served.heartbeat.write(PluginStatus(0, served.clock.now_ns()))
    served.clock.advance(STALE_AFTER_S + 1)
    look()
    assert levels == [FRESH, LAST_USABLE, FRESH, NO_DATA]
    assert FRESH >= 200 > LAST_USABLE >= 2 > NO_DATA  # the sub-ranges of OPC 10000-4, 6.6.2.4.2


def test_a_service_that_never_began_has_no_data(served: Served) -> None:
    served.heartbeat.path.unlink()
    served.clock.advance(STALE_AFTER_S + 1)
    served.look(0)
    assert served.source.service_level() == NO_DATA

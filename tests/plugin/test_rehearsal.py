"""Replay of a small plant's history: the alarms that come out are those that the service announces."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.recording import Recorder
from tagsight.rehearsal import Rehearsal, due_times, rehearse
from tagsight.rehearsal_report import report_lines
from tagsight.scoring import Scorer
from tagsight.scoring_task import StorePlace
from tagsight.tick import Participant, Ticker
from tagsight.training import gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Worker
from tagsight_connectors.history import History, Span
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import BAD
from tagsight_connectors.reading import read_history
from tests.end_to_end.plant import MINUTE, TRAINED, keys, link, model_plan, tag_history, tags, values

pytestmark = pytest.mark.slow  # a model is trained once, and scored by a worker process

UTC = ZoneInfo("UTC")
STEPS = 3 * 1440 + 600
FAULT = 3 * 1440 + 300
END = TRAINED + 600 * MINUTE
FAULT_NS = TRAINED + 300 * MINUTE


@dataclass
class Trained:
    """A trained model of the plant, and its historian."""

    participant: Participant
    place: StorePlace
    link: Link
    store: MemoryStore

    async def read(self, addresses: list[str], span: Span) -> History:
        return await self.link.use(lambda historian: read_history(historian, addresses, span))

    async def rehearse(self, span: Span, **changes: object) -> Rehearsal:
        participant = replace(self.participant, plan=replace(self.participant.plan, **changes))
        return await rehearse(participant, span, self.read, Scorer(self.place), UTC)


def _store() -> MemoryStore:
    store = MemoryStore("plant")
    for tag, series in zip(tags(), values(STEPS, fault_from=FAULT).values(), strict=True):
        store.add(tag)
        history = tag_history(series)
        status = history.status.copy()
        if tag.name == "Current":
            status[3 * 1440 + 100 : 3 * 1440 + 110] = BAD
        store.append(tag.address, history.times, history.values, status)
    return store


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsed")


@pytest.fixture
async def trained(model_folder: Path, tmp_path: Path) -> AsyncIterator[Trained]:
    store = _store()
    the_link = link(MemoryHistorian(store), SetClock(END))
    place = StorePlace(*keys(model_folder))
    plan = model_plan()
    binding, task = await gather(plan, the_link, place, "0" * 64)
    scorer = Scorer(place)
    if not scorer.facts([plan.key]):
        compute(task, lambda _share, _words: None)
    (facts,) = scorer.facts([plan.key])
    yield Trained(Participant.of(plan, binding, facts), place, the_link, store)
    await the_link.close()


async def test_a_fault_in_the_history_comes_out_with_its_time_its_cause_and_its_sentence(trained: Trained) -> None:
    found = await trained.rehearse(Span(TRAINED, END))
    after = [alarm for alarm in found.alarms if alarm.activation.announced_ns >= FAULT_NS]
    assert len(after) == 1
    assert after[0].causes[0][0] == "Pressure"
    assert "Pressure low" in after[0].message
    assert after[0].activation.announced_ns - after[0].activation.since_ns >= 5 * MINUTE


async def test_the_rehearsal_scores_what_the_service_scores_and_announces_what_it_announces(
    trained: Trained, tmp_path: Path
) -> None:
    found = await trained.rehearse(Span(TRAINED + MINUTE, END + 1))
    clock = SetClock(TRAINED)
    one = trained.participant
    live = replace(one, plan=replace(one.plan, score=replace(one.plan.score, late_ns=0)))
    worker = Worker("scoring", scoring_tasks, clock)
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        ledger.record(TickRecord(watermarks={one.plan.key: TRAINED}))
        ticker = Ticker(
            link(trained.link.historian, clock), worker, trained.place, ledger, Recorder(ledger, UTC), {}, _raise
        )
        for minutes in (*[7, 9, 1, 8, 10] * 17, 5):
            clock.advance(minutes * 60.0)
            await ticker.tick([live])
        times, scores = ledger.scores(one.plan.key, TRAINED + 1, END + 1)
        announced = ledger.activations(TRAINED, END + 1)
    await worker.close()
    assert times.tolist() == found.times.tolist()
    assert np.allclose(scores, found.scores, rtol=1e-9, atol=0.0, equal_nan=True)
    ours = [alarm.activation for alarm in found.alarms]
    assert [(a.since_ns, a.announced_ns, a.cleared_ns) for a in ours] == [
        (a.since_ns, a.announced_ns, a.cleared_ns) for a in announced
    ]


async def test_what_could_not_be_scored_is_counted_with_its_reason(trained: Trained) -> None:
    found = await trained.rehearse(Span(TRAINED + 90 * MINUTE, TRAINED + 200 * MINUTE), substitute=0.0)
    missing = int(np.isnan(found.scores).sum())
    assert 0 < missing < found.times.size
    assert sum(found.reasons.values()) == missing
    assert found.scored_ns == (found.times.size - missing) * MINUTE
    assert all(reason and ":" not in reason for reason in found.reasons)
    assert any(line.startswith(f"Not scored: {missing} of 110") for line in report_lines(found, UTC))


async def test_a_period_without_history_says_that_nothing_was_scored(trained: Trained) -> None:
    found = await trained.rehearse(Span(END + 86_400 * SECOND, END + 2 * 86_400 * SECOND))
    words = "\n".join(report_lines(found, UTC))
    assert found.alarms == ()
    assert found.times.size == 1440
    assert np.isnan(found.scores).all()
    assert "Alarms per 30 days: unknown, nothing was scored; budget 2 per month" in words
    assert "1440 of 1440 (100.0 %)" in words


async def test_an_empty_period_is_a_rehearsal_of_nothing(trained: Trained) -> None:
    found = await trained.rehearse(Span(TRAINED + 1, TRAINED + 2))
    assert "Not scored: 0 of 0 (0.0 %)" in report_lines(found, UTC)


async def test_the_report_compares_with_the_budget_and_says_what_weakens_it(trained: Trained) -> None:
    plan = trained.participant.plan
    found = await trained.rehearse(Span(TRAINED - 60 * MINUTE, END), alarm=replace(plan.alarm, latch=True))
    words = "\n".join(report_lines(found, UTC))
    assert f"{len(found.alarms)} alarm" in words
    assert "above the budget of 2 per month" in words
    assert "The model was trained on" in words
    assert "Latched alarms were taken as acknowledged at once." in words
    assert "Pressure" in words


async def test_progress_ends_with_every_due_time_done(trained: Trained) -> None:
    told: list[tuple[int, int]] = []
    await rehearse(
        trained.participant,
        Span(TRAINED, END),
        trained.read,
        Scorer(trained.place),
        UTC,
        lambda done, of: told.append((done, of)),
    )
    assert told == [(500, 600), (600, 600)]


def test_due_times_are_multiples_of_the_interval_within_the_span() -> None:
    assert list(due_times(Span(5, 30), 10)) == [10, 20]
    assert list(due_times(Span(10, 31), 10)) == [10, 20, 30]


def _raise(what: str, why: str) -> None:
    message = f"{what}: {why}"
    raise AssertionError(message)

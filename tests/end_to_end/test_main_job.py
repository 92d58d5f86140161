"""The walking skeleton: memory historian -> frame -> train -> score -> explain -> ledger."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SetClock
from tagsight.explaining import Explainer
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.recording import Recorder
from tagsight.scoring_task import StorePlace
from tagsight.tick import Participant, Ticker
from tagsight.training import gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Task, Worker
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tests.end_to_end.plant import MINUTE, START, TRAINED, keys, link, model_plan, tag_history, tags, values

STEPS = 3 * 1440 + 180
FAULT = 3 * 1440 + 90


def _store() -> MemoryStore:
    store = MemoryStore("plant")
    for tag, series in zip(tags(), values(STEPS, fault_from=FAULT).values(), strict=True):
        store.add(tag)
        history = tag_history(series)
        store.append(tag.address, history.times, history.values, history.status)
    return store


@pytest.mark.slow
async def test_a_fault_in_the_history_becomes_an_alarm_with_its_cause_in_the_ledger(tmp_path: Path) -> None:
    clock = SetClock(TRAINED)
    the_link = link(MemoryHistorian(_store()), clock)
    place = StorePlace(*keys(tmp_path))
    plan = model_plan()
    binding, task = await gather(plan, the_link, place, "0" * 64)
    outcome = compute(task, lambda _share, _words: None)
    assert (outcome.version, outcome.approved) == (1, True)

    worker = Worker("scoring", scoring_tasks, clock)
    facts = await worker.run(Task("facts", (place, [plan.key]), 120.0))
    with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
        ticker = Ticker(the_link, worker, place, ledger, Recorder(ledger, ZoneInfo("UTC")), {}, _raise)
        explainer = Explainer(worker, place, ledger, {}, {plan.key: plan})
        for minute in range(1, 181):
            clock.advance(60.0)
            done = await ticker.tick([Participant.of(plan, binding, facts[0])])
            explainer.add(done.explainable)
            while await explainer.step():
                pass
            assert done.scored == 1, minute
        runs = ledger.runs(plan.key, START, TRAINED + 200 * MINUTE)
        alarms = ledger.activations(START, TRAINED + 200 * MINUTE)
        message = {value.output: value.value for value in ledger.newest_row(plan.key, "explanation").row.values}
    await worker.close()
    before = [run for run in runs if run.due_ns <= START + FAULT * MINUTE]
    assert len(runs) == 180
    assert sum(run.score > 1.0 for run in before) < len(before) / 10
    assert len([alarm for alarm in alarms if alarm.announced_ns > START + FAULT * MINUTE]) == 1
    assert message["Top1_Tag"] == "Pressure"
    assert "Pressure low" in str(message["Message"])
    for run in runs:
        assert run.explanation is not None
        assert run.explanation.failure == ""
        total = run.explanation.base + sum(run.explanation.contributions.values())
        assert abs(total - run.score) <= 1e-4 * max(1.0, abs(run.score))


def _raise(what: str, why: str) -> None:
    message = f"{what}: {why}"
    raise AssertionError(message)

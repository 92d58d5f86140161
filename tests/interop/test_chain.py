"""The main job with a historian that somebody else wrote: node-opcua serves, TagSight trains, scores and explains."""

from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SetClock
from tagsight.connections import Link
from tagsight.explaining import Explainer
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.plan import TrainPlan
from tagsight.recording import Recorder
from tagsight.scoring_task import StorePlace
from tagsight.tick import Participant, Ticker
from tagsight.training import gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Task, Worker
from tagsight_connectors.opcua.client import open_opcua
from tests.end_to_end.plant import MINUTE, START, TAGS, UNITS, keys, model_plan, values
from tests.interop.conftest import NodeTag, StartNode

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.timeout(400)]

TRAINED_STEPS = 2_000
FAULT = TRAINED_STEPS + 30
STEPS = TRAINED_STEPS + 60
MS = 1_000_000


async def test_a_fault_in_the_history_of_node_opcua_becomes_an_alarm_with_its_cause(
    start_node_historian: StartNode, tmp_path: Path
) -> None:
    series = values(STEPS, fault_from=FAULT)
    foreign = start_node_historian(
        [
            NodeTag(
                f"Plant/P101/{name}",
                series[name].tolist(),
                start_ms=(START + MINUTE) // MS,
                step_ms=60_000,
                extra={"low": 0, "high": 100, "unit": unit},
            )
            for name, unit in zip(TAGS, UNITS, strict=True)
        ]
    )
    trained = START + TRAINED_STEPS * MINUTE
    clock = SetClock(trained)
    link = Link("default", open_opcua(foreign.connection), clock, follow_server_time=False)
    place = StorePlace(*keys(tmp_path))
    train = TrainPlan(start_ns=START, end_ns=trained, at_most_seconds=30.0)
    plan = replace(model_plan(inputs=("Plant/P101/*",)), train=train)
    worker = Worker("scoring", scoring_tasks, clock)
    try:
        binding, task = await gather(plan, link, place, "0" * 64)
        assert sorted(role.name for role in binding.roles) == sorted(TAGS)
        compute(task, lambda _share, _words: None)
        facts = await worker.run(Task("facts", (place, [plan.key]), 120.0))
        with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
            recorder = Recorder(ledger, ZoneInfo("UTC"))
            ticker = Ticker(link, worker, place, ledger, recorder, {}, lambda what, why: pytest.fail(f"{what}: {why}"))
            explainer = Explainer(worker, place, ledger, {}, {plan.key: plan})
            for _ in range(60):
                clock.advance(60.0)
                explainer.add((await ticker.tick([Participant.of(plan, binding, facts[0])])).explainable)
            while await explainer.step():
                pass
            runs = ledger.runs(plan.key, trained, trained + 61 * MINUTE)
            alarms = ledger.activations(START + FAULT * MINUTE, trained + 61 * MINUTE)
    finally:
        await worker.close()
        await link.close()
    assert len(runs) == 60
    assert len(alarms) == 1
    worst = max(runs, key=lambda run: run.score or 0.0)
    assert worst.explanation is not None
    assert max(worst.explanation.contributions, key=worst.explanation.contributions.__getitem__) == "Pressure"

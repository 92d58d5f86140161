"""The main job with historians that somebody else wrote.

Each serves the tags of a pump and takes new values every minute; TagSight trains on its history, scores and explains
what comes, and writes the results to tags of the same historian, imported there from the list of `tagsight tags`.

Security: Basic256Sha256 with SignAndEncrypt and nothing less, and a user name; with node-opcua and with the legacy
`opcua` package alike.
"""

import asyncio
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight.clocks import SetClock
from tagsight.connections import Link
from tagsight.delivery import Way, deliver_once
from tagsight.explaining import Explainer
from tagsight.fence import allowed_addresses, checked_targets, list_digest
from tagsight.fitting import compute
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, Counters, Quarantined, historian_destination
from tagsight.plan import Destination, Plan, ResultsPlan, TrainPlan
from tagsight.recording import Recorder
from tagsight.results import OutputValue, Run
from tagsight.scoring_task import StorePlace
from tagsight.tag_list import tag_lines
from tagsight.tick import Participant, Ticker
from tagsight.training import gather
from tagsight.worker_tasks import scoring_tasks
from tagsight.workers import Task, Worker
from tagsight_connectors.history import History, Sample, Span, TagHistory
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.reading import read_history
from tagsight_models.frame import Role
from tests.end_to_end.plant import MINUTE, START, TAGS, UNITS, keys, model_plan, plan, values
from tests.interop.foreign import (
    LEGACY_URI,
    NODE_URI,
    USER,
    ForeignHistorian,
    ForeignTag,
    legacy_historian,
    node_historian,
)

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.timeout(400)]

MS: Final = 1_000_000
TRAINED_STEPS: Final = 2_000
FAULT: Final = TRAINED_STEPS + 30
STEPS: Final = TRAINED_STEPS + 60
TRAINED: Final = START + TRAINED_STEPS * MINUTE
END: Final = START + STEPS * MINUTE

SERIES: Final = values(STEPS + 20, fault_from=FAULT)  # the temperature falls at the end of the series: not reached
TRAIN: Final = TrainPlan(start_ns=START, end_ns=TRAINED, at_most_seconds=30.0)
MODEL: Final = replace(model_plan(inputs=("Plant/P101/*",)), train=TRAIN)
ROLES: Final = [Role(name, unit) for name, unit in zip(TAGS, UNITS, strict=True)]
OUTPUTS: Final = f"TagSight/{MODEL.key}"


@dataclass(frozen=True)
class Chain:
    """What one run of the whole chain left in the ledger, and what was then found in the historian."""

    security: str
    runs: Sequence[Run]
    alarms: Sequence[Activation]
    counters: Counters
    quarantined: Sequence[Quarantined]
    newest: Mapping[str, OutputValue]
    read_back: History
    current: Mapping[str, Sample]


@pytest.fixture(scope="module", params=["node-opcua", "legacy-opcua"])
def chain(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chain]:
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "legacy-opcua":
        with legacy_historian(folder, tags_of(results_in(LEGACY_URI))) as foreign:
            yield asyncio.run(the_chain(foreign, folder))
    else:
        modules = request.getfixturevalue("node_modules")
        with node_historian(modules, folder, tags_of(results_in(NODE_URI))) as foreign:
            yield asyncio.run(the_chain(foreign, folder))


def results_in(namespace: str) -> Plan:
    root = f"nsu={namespace};s=TagSight/"
    results = ResultsPlan(Destination.WRITE, f"{root}{{asset}}/{{model}}/{{output}}", root)
    return plan(MODEL, url="opc.tcp://127.0.0.1", results=results)


def tags_of(the_plan: Plan) -> list[ForeignTag]:
    """The pump's tags with the history to train on, and the tags of the results, which an engineer imported."""
    measured = [
        ForeignTag(
            f"Plant/P101/{name}",
            SERIES[name][:TRAINED_STEPS].tolist(),
            start_ms=(START + MINUTE) // MS,
            step_ms=60_000,
            extra={"low": 0, "high": 100, "unit": unit},
        )
        for name, unit in zip(TAGS, UNITS, strict=True)
    ]
    imported = [
        ForeignTag(address.partition(";s=")[2], type=kind, writable=True) for address, kind in listed(the_plan).items()
    ]
    return [*measured, *imported]


def listed(the_plan: Plan) -> dict[str, str]:
    """Address -> type, by the list of `tagsight tags`."""
    return {line[1]: line[2] for line in tag_lines(the_plan, {MODEL.key: ROLES})}


async def the_chain(foreign: ForeignHistorian, folder: Path) -> Chain:
    """Train, then 60 minutes of: new values, score, explain, deliver; then read the results back."""
    the_plan, clock = results_in(foreign.namespace), SetClock(TRAINED)
    accepted = frozenset(listed(the_plan))
    link = Link("default", open_opcua(replace(foreign.connection, accepted=accepted)), clock, follow_server_time=False)
    place = StorePlace(*keys(folder))
    worker = Worker("scoring", scoring_tasks, clock)
    try:
        binding, task = await gather(MODEL, link, place, "0" * 64)
        assert sorted(role.name for role in binding.roles) == sorted(TAGS)
        compute(task, lambda _share, _words: None)
        facts = await worker.run(Task("facts", (place, [MODEL.key]), 120.0))
        with Ledger.open(folder / "ledger.sqlite", clock) as ledger:
            owed = {MODEL.key: historian_destination("default")}
            recorder = Recorder(ledger, ZoneInfo("UTC"))
            ticker = Ticker(
                link, worker, place, ledger, recorder, owed, lambda what, why: pytest.fail(f"{what}: {why}")
            )
            explainer = Explainer(worker, place, ledger, owed, {MODEL.key: MODEL})
            way = accepted_way(the_plan, {MODEL.key: binding.roles}, binding.all_addresses, ledger)
            assert way.accepted == accepted
            for step in range(TRAINED_STEPS, STEPS):
                clock.advance(60.0)
                foreign.live({f"Plant/P101/{name}": SERIES[name][step] for name in TAGS}, clock.now_ns() // MS)
                explainer.add((await ticker.tick([Participant.of(MODEL, binding, facts[0])])).explainable)
                while await explainer.step():
                    pass
                while (await link.use(lambda historian: deliver_once(ledger, historian, way))).more:
                    pass
            return await found(foreign, link, ledger)
    finally:
        await worker.close()
        await link.close()


def accepted_way(the_plan: Plan, roles: Mapping[str, Sequence[Role]], reads: Sequence[str], ledger: Ledger) -> Way:
    """The way to the tags of the results, once an engineer has accepted the list of them."""
    targets = checked_targets(the_plan, "default", roles, reads)
    ledger.accept_targets(
        "default", list_digest("default", targets), [target.address for target in targets], who="engineer"
    )
    allowed = allowed_addresses("default", targets, ledger.accepted_targets("default"))
    return Way("default", the_plan.results["default"].address, allowed)


async def found(foreign: ForeignHistorian, link: Link, ledger: Ledger) -> Chain:
    alarms = ledger.activations(TRAINED, END + 1)
    rows = [ledger.newest_row(MODEL.key, part) for part in ("score", "explanation")]
    newest = {value.output: value for stored in rows if stored for value in stored.row.values}
    foreign.kept.wait({f"{OUTPUTS}/Score": END // MS})
    foreign.kept.wait({f"{OUTPUTS}/Alarm": alarm.announced_ns // MS for alarm in alarms})
    over_time = [foreign.address(f"{OUTPUTS}/{output}") for output in ("Score", "Alarm")]
    now = [foreign.address(f"{OUTPUTS}/{output}") for output in newest]
    read_back = await link.use(lambda historian: read_history(historian, over_time, Span(TRAINED, END + 1)))
    current = await link.use(lambda historian: historian.read_current(now))
    return Chain(
        security=link.description.security if link.description else "",
        runs=ledger.runs(MODEL.key, TRAINED, END + 1),
        alarms=alarms,
        counters=ledger.counters(),
        quarantined=ledger.quarantined(),
        newest=newest,
        read_back=History(
            read_back.span,
            dict(zip(("Score", "Alarm"), (read_back.tags[address] for address in over_time), strict=True)),
        ),
        current=dict(zip(newest, current, strict=True)),
    )


def test_the_messages_are_encrypted_and_the_user_is_known(chain: Chain) -> None:
    assert chain.security == f"Basic256Sha256 SignAndEncrypt, user {USER}"


def test_every_minute_that_comes_live_is_scored(chain: Chain) -> None:
    assert [run.due_ns for run in chain.runs] == list(range(TRAINED + MINUTE, END + 1, MINUTE))
    assert all(run.score is not None and run.quality == 0 for run in chain.runs)


def test_a_fault_becomes_one_alarm_within_ten_minutes(chain: Chain) -> None:
    began = START + FAULT * MINUTE
    assert [began < alarm.announced_ns <= began + 10 * MINUTE for alarm in chain.alarms] == [True]


def test_the_worst_score_is_explained_by_the_tag_that_is_wrong(chain: Chain) -> None:
    worst = max(chain.runs, key=lambda run: run.score or 0.0)
    assert worst.explanation is not None
    assert worst.explanation.failure == ""
    assert max(worst.explanation.contributions, key=worst.explanation.contributions.__getitem__) == "Pressure"


def test_the_historian_takes_every_result(chain: Chain) -> None:
    assert chain.quarantined == ()
    assert (chain.counters.buffered, chain.counters.missed, chain.counters.not_recovered) == (0, 0, 0)


def test_the_history_of_the_score_held_until_it_changes_is_that_of_the_ledger(chain: Chain) -> None:
    """The legacy server keeps no value that equals the one before."""
    score = chain.read_back.tags["Score"]
    due = [run.due_ns for run in chain.runs]
    assert set(score.times.tolist()) <= set(due)
    assert held(score, due) == [run.score for run in chain.runs]
    assert not score.status.any()


def test_the_history_of_the_alarm_turns_to_1_when_the_alarm_is_announced(chain: Chain) -> None:
    alarm = chain.read_back.tags["Alarm"]
    due = [run.due_ns for run in chain.runs]
    assert held(alarm, due) == [time >= chain.alarms[0].announced_ns for time in due]
    assert alarm.times[alarm.values == 1.0][0] == chain.alarms[0].announced_ns


def held(history: TagHistory, times: Sequence[int]) -> list[float]:
    """The newest value at each time."""
    values: list[float] = history.values[np.searchsorted(history.times, times, side="right") - 1].tolist()
    return values


def test_an_operator_sees_the_newest_results_with_their_source_time(chain: Chain) -> None:
    assert chain.newest["Top1_Tag"].value == "Pressure"
    seen = {output: (known(sample.value), sample.status, sample.time_ns) for output, sample in chain.current.items()}
    assert seen == {output: (value.value, value.status, END) for output, value in chain.newest.items()}


def known(value: float | str | None) -> float | str | None:
    """None for NaN: a rank without a tag has no value."""
    return None if isinstance(value, float) and math.isnan(value) else value

"""A service in a process of its own that a test can kill: real historian, ledger and outbox; the model is arithmetic.

`python -m tests.end_to_end.killed_service FOLDER URL` runs it until it is stopped, as `tagsight run` does.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tagsight.binding import Binding
from tagsight.clocks import SECOND, SystemClock
from tagsight.data_folder import DataFolder
from tagsight.fence import Target, checked_targets
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.opening import open_links
from tagsight.plan import Destination, Detail, HistorianPlan, ModelPlan, Plan, ResultsPlan, ScorePlan
from tagsight.platform import InstanceLock, install_stop_signals
from tagsight.scoring import _scored
from tagsight.scoring_task import ModelFacts
from tagsight.secrets import Secrets
from tagsight.service import Service
from tagsight.workers import Task, Workers
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE
from tagsight_models.card import ModelCard
from tagsight_models.frame import Role
from tagsight_models.model_store import Loaded
from tests.plugin.small_site import ROLES, Arithmetic, OwnProcess, card, plan_of

PASSWORD = "secret"
PREFIX = f"nsu={PLANT_NAMESPACE};s="
PATTERN = f"{PREFIX}Results/{{asset}}/{{model}}/{{output}}"
ASSETS = ("P101", "P102", "P103")


def models() -> tuple[ModelPlan, ...]:
    """Scored every second."""
    score = ScorePlan(every_ns=SECOND, grid_ns=SECOND, window_steps=10, wait_ns=0)
    return tuple(replace(plan_of(asset, outputs=Detail.BASIC, score=score), historian="scada") for asset in ASSETS)


def plan_at(url: str) -> Plan:
    """Results go back to where the values come from."""
    return Plan(
        ZoneInfo("UTC"),
        {"scada": HistorianPlan("scada", url, user="tagsight")},
        {"scada": ResultsPlan(Destination.WRITE, PATTERN, f"{PREFIX}Results")},
        models(),
        digest="0" * 64,
    )


def binding_of(model: ModelPlan) -> Binding:
    """The tags `<asset>/<role>`."""
    addresses = {role: f"{PREFIX}{model.asset}/{role}" for role in ROLES}
    return Binding(tuple(Role(role, unit="bar") for role in ROLES), addresses, {}, {})


def targets_at(url: str) -> tuple[Target, ...]:
    """Every tag that results are written to."""
    bindings = {model.key: binding_of(model) for model in models()}
    reads = [address for one in bindings.values() for address in one.all_addresses]
    return checked_targets(plan_at(url), "scada", {key: one.roles for key, one in bindings.items()}, reads)


def _card() -> ModelCard:
    return replace(card(), grid_ns=SECOND)


@dataclass
class EverySecond(OwnProcess):
    """The model of the small site, on a grid of one second."""

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        """The task's result."""
        if task.name == "facts":
            return [ModelFacts(name, 1, _card()) for name in task.argument[1]]
        if task.name == "score":
            return [_scored(one, Loaded(Arithmetic(), _card(), 1)) for one in task.argument[1]]  # type: ignore[arg-type]
        return await super().run(task)


async def main(folder: Path, url: str) -> None:
    """Score, explain and deliver until stopped."""
    data, clock, stop = DataFolder(folder), SystemClock(), asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    plan, process = plan_at(url), EverySecond()
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(data.ledger, clock))
        inbox = stack.enter_context(Inbox.open(data.inbox))
        secrets = Secrets(data, {"TAGSIGHT_PASSWORD_SCADA": PASSWORD})
        service = Service(
            plan,
            data,
            open_links(plan, data, secrets, clock, ledger),
            ledger,
            inbox,
            Workers(process, process, process),  # type: ignore[arg-type]
            clock,
            lambda what, why: print(f"trouble {what}: {why}", flush=True),  # noqa: T201 - for who looks into a failure
            lambda what, why: print(f"{what} {why}", flush=True),  # noqa: T201 - the same
        )
        await service.run(stop)


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if not InstanceLock(DataFolder(place).lock).acquire("0" * 64):
        sys.exit(3)
    asyncio.run(main(place, sys.argv[2]))

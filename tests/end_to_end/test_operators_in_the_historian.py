"""An operator at the tags of an OPC UA historian that somebody else wrote, and the running service that answers."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from asyncua import Server, ua

from tagsight.clocks import SystemClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.fence import checked_targets, list_digest
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.output_tags import OutputTag
from tagsight.plan import Destination, Detail, HistorianPlan, Plan, ResultsPlan
from tagsight.service import Service
from tagsight.workers import Task, Workers
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.tag import DataType
from tests.connectors.opcua.plant_server import free_port, plain, plant_server
from tests.plugin.small_site import plan_of

MODEL = "P101/Health"
INDEX = 2
PATTERN = f"ns={INDEX};s=TagSight.{{asset}}.{{model}}.{{output}}"


class NoModels:
    """Stands for a worker whose store is empty: nothing is scored here."""

    async def run(self, task: Task) -> list[Any]:
        """No facts."""
        assert task.name == "facts"
        return []

    async def close(self) -> None:
        """Nothing to end."""


@dataclass
class Screen:
    """What an operator has in front of him; by an HMI that gives no source times."""

    server: Server

    def _node(self, output: str) -> Any:
        return self.server.get_node(f"ns={INDEX};s=TagSight.P101.Health.{output}")

    async def write(self, output: str, value: int) -> None:
        """Type a number."""
        value_of_client = ua.DataValue(ua.Variant(value, ua.VariantType.Int32))
        await self.server.iserver.isession.write(_write(self._node(output).nodeid, value_of_client))

    async def shows(self, output: str, value: int) -> bool:
        """Whether the number is there."""
        return bool(await self._node(output).read_value() == value)


def _write(node: ua.NodeId, value: ua.DataValue) -> ua.WriteParameters:
    one = ua.WriteValue(NodeId=node, AttributeId=ua.AttributeIds.Value, Value=value)
    return ua.WriteParameters(NodesToWrite=[one])


async def _until(condition: Callable[[], Awaitable[bool]], service: "asyncio.Task[None]", troubles: list[str]) -> None:
    deadline = time.monotonic() + 60.0
    while not await condition():
        assert time.monotonic() < deadline, f"what the test waits for did not come: {troubles}"
        if service.done():
            await service
        await asyncio.sleep(0.05)


async def _import(server: Server, address: str, tag: OutputTag) -> None:
    """As an engineer does from the list of `tagsight tags`."""
    kinds = {DataType.TEXT: ua.Variant("", ua.VariantType.String), DataType.NUMBER: ua.Variant(0.0)}
    initial = ua.Variant(0, ua.VariantType.Int32) if tag.integer else kinds[tag.data_type]
    node = await server.nodes.objects.add_variable(
        ua.NodeId.from_string(address), ua.QualifiedName(tag.output, INDEX), initial
    )
    await node.set_writable()


async def test_feedback_goes_back_to_0_and_off_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagsight.service.LOOK_S", 0.1)  # only so that the test is short
    clock, port = SystemClock(), free_port()
    model = replace(plan_of("P101", outputs=Detail.BASIC), historian="scada")
    results = ResultsPlan(Destination.WRITE, PATTERN, f"ns={INDEX};s=TagSight.")
    the_plan = Plan(
        ZoneInfo("UTC"), {"scada": HistorianPlan("scada", f"opc.tcp://127.0.0.1:{port}")}, {"scada": results}, (model,)
    )
    targets = checked_targets(the_plan, "scada", {}, ())
    accepted = frozenset(target.address for target in targets)
    data, troubles = DataFolder(tmp_path / "data"), list[str]()
    data.create()
    async with plant_server(port, tmp_path, secure=False, values=1, users=False) as server:
        for target in targets:
            await _import(server, target.address, target.tag)
        screen = Screen(server)
        link = Link("scada", open_opcua(replace(plain(port, tmp_path), accepted=accepted)), clock)
        with Ledger.open(data.ledger, clock) as ledger, Inbox.open(data.inbox) as inbox:
            ledger.accept_targets("scada", list_digest("scada", targets), sorted(accepted), "olga")
            worker: Any = NoModels()
            service = Service(
                the_plan,
                data,
                {"scada": link},
                ledger,
                inbox,
                Workers(worker, worker, worker),
                clock,
                lambda what, why: troubles.append(f"{what}: {why}"),
            )
            stop = asyncio.Event()
            running = asyncio.create_task(service.run(stop))
            for count, value in ((1, 2), (2, 1)):
                await screen.write("Feedback", value)
                await _until(partial(screen.shows, "Feedback", 0), running, troubles)
                await _until(partial(screen.shows, "FeedbackCount", count), running, troubles)
            for value in (1, 0, 1):
                await screen.write("Off", value)
                await _until(partial(_is_off, ledger, value), running, troubles)
            stop.set()
            await running
            assert [label.feedback for label in ledger.labels(MODEL)] == [2, 1]
            assert await screen.shows("Off", 1)
    assert troubles == []


async def _is_off(ledger: Ledger, value: int) -> bool:
    return ledger.operator_state(MODEL).off is bool(value)

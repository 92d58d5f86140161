"""The tag server with many models: memory, time until it serves, a burst of changes to one subscriber, every alarm.

    python -m tests.benchmarks.tag_server --models 1000

The ledger is filled first; the server is a process of its own, as the service starts it. The subscriber is asyncua.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

import psutil
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256

from tagsight.clocks import SECOND, SystemClock
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, TickRecord
from tagsight.outputs import Circumstances, explanation_row, operator_row, score_row
from tagsight.results import ExplanationResult, OutputRow, RoleResult, Run
from tagsight.users import Users
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.quality import GOOD
from tagsight_connectors.serving import UserRole

URI = "urn:tagsight:results"
PASSWORD = "password of this benchmark"
PORT = 48_410
BURST = 10_000
DEADLINE_S = 120.0


def rows_of(model: str, due_ns: int, score: float) -> Sequence[OutputRow]:
    """All outputs of one run."""
    roles = tuple(RoleResult(f"role {number}", 1.0, 0.5, 0.4, 0.6) for number in range(10))
    explained = ExplanationResult(0.0, {role.role: score / 10 for role in roles}, {})
    run = Run(model, due_ns, 1, score, GOOD, roles=roles, explanation=explained)
    now = Circumstances(asset=model.split("/", maxsplit=1)[0], alarm=score > 1.0, since_ns=due_ns)
    return score_row(run, now), explanation_row(run, now), operator_row(model, due_ns, off=False, feedback_count=0)


class Subscriber:
    """Counts what it hears."""

    def __init__(self) -> None:
        self.values = 0
        self.events = 0

    def datachange_notification(self, *_: object) -> None:
        self.values += 1

    def event_notification(self, _event: object) -> None:
        self.events += 1

    async def heard(self, name: str, count: int) -> float:
        """Seconds until `count` were heard."""
        begun = time.perf_counter()
        while getattr(self, name) < count and time.perf_counter() - begun < DEADLINE_S:  # noqa: ASYNC110 - counts
            await asyncio.sleep(0.02)
        return time.perf_counter() - begun


async def subscribed(client: Client, models: Sequence[str]) -> Subscriber:
    """To some ten outputs of each model, and to the events of the server."""
    index, ear = await client.get_namespace_index(URI), Subscriber()
    outputs = [
        "Score",
        "Alarm",
        "State",
        "Reason",
        "Message",
        "LastRun",
        "Top1_Tag",
        "Top1_Share",
        "Top1_Actual",
        "Off",
    ]
    nodes = [client.get_node(ua.NodeId(f"{model}/{output}", index)) for model in models for output in outputs]
    subscription = await client.create_subscription(200, ear)
    for first in range(0, min(len(nodes), BURST), 1_000):
        await subscription.subscribe_data_change(nodes[first : first + 1_000])
    await subscription.subscribe_alarms_and_conditions()
    await ear.heard("values", min(len(nodes), BURST))
    return ear


def processor_s(process: psutil.Process) -> float:
    """Of a process up to now: what a busy machine does not stretch."""
    times = process.cpu_times()
    return float(times.user + times.system)


async def server_of(folder: Path) -> Any:
    """The process, once it serves."""
    command = [sys.executable, "-m", "tagsight.tag_server", str(folder), "127.0.0.1", str(PORT)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    while b"serving" not in await process.stdout.readline():
        pass
    return process


async def client_of(data: DataFolder, stack: AsyncExitStack) -> Client:
    own = ensure_certificate(data.root / "client", "client", "urn:benchmark", ["localhost"])
    TrustList(data.certificates).add(own.certificate)
    client = Client(f"opc.tcp://127.0.0.1:{PORT}/tagsight/", timeout=DEADLINE_S, watchdog_intervall=60)
    client.application_uri = "urn:benchmark"
    client.set_user("olga")
    client.set_password(PASSWORD)
    server = data.certificates / "own" / "server.der"
    await client.set_security(
        SecurityPolicyBasic256Sha256, str(own.certificate), str(own.key), server_certificate=str(server)
    )
    await stack.enter_async_context(client)
    return client


async def main(count: int) -> None:
    clock, models = SystemClock(), [f"P{number}/Health" for number in range(count)]
    data = DataFolder(Path(tempfile.mkdtemp(prefix="tag-server-")))
    data.create()
    heartbeat = HeartbeatFile(data.heartbeat)
    heartbeat.write(PluginStatus(1, clock.now_ns()))
    Users(data.users, clock).add("olga", PASSWORD, UserRole.OPERATOR)
    ensure_certificate(data.certificates / "own", "server", "urn:tagsight:server", ["127.0.0.1", "localhost"])
    minute = clock.now_ns() // (60 * SECOND) * 60 * SECOND
    async with AsyncExitStack() as stack:
        ledger = stack.enter_context(Ledger.open(data.ledger, clock))
        for model in models:
            ledger.bind(BoundModel(model, None))
        ledger.record(TickRecord(rows=[row for model in models for row in rows_of(model, minute, 0.3)]))
        begun = time.perf_counter()
        process = await server_of(data.root)
        memory = psutil.Process(process.pid)
        print(f"serving after {time.perf_counter() - begun:.1f} s, {processor_s(memory):.1f} s of a processor")
        print(f"memory with {count} models: {memory.memory_info().rss / 1e6:.0f} MB")
        client = await client_of(data, stack)
        ear = await subscribed(client, models)
        print(f"memory with a subscriber to {ear.values} values: {memory.memory_info().rss / 1e6:.0f} MB")
        used, before, again = processor_s(memory), ear.values, minute + 60 * SECOND
        rows = [row for model in models for row in rows_of(model, again, 1.3)]
        ledger.record(TickRecord(rows=rows, activations=[Activation(model, again, again) for model in models]))
        heartbeat.write(PluginStatus(2, clock.now_ns()))
        print(f"all changes of a minute after {await ear.heard('values', before + count * 8):.2f} s")
        print(f"all {count} alarms after another {await ear.heard('events', count):.2f} s")
        print(f"processor of the server for both: {processor_s(memory) - used:.2f} s")
        print(f"heard {ear.values - before} values and {ear.events} events")
        print(f"memory afterwards: {memory.memory_info().rss / 1e6:.0f} MB")
        process.terminate()
        with suppress(ProcessLookupError):
            await process.wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=1_000)
    asyncio.run(main(parser.parse_args().models))

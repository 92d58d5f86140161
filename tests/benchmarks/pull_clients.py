"""One server, several clients: how fast a history is pulled, as ratios in one run.

    python -m tests.benchmarks.pull_clients

The server is the embedded historian in a process of its own (the fastest one at hand), the same for all. The clients
are ours, asyncua's `read_raw_history`, and node-opcua's where it is installed (TAGSIGHT_INTEROP_CACHE, see
tests/interop). They take turns, each for about as long as the others; a speed is the median of its turns, the best one
beside it, and a ratio is the median of those of neighbouring turns, so that what else the machine does meets all of
them alike. Without two free cores the figures say little. While ours pulls, another task of its event loop measures by
how much it is ever late.
"""

import asyncio
import datetime as dt
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from shutil import which

import numpy as np
from asyncua import ua
from platformdirs import user_cache_path

from tagsight.clocks import SystemClock
from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.interop.foreign_client import ForeignClient, node_client

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
CASES = (("1 tag x 500,000", 1, 500_000), ("50 tags x 20,000", 50, 20_000))
USER, PASSWORD = "tagsight", "password-of-this-benchmark"
FEW = 100_000
TURNS = 5
TURN_S = 0.5
OURS, PLAIN = "ours, encrypted", "ours, not encrypted"
ASYNCUAS, NODES = "asyncua's, encrypted", "node-opcua's, encrypted"
Turn = Callable[[int, int], Awaitable[float]]
"""Tags and values of a case; values per second."""


def names(tags: int, values: int) -> list[str]:
    """Identifiers of one case."""
    return [f"Plant/N{values}/T{number}" for number in range(tags)]


def serve(pipe: Pipe, folder: Path) -> None:
    """The server's process."""
    asyncio.run(_serve(pipe, folder))


async def _serve(pipe: Pipe, folder: Path) -> None:
    history: dict[str, TagHistory] = {}
    for _name, tags, values in CASES:
        times = START_NS + SECOND * np.arange(values, dtype=np.int64)
        for name in names(tags, values):
            numbers = np.random.default_rng(len(history)).normal(50.0, 1.0, values)
            history[name] = TagHistory(times, numbers, np.zeros(values, dtype=np.uint32))
    variables = [ServedVariable(identifier=one, path=one, unit="bar") for one in history]
    settings = ServerSettings(
        host="127.0.0.1",
        port=0,
        certificates=folder,
        application_uri="urn:tagsight:benchmark:plant",
        namespace_uri=PLANT_NAMESPACE,
        security_none=True,
        anonymous=True,
    )
    async with EmbeddedHistorian(MemorySource(variables, history), settings, _role, SystemClock()) as server:
        pipe.send((server.url, server.certificate.certificate))
        await asyncio.Event().wait()


def _role(user: str, password: str) -> UserRole | None:
    return UserRole.OPERATOR if (user, password) == (USER, PASSWORD) else None


def span(values: int) -> Span:
    """All values of one case."""
    return Span(START_NS, START_NS + values * SECOND)


@dataclass
class Lateness:
    """The longest that the event loop was late while ours pulled, s."""

    worst: float = 0.0
    pause: float = field(default=0.005, repr=False)

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            before = time.perf_counter()
            await asyncio.sleep(self.pause)
            self.worst = max(self.worst, time.perf_counter() - before - self.pause)


@asynccontextmanager
async def connected(connection: Connection) -> AsyncIterator[OpcUaHistorian]:
    """Our client."""
    historian = open_opcua(connection)
    await historian.connect()
    yield historian
    await historian.close()


def ours(historian: OpcUaHistorian, lateness: Lateness) -> Turn:
    """Pulls again and again for a turn's time."""

    async def turn(tags: int, values: int) -> float:
        watch = asyncio.create_task(lateness.watch())
        started, pulls = time.perf_counter(), 0
        while (seconds := time.perf_counter() - started) < TURN_S:
            await _pull(historian, tags, values)
            pulls += 1
        watch.cancel()
        with suppress(asyncio.CancelledError):
            await watch
        return pulls * tags * values / seconds

    return turn


async def _pull(historian: OpcUaHistorian, tags: int, values: int) -> None:
    addresses, found = [f"nsu={PLANT_NAMESPACE};s={name}" for name in names(tags, values)], 0
    async for page in historian.read_raw(addresses, span(values)):
        found += len(page.history)
    assert found == tags * values, f"{found} of {tags * values} values"


def asyncuas(historian: OpcUaHistorian) -> Turn:
    """Its `read_raw_history`, tag by tag, over a part of the values that takes about a turn's time."""
    client = historian._client
    assert client is not None

    async def turn(tags: int, values: int) -> float:
        index = await client.get_namespace_index(PLANT_NAMESPACE)
        begin, few = dt.datetime.fromtimestamp(START_NS / SECOND, tz=dt.UTC), min(values, FEW)
        end = begin + dt.timedelta(seconds=few - 1)
        started, found = time.perf_counter(), 0
        for name in names(tags, values)[: max(1, FEW // few)]:
            found += len(await client.get_node(ua.NodeId(name, index)).read_raw_history(begin, end, 0))
        return found / (time.perf_counter() - started)

    return turn


def nodes(client: ForeignClient) -> Turn:
    """node-opcua's client."""

    async def turn(tags: int, values: int) -> float:
        addresses = [f"nsu={PLANT_NAMESPACE};s={one}" for one in names(tags, values)]
        start_ms, end_ms = START_NS // 1_000_000, span(values).end_ns // 1_000_000
        answer = await client.ask("pull", nodes=addresses, start_ms=start_ms, end_ms=end_ms)
        assert answer["count"] == tags * values, f"{answer['count']} of {tags * values} values"
        return float(answer["count"] / answer["seconds"])

    return turn


async def compare(url: str, certificate: Path, folder: Path) -> None:
    """The table."""
    certificates = folder / "client"
    secure = Connection(url, user=USER, password=PASSWORD, certificates=certificates)
    TrustList(certificates).add(certificate)
    TrustList(folder / "plant").add(own_certificate(secure).certificate)
    modules = (
        Path(os.environ.get("TAGSIGHT_INTEROP_CACHE", user_cache_path("tagsight-interop"))) / "node" / "node_modules"
    )
    lateness = Lateness()
    async with AsyncExitStack() as stack:
        encrypted = await stack.enter_async_context(connected(secure))
        bare = await stack.enter_async_context(connected(replace(secure, security=MessageSecurity.NONE)))
        theirs = await stack.enter_async_context(connected(secure))
        clients = {ASYNCUAS: asyncuas(theirs), OURS: ours(encrypted, lateness), PLAIN: ours(bare, lateness)}
        if which("node") and modules.exists():
            foreign = node_client(
                modules, folder, url, certificate, user=USER, password=PASSWORD, certificates=folder / "plant"
            )
            clients[NODES] = nodes(await stack.enter_async_context(foreign))
        for name, tags, values in CASES:
            turns = [{client: await turn(tags, values) for client, turn in clients.items()} for _ in range(TURNS + 1)]
            report(name, turns[1:])  # the first warms everything up
    print(f"event loop late by at most {lateness.worst * 1e3:.0f} ms while ours pulled")


def report(name: str, turns: list[dict[str, float]]) -> None:
    """Medians, best ones and ratios of one case."""
    print(f"{name}, median of {len(turns)} turns in alternation (best)")
    for client in turns[0]:
        speeds = [turn[client] for turn in turns]
        ratio = statistics.median(turn[OURS] / turn[client] for turn in turns)
        compared = "" if client == OURS else f"; ours, encrypted, is {ratio:.2f} times as fast"
        print(f"  {client:24} {statistics.median(speeds):12,.0f}/s ({max(speeds):12,.0f}/s){compared}")


def main() -> None:
    """Run it."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as root:
        folder = Path(root)
        here, there = context.Pipe()
        server = context.Process(target=serve, args=(there, folder / "plant"), daemon=True)
        server.start()
        url, certificate = here.recv()
        asyncio.run(compare(url, certificate, folder))
        server.kill()


if __name__ == "__main__":
    main()

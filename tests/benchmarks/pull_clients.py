"""One server, several clients: how fast a history is pulled, as ratios in one run.

    python -m tests.benchmarks.pull_clients

The server is the embedded historian in a process of its own (the fastest one at hand). The clients are ours, asyncua's
`read_raw_history`, and node-opcua's where it is installed (TAGSIGHT_INTEROP_CACHE, see tests/interop). While ours
pulls, another task of its event loop measures by how much it is ever late.
"""

import asyncio
import datetime as dt
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
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
from tests.interop.foreign_client import node_client

SECOND = 1_000_000_000
START_NS = 1_700_000_000 * SECOND
CASES = (("1 tag x 500,000", 1, 500_000), ("50 tags x 20,000", 50, 20_000))
USER, PASSWORD = "tagsight", "password-of-this-benchmark"
FEW = 100_000
REPEATS = 3


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


async def ours(connection: Connection, tags: int, values: int) -> tuple[float, float]:
    """Values per second, best of the repeats, and the longest that the event loop was late, s."""
    historian = open_opcua(connection)
    await historian.connect()
    late = asyncio.create_task(_lateness())
    rates = [await _pulled(historian, tags, values) for _ in range(REPEATS)]
    late.cancel()
    with suppress(asyncio.CancelledError):
        await late
    await historian.close()
    return max(rates), _latest.pop()


_latest: list[float] = []


async def _lateness() -> None:
    worst, pause = 0.0, 0.005
    try:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(pause)
            worst = max(worst, time.perf_counter() - before - pause)
    finally:
        _latest.append(worst)


async def _pulled(historian: OpcUaHistorian, tags: int, values: int) -> float:
    started, found = time.perf_counter(), 0
    addresses = [f"nsu={PLANT_NAMESPACE};s={name}" for name in names(tags, values)]
    async for page in historian.read_raw(addresses, span(values)):
        found += len(page.history)
    assert found == tags * values, f"{found} of {tags * values} values"
    return found / (time.perf_counter() - started)


async def asyncuas(connection: Connection, tags: int, values: int) -> float:
    """Its `read_raw_history`, tag by tag, over a part of the values that takes some seconds."""
    historian = open_opcua(connection)
    await historian.connect()
    client = historian._client
    assert client is not None
    index = await client.get_namespace_index(PLANT_NAMESPACE)
    begin = dt.datetime.fromtimestamp(START_NS / SECOND, tz=dt.UTC)
    few = min(values, FEW)
    end = begin + dt.timedelta(seconds=few - 1)
    chosen = names(tags, values)[: max(1, FEW // few)]
    started, found = time.perf_counter(), 0
    for name in chosen:
        found += len(await client.get_node(ua.NodeId(name, index)).read_raw_history(begin, end, 0))
    seconds = time.perf_counter() - started
    await historian.close()
    return found / seconds


async def nodes(
    modules: Path, folder: Path, url: str, certificate: Path, cases: Sequence[tuple[str, int, int]]
) -> dict[str, float]:
    """node-opcua's client, with encryption."""
    found = {}
    async with node_client(
        modules, folder, url, certificate, user=USER, password=PASSWORD, certificates=folder / "plant"
    ) as client:
        for name, tags, values in cases:
            addresses = [f"nsu={PLANT_NAMESPACE};s={one}" for one in names(tags, values)]
            whole = span(values)
            rates = []
            for _ in range(REPEATS):
                answer = await client.ask(
                    "pull", nodes=addresses, start_ms=whole.start_ns // 1_000_000, end_ms=whole.end_ns // 1_000_000
                )
                rates.append(answer["count"] / answer["seconds"])
            found[name] = max(rates)
    return found


async def compare(url: str, certificate: Path, folder: Path) -> None:
    """The table."""
    certificates = folder / "client"
    secure = Connection(url, user=USER, password=PASSWORD, certificates=certificates)
    TrustList(certificates).add(certificate)
    TrustList(folder / "plant").add(own_certificate(secure).certificate)
    plain = replace(secure, security=MessageSecurity.NONE)
    modules = (
        Path(os.environ.get("TAGSIGHT_INTEROP_CACHE", user_cache_path("tagsight-interop"))) / "node" / "node_modules"
    )
    theirs = await nodes(modules, folder, url, certificate, CASES) if which("node") and modules.exists() else {}
    for name, tags, values in CASES:
        encrypted, late = await ours(secure, tags, values)
        bare, _ = await ours(plain, tags, values)
        reference = await asyncuas(secure, tags, values)
        print(f"{name}: ours {encrypted:,.0f}/s encrypted, {bare:,.0f}/s not (ratio {encrypted / bare:.2f})")
        others = {"asyncua's read_raw_history": reference, "node-opcua's client": theirs.get(name)}
        for client, speed in others.items():
            if speed is not None:
                print(f"  {client}, encrypted {speed:,.0f}/s: ours is {encrypted / speed:.1f} times as fast")
        print(f"  event loop late by at most {late * 1e3:.0f} ms while ours pulled")


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

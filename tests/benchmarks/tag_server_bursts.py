"""A burst of changes of the tag server, to one subscriber that is not ours: asyncua's client, then node-opcua's.

    python -m tests.benchmarks.tag_server_bursts [MODELS [OUTPUTS]]

The server is a process of its own, over SignAndEncrypt, with types, units and ranges: 1,000 models x 20 outputs;
OUTPUTS 0 are all that a model has. The subscriber watches 10,000 outputs; then all of them change, several times.
node-opcua's client is used where it is installed (TAGSIGHT_INTEROP_CACHE, see tests/interop). The time of a burst is
that from the change in the source to the last value at the subscriber; the server looks at its source every half
second. The whole tag server over a ledger: `tests.benchmarks.tag_server`.
"""

import asyncio
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from shutil import which
from typing import Any

import psutil
from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from platformdirs import user_cache_path

from tagsight.clocks import SECOND, SystemClock
from tagsight.output_tags import output_tags, served_variable
from tagsight.served_types import HEALTH, served_types
from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import DataType
from tests.interop.foreign_client import node_client

MODELS, OUTPUTS = 1_000, 20
WATCHED = 10_000
BURSTS = 5
MEGABYTE = 1e6
PUBLISHING_MS = 100.0
FIRST_MARK, SECOND_MARK = 1e6, 2e6
"""Values of the bursts of each subscriber; those before are lower."""

USER, PASSWORD = "hmi", "password-of-this-benchmark"
CLIENT_URI = "urn:benchmark:hmi"


def variables(models: int, outputs: int) -> list[ServedVariable]:
    """Of all models; `outputs` of each, 0: all."""
    found = []
    for number in range(models):
        model = f"P{number:04d}/Health"
        tags = output_tags(model, (), detail=False)
        found += [served_variable(model, tag, part_of=HEALTH) for tag in tags[: outputs or None]]
    return found


def serve(pipe: Pipe, folder: Path, models: int, outputs: int) -> None:
    """The server's process."""
    asyncio.run(_serve(pipe, folder, variables(models, outputs)))


async def _serve(pipe: Pipe, folder: Path, served: Sequence[ServedVariable]) -> None:
    source = MemorySource(served)
    source.append([Sample(one.identifier, SECOND, "" if one.data_type is DataType.TEXT else 0.0, 0) for one in served])
    settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:benchmark:server", types=served_types())
    empty = psutil.Process().memory_info().rss
    started = time.perf_counter()
    async with TagServer(source, settings, _authenticate, SystemClock()) as server:
        pipe.send((server.url, time.perf_counter() - started, empty))
        while (asked := await asyncio.to_thread(pipe.recv)) is not None:
            source.append([Sample(name, time.time_ns(), value, 0) for name, value in asked])
            pipe.send(psutil.Process().memory_info().rss)


def _authenticate(user: str, password: str) -> UserRole | None:
    return UserRole.OPERATOR if (user, password) == (USER, PASSWORD) else None


class Changes:
    """What asyncua's subscription calls."""

    def __init__(self) -> None:
        self.count = 0
        self.wanted = 0
        self.reached = asyncio.Event()

    def datachange_notification(self, _node: Any, value: float, _data: Any) -> None:
        """One value; those of a burst count."""
        self.count += value is not None and value >= FIRST_MARK
        if self.count >= self.wanted:
            self.reached.set()

    async def become(self, count: int) -> None:
        """Wait until so many were seen."""
        self.wanted = count
        self.reached.clear()
        if self.count < count:
            await asyncio.wait_for(self.reached.wait(), 120)


async def by_asyncua(pipe: Pipe, url: str, folder: Path, own: OwnCertificate, watched: Sequence[str]) -> None:
    """Bursts seen by asyncua's client."""
    client = Client(url, timeout=60, watchdog_intervall=60)
    client.application_uri = CLIENT_URI
    client.set_user(USER)
    client.set_password(PASSWORD)
    server = folder / "server" / "own" / "server.der"
    keys = {"server_certificate": str(server)}
    await client.set_security(SecurityPolicyBasic256Sha256, str(own.certificate), str(own.key), **keys)
    async with client:
        namespace = await client.get_namespace_index("urn:tagsight:results")
        changes = Changes()
        subscription = await client.create_subscription(PUBLISHING_MS, changes)
        nodes = [client.get_node(ua.NodeId(name, namespace)) for name in watched]
        for first in range(0, len(nodes), 1_000):
            await subscription.subscribe_data_change(nodes[first : first + 1_000], queuesize=10)
        await bursts(pipe, "asyncua", watched, FIRST_MARK, changes.become)


async def by_node_opcua(pipe: Pipe, url: str, folder: Path, watched: Sequence[str]) -> None:
    """The same by node-opcua's client."""
    cache = Path(os.environ.get("TAGSIGHT_INTEROP_CACHE") or user_cache_path("tagsight-interop"))
    modules = cache / "node" / "node_modules"
    if which("node") is None or not modules.is_dir():
        print("node-opcua is not installed: left out")
        return
    server, certificates = folder / "server" / "own" / "server.der", folder / "server"
    login = {"user": USER, "password": PASSWORD}
    async with node_client(modules, folder, url, server, certificates=certificates, **login) as client:
        names = [f"nsu=urn:tagsight:results;s={name}" for name in watched]
        await client.ask("watch", nodes=names, publishing_ms=PUBLISHING_MS, least=SECOND_MARK)

        async def become(count: int) -> None:
            await client.ask("changes", count=count)

        await bursts(pipe, "node-opcua", watched, SECOND_MARK, become)


async def bursts(pipe: Pipe, name: str, watched: Sequence[str], mark: float, become: Any) -> None:
    """Let all watched outputs change, several times."""
    seconds = []
    for number in range(BURSTS):
        await asyncio.sleep(2.0)
        started = time.perf_counter()
        pipe.send([(one, mark + number) for one in watched])
        memory = await asyncio.to_thread(pipe.recv)
        await become((number + 1) * len(watched))
        seconds.append(time.perf_counter() - started)
    told = ", ".join(f"{one:.2f}" for one in seconds)
    print(f"burst of {len(watched):,} changes to {name}: {told} s (aim: 2.00 s); server: {memory / MEGABYTE:.0f} MB")


def measure(models: int, outputs: int) -> None:
    """One server, its figures."""
    served = variables(models, outputs)
    numbers = [one.identifier for one in served if one.data_type is DataType.NUMBER]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = ensure_certificate(folder / "client", "client", CLIENT_URI, ["localhost"])
        TrustList(folder / "server").add(own.certificate)
        context = multiprocessing.get_context("spawn")
        pipe, theirs = context.Pipe()
        process = context.Process(target=serve, args=(theirs, folder, models, outputs))
        started = time.perf_counter()
        process.start()
        url, seconds, empty = pipe.recv()
        ready, memory = time.perf_counter() - started, psutil.Process(process.pid).memory_info().rss
        print(
            f"{models:,} models, {len(served):,} outputs: serving {seconds:.1f} s after the start ({ready:.1f} s with "
            f"the process; aim: 30 s), {memory / MEGABYTE:.0f} MB (aim: 600 MB; {empty / MEGABYTE:.0f} MB before)"
        )
        asyncio.run(by_asyncua(pipe, url, folder, own, numbers[:WATCHED]))
        asyncio.run(by_node_opcua(pipe, url, folder, numbers[:WATCHED]))
        pipe.send(None)
        process.join(30)


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else MODELS, int(sys.argv[2]) if len(sys.argv) > 2 else OUTPUTS)

"""A burst of changes of the tag server, to one subscriber: a bare one, asyncua's client, node-opcua's.

    python -m tests.benchmarks.tag_server_bursts [MODELS [OUTPUTS]]

The server is a process of its own, over SignAndEncrypt, with types, units and ranges: 1,000 models x 20 outputs;
OUTPUTS 0 are all that a model has. The subscriber watches 10,000 outputs; then all of them change, several times.
node-opcua's client is used where it is installed (TAGSIGHT_INTEROP_CACHE, see tests/interop). The time of a burst is
that from the change in the source to the last value at the subscriber; the server looks at its source every half
second, and the bursts come at different times between two looks. What is told of each phase is the median too:

    until the look      the change waits for the server to look at its source
    look                the source is asked, its values are shown, and queued for the subscriber
    messages            of this and the next: making and writing the notifications, encryption included
    until sent          from the end of the look to the last byte written
    subscriber          from then on: what the client still has to receive, decrypt, decode and hand over

The whole tag server over a ledger: `tests.benchmarks.tag_server`.
"""

import asyncio
import gc
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psutil
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.uaprocessor import UaProcessor

from tagsight.clocks import SECOND, SystemClock
from tagsight.output_tags import output_tags, served_variable
from tagsight.served_types import HEALTH, served_types
from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import DataType
from tests.benchmarks.burst_subscribers import (
    CLIENT_URI,
    PASSWORD,
    USER,
    Subscriber,
    bare,
    by_asyncua,
    by_node_opcua,
    node_modules,
)

MODELS, OUTPUTS = 1_000, 20
WATCHED = 10_000
BURSTS = 7
BETWEEN_S = 1.5
MEGABYTE = 1e6
MARKS = (1e6, 2e6, 3e6)
"""Values of the bursts of each subscriber; those before are lower."""


def variables(models: int, outputs: int) -> list[ServedVariable]:
    """Of all models; `outputs` of each, 0: all."""
    found = []
    for number in range(models):
        model = f"P{number:04d}/Health"
        tags = output_tags(model, (), detail=False)
        found += [served_variable(model, tag, part_of=HEALTH) for tag in tags[: outputs or None]]
    return found


@dataclass
class Phases:
    """When the server did what, by `time.perf_counter`, which all processes share."""

    changed: float = 0.0
    looked: float = 0.0
    shown: float = 0.0
    sent: float = 0.0
    messages: float = 0.0
    processor: float = 0.0

    def begin(self) -> None:
        """The source changes now."""
        self.changed, self.messages, self.processor = time.perf_counter(), 0.0, time.process_time()

    def told(self, heard: float) -> list[float]:
        """Seconds of each phase of a burst, and of the server's processor, in the order of PHASES."""
        looked, shown = self.looked - self.changed, self.shown - self.looked
        sent = max(self.sent - self.shown, 0.0)
        return [looked, shown, self.messages, sent, heard - max(self.sent, self.shown), self.processor]


PHASES = ("until the look", "look", "messages", "until sent", "subscriber", "server's processor time")
phases = Phases()


class WatchedServer(TagServer):
    """Notes when it looks."""

    async def publish(self) -> int:
        """Look."""
        started = time.perf_counter()
        shown = await super().publish()
        if shown >= WATCHED:
            phases.looked, phases.shown = started, time.perf_counter()
        return shown


def watch_messages() -> None:
    """Note how long notifications take; the hooks are asyncua's."""
    pop, forward = InternalSubscription._pop_publish_result, UaProcessor.forward_publish_response

    def popped(self: Any) -> Any:
        started = time.perf_counter()
        result = pop(self)
        phases.messages += time.perf_counter() - started
        return result

    async def forwarded(self: Any, result: Any, request: Any) -> None:
        started = time.perf_counter()
        await forward(self, result, request)
        if result.NotificationMessage.NotificationData:
            phases.sent = time.perf_counter()
            phases.messages += phases.sent - started

    InternalSubscription._pop_publish_result = popped
    UaProcessor.forward_publish_response = forwarded


def serve(pipe: Pipe, folder: Path, models: int, outputs: int) -> None:
    """The server's process."""
    watch_messages()
    asyncio.run(_serve(pipe, folder, variables(models, outputs)))


async def _serve(pipe: Pipe, folder: Path, served: Sequence[ServedVariable]) -> None:
    source = MemorySource(served)
    source.append([Sample(one.identifier, SECOND, "" if one.data_type is DataType.TEXT else 0.0, 0) for one in served])
    settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:benchmark:server", types=served_types())
    empty = psutil.Process().memory_info().rss
    started = time.perf_counter()
    async with WatchedServer(source, settings, _authenticate, SystemClock()) as server:
        gc.collect()
        gc.freeze()  # as the tag server's process does
        pipe.send((server.url, time.perf_counter() - started, empty))
        while (asked := await asyncio.to_thread(pipe.recv)) is not None:
            if isinstance(asked, float):
                phases.processor = time.process_time() - phases.processor
                pipe.send((phases.told(asked), psutil.Process().memory_info().rss))
                continue
            samples = [Sample(name, time.time_ns(), value, 0) for name, value in asked]
            phases.begin()
            source.append(samples)
            pipe.send(phases.changed)


def _authenticate(user: str, password: str) -> UserRole | None:
    return UserRole.OPERATOR if (user, password) == (USER, PASSWORD) else None


@dataclass
class Bursts:
    """Lets all watched outputs change, several times."""

    pipe: Pipe
    watched: Sequence[str]
    medians: dict[str, float] = field(default_factory=dict)

    async def to(self, name: str, subscriber: Subscriber, mark: float) -> None:
        """Measure, and tell."""
        seconds, told, memory = [], [], 0
        for number in range(BURSTS):
            await asyncio.sleep(BETWEEN_S + 0.5 * number / BURSTS)
            self.pipe.send([(one, mark + number) for one in self.watched])
            changed = await asyncio.to_thread(self.pipe.recv)
            await subscriber.become((number + 1) * len(self.watched))
            heard = time.perf_counter()
            seconds.append(heard - changed)
            self.pipe.send(heard)
            found, memory = await asyncio.to_thread(self.pipe.recv)
            told.append(found)
        self.medians[name] = statistics.median(seconds)
        print(
            f"burst of {len(self.watched):,} changes to {name}: {self.medians[name]:.2f} s, the median of {BURSTS} "
            f"({min(seconds):.2f} to {max(seconds):.2f} s; aim: 2.00 s); server: {memory / MEGABYTE:.0f} MB"
        )
        medians = [statistics.median(column) for column in zip(*told, strict=True)]
        print("  " + ", ".join(f"{phase} {median:.2f} s" for phase, median in zip(PHASES, medians, strict=True)))


def measure(models: int, outputs: int) -> None:
    """One server, its figures."""
    served = variables(models, outputs)
    numbers = [one.identifier for one in served if one.data_type is DataType.NUMBER]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
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
        asyncio.run(_all_bursts(Bursts(pipe, numbers[:WATCHED]), folder, url))
        pipe.send(None)
        process.join(30)


async def _all_bursts(bursts: Bursts, folder: Path, url: str) -> None:
    own = ensure_certificate(folder / "client", "client", CLIENT_URI, ["localhost"])
    TrustList(folder / "server").add(own.certificate)
    server = folder / "server" / "own" / "server.der"
    async with bare(url, server, own, bursts.watched) as subscriber:
        await bursts.to("a bare subscriber", subscriber, MARKS[0])
    async with by_asyncua(url, server, own, bursts.watched, MARKS[1]) as subscriber:
        await bursts.to("asyncua", subscriber, MARKS[1])
    modules = node_modules()
    if modules is None:
        print("node-opcua is not installed: left out")
        return
    async with by_node_opcua(modules, folder, url, bursts.watched, MARKS[2]) as subscriber:
        await bursts.to("node-opcua", subscriber, MARKS[2])


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else MODELS, int(sys.argv[2]) if len(sys.argv) > 2 else OUTPUTS)

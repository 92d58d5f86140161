"""A pull into the local history store: values per second, peak memory, and what reading it again costs.

    python -m tests.benchmarks.local_store [MILLIONS] [TAGS] [served | text]

The historian makes its values as it is asked, so that the memory measured is the store's. With `served` they come over
OPC UA (SignAndEncrypt) from an embedded historian in a process of its own, which tells one day again and again: the
memory measured is that of all of the client. With `text` the tags are states. The peak is the
kernel's (`VmHWM`); Linux only.
"""

import asyncio
import multiprocessing
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from multiprocessing.connection import Connection as Pipe
from pathlib import Path

import numpy as np

from tagsight.clocks import SystemClock
from tagsight_connectors.connection import Connection
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Page, Span, TagHistory, Times
from tagsight_connectors.memory import MemoryHistorian
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.embedded import EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.reading import join
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.store.days import DAY_NS
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.store.stored_historian import StoredHistorian
from tests.benchmarks.loop_lag import LoopLag

SECOND = 1_000_000_000
FIRST_DAY = 19_000
PAGE = 50_000
STATES = np.array([f"state {number}" for number in range(7)], dtype=object)
URI = "urn:plant:historian"


class EndlessHistorian(MemoryHistorian):
    """A value every second of every tag, made when asked for."""

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        for start in range(span.start_ns, span.end_ns, PAGE * SECOND):
            times = np.arange(start, min(start + PAGE * SECOND, span.end_ns), SECOND)
            for number, address in enumerate(addresses):
                yield Page(address, self.make(times, number))
            await asyncio.sleep(0)

    def make(self, times: Times, number: int) -> TagHistory:
        """Values of one tag."""
        return signal(times, number)


class EndlessStates(EndlessHistorian):
    """The same of texts."""

    def make(self, times: Times, number: int) -> TagHistory:
        return states(times, number)


def states(times: Times, number: int) -> TagHistory:
    """One of seven."""
    texts = np.resize(np.roll(STATES, number), len(times))
    return TagHistory(times, texts, np.zeros(len(times), np.uint32))


def signal(times: Times, number: int) -> TagHistory:
    """A noisy wave with three decimals; jitter of some milliseconds in the times."""
    chance = np.random.default_rng(number + int(times[0] // SECOND))
    values = np.round(50 + 10 * np.sin(times / (3600.0 * SECOND) + number) + chance.normal(size=len(times)), 3)
    return TagHistory(times + chance.integers(0, 5_000_000, len(times)), values, np.zeros(len(times), np.uint32))


class RepeatedDay(MemorySource):
    """One day of values of each variable, which every day has."""

    def history(self, identifier: str, span: Span, at_most: int, after: int) -> tuple[TagHistory, bool]:
        parts: list[TagHistory] = []
        start, left = span.start_ns, at_most
        while start < span.end_ns and left:
            midnight = start // DAY_NS * DAY_NS
            inside = Span(start - midnight, min(span.end_ns - midnight, DAY_NS))
            page, more = super().history(identifier, inside, left, after)
            parts.append(TagHistory(page.times + midnight, page.values, page.status))
            if more:
                return join(parts), True
            start, left, after = midnight + DAY_NS, left - len(page), 0
        return join(parts), start < span.end_ns


def peak_mb() -> float:
    """Most memory of this process since its start, or since `forget_peak`."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024 / 1e6


def forget_peak() -> None:
    """The peak begins with the memory of now."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


async def measure(what: str, stored: StoredHistorian, addresses: Sequence[str], span: Span) -> None:
    """Read all of it page by page and print."""
    forget_peak()
    async with LoopLag() as lag:
        started, busy, count = time.perf_counter(), time.process_time(), 0
        async for page in stored.read_raw(addresses, span):
            count += len(page.history)
        seconds, busy = time.perf_counter() - started, time.process_time() - busy
    print(
        f"{what:24} {count:13,} values {seconds:7.1f} s {count / seconds:12,.0f}/s (of its processor time "
        f"{count / busy:,.0f}/s), peak memory {peak_mb():,.0f} MB; {lag.said()}"
    )


async def pull(historian: Historian, addresses: Sequence[str], days: int) -> None:
    """Pull, and read again."""
    span = Span(FIRST_DAY * DAY_NS, (FIRST_DAY + days) * DAY_NS)
    now_ns = (FIRST_DAY + days + 1) * DAY_NS
    print(f"before: {peak_mb():,.0f} MB")
    with tempfile.TemporaryDirectory() as folder, HistoryStore.open(Path(folder), StoreBounds(), print) as store:
        stored = StoredHistorian(historian, store, "plant", now_ns=lambda: now_ns, late_ns=0)
        await measure("pull into the store", stored, addresses, span)
        usage = store.usage()
        print(f"{usage.room / 1e6:,.0f} MB on the disk, {usage.room / usage.values:.1f} bytes a value")
        await measure("read again from the disk", stored, addresses, span)
    await historian.close()


def serve(pipe: Pipe, folder: Path, tags: int) -> None:
    """The process of the embedded historian."""

    async def run() -> None:
        times = np.arange(0, DAY_NS, SECOND)
        variables = [ServedVariable(f"T{number}", f"Plant/T{number}") for number in range(tags)]
        source = RepeatedDay(variables, {one.identifier: signal(times, at) for at, one in enumerate(variables)})
        settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:test:server", URI, poll_s=0)

        def authenticate(user: str, password: str) -> UserRole | None:
            return UserRole.ENGINEER if (user, password) == ("tagsight", "secret") else None

        async with EmbeddedHistorian(source, settings, authenticate, SystemClock()) as server:
            TrustList(folder / "client").add(server.certificate.certificate)
            client = own_certificate(Connection("", certificates=folder / "client"))
            TrustList(folder / "server").add(client.certificate)
            pipe.send(server.url)
            await asyncio.to_thread(pipe.poll, None)

    asyncio.run(run())


async def served(tags: int, days: int) -> None:
    """The pull over OPC UA."""
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    with tempfile.TemporaryDirectory() as folder:
        server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs, Path(folder), tags))
        server.start()
        theirs.close()  # so that its end is seen
        try:
            url = await asyncio.to_thread(ours.recv)
            historian = open_opcua(
                Connection(url, user="tagsight", password="secret", certificates=Path(folder) / "client")
            )
            await historian.connect()
            await pull(historian, [f"nsu={URI};s=T{number}" for number in range(tags)], days)
        finally:
            ours.close()
            server.join(10)
            server.kill()


async def main() -> None:
    """As the first lines say."""
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 20.0
    tags = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    days = max(1, round(millions * 1e6 / tags / 86_400))
    if "served" in sys.argv:
        await served(tags, days)
        return
    historian = EndlessStates() if "text" in sys.argv else EndlessHistorian()
    await historian.connect()
    await pull(historian, [f"T{number}" for number in range(tags)], days)


if __name__ == "__main__":
    asyncio.run(main())

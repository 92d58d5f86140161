"""Aggregates: values per second computed here, and what averages of a server save beside a pull of every value.

    python -m tests.benchmarks.aggregates [VALUES]

The server is node-opcua where it is installed (TAGSIGHT_INTEROP_CACHE, see tests/interop), over SignAndEncrypt.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from tagsight_connectors.aggregates import Aggregate, compute, compute_at
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.service import Service
from tests.interop.foreign import ForeignTag, node_historian

SECOND = 1_000_000_000
MINUTE = 60 * SECOND
START_MS = 1_700_000_000_000 - 1_700_000_000_000 % 60_000
REPEATS = 3


def computed_here(count: int) -> None:
    """One value a second, 1 % Bad; intervals of a minute."""
    random = np.random.default_rng(0)
    bad = np.where(random.random(count) < 0.01, 0x80000000, 0).astype(np.uint32)
    history = TagHistory(np.arange(count, dtype=np.int64) * SECOND, random.normal(size=count), bad)
    span = Span(0, count * SECOND)
    for aggregate in Aggregate:
        rate = max(_rate(count, lambda one=aggregate: compute(history, span, MINUTE, one)) for _ in range(REPEATS))
        print(f"{aggregate.value:14} {rate / 1e6:6.1f} M values/s")
    times = np.arange(0, span.end_ns, 10 * SECOND) + SECOND // 2
    rate = max(_rate(len(times), lambda: compute_at(history, times)) for _ in range(REPEATS))
    print(f"{'at times':14} {rate / 1e6:6.1f} M times/s")


def _rate(count: int, work: Any) -> float:
    started = time.perf_counter()
    work()
    return count / (time.perf_counter() - started)


async def from_a_server(count: int, modules: Path, folder: Path) -> None:
    """Minute averages of one tag: by the server, and by TagSight from every value."""
    tag = ForeignTag("Plant/Speed", np.sin(np.arange(count) / 50.0).tolist(), start_ms=START_MS)
    span = Span(START_MS * 1_000_000, START_MS * 1_000_000 + count * SECOND // MINUTE * MINUTE)
    received: list[int] = []
    plain = Service.answer

    async def counted(self: Service, *asked: Any) -> bytes:
        body = await plain(self, *asked)
        received.append(len(body))
        return body

    Service.answer = counted  # type: ignore[method-assign]
    with node_historian(modules, folder, [tag], aggregates=True) as foreign:
        historian = open_opcua(foreign.connection)
        await historian.connect()
        speed = foreign.address(tag.path)
        for name, own in (("by the server", ()), ("by TagSight", (speed,))):
            await _told(name, historian, span, speed, own, received)
        await historian.close()


async def _told(  # noqa: PLR0917 - one row of the table
    name: str, historian: Any, span: Span, speed: str, own: Sequence[str], received: list[int]
) -> None:
    seconds = []
    for _ in range(REPEATS):
        received.clear()
        started = time.perf_counter()
        found = await historian.read_processed([speed], span, Aggregate.AVERAGE, MINUTE, own=own)
        seconds.append(time.perf_counter() - started)
    averages = len(found.tags[speed])
    print(f"{averages} averages {name:14} {min(seconds):6.2f} s  {sum(received) / 1e3:9.1f} kB received")


def main() -> None:
    """Both; the second only where node-opcua is installed."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    computed_here(5_000_000)
    modules = Path(user_cache_path("tagsight-interop")) / "node" / "node_modules"
    if modules.exists():
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(from_a_server(count, modules, Path(folder)))


if __name__ == "__main__":
    main()

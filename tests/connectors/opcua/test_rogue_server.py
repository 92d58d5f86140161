"""A server that turns rogue in the middle of a session costs at most its own connection, once."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
import pytest
import pytest_asyncio
from asyncua import ua

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.opcua.client import open_opcua
from tests.connectors.opcua import rogue_server as lies
from tests.connectors.opcua.plant_server import START_NS, URI, connection, plain, trust_the_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(60)]

ADDRESS = f"nsu={URI};s=P101.Speed"
SPAN = Span(START_NS, START_NS + lies.VALUES * SECOND)
MEGABYTE = 1_000_000
RESTART_S = 10.0
A_WHILE_S = 60.0
ANSWER_S = 2.0


@dataclass
class Site:
    """A link to the rogue, and one to another historian that is used all the time."""

    rogue: lies.Rogue
    where: Connection
    clock: SetClock = field(default_factory=lambda: SetClock(START_NS))

    def __post_init__(self) -> None:
        historian = open_opcua(replace(self.where, timeout_s=ANSWER_S))
        self.link = Link("rogue", historian, self.clock, jitter=lambda: 1.0)
        self.beside = Link("beside", MemoryHistorian(MemoryStore("beside")), self.clock)

    @asynccontextmanager
    async def scoring_beside(self) -> AsyncIterator[list[int]]:
        """Meanwhile the other historian is asked; counts its answers."""
        answers: list[int] = []

        async def ask() -> None:
            while True:
                await self.beside.use(_describe)
                answers.append(len(answers))
                await asyncio.sleep(0)

        asking = asyncio.create_task(ask())
        yield answers
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


async def _describe(historian: Historian) -> None:
    await historian.describe()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def readable(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("rogue")
    async with lies.rogue_server(folder, secure=False) as (port, rogue):
        site = Site(rogue, plain(port, folder))
        yield site
        await site.link.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def encrypted(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp("rogue")
    async with lies.rogue_server(folder, secure=True) as (port, rogue):
        trust_the_server(folder)
        site = Site(rogue, connection(port, folder))
        yield site
        await site.link.close()


async def read(historian: Historian) -> None:
    (sample,) = await historian.read_current([ADDRESS])
    assert sample.value is not None


async def read_history(historian: Historian) -> None:
    pages = [page async for page in historian.read_raw([ADDRESS], SPAN)]
    assert sum(len(page.history) for page in pages) == lies.VALUES


async def browse(historian: Historian) -> None:
    assert len([tag async for tag in historian.browse("Plant/P101/Speed")]) == 1


SERVICES = {
    "read": (read, ua.ReadResponse),
    "history": (read_history, ua.HistoryReadResponse),
    "browse": (browse, ua.BrowseResponse),
}
NEVER = "no answer"
"""Not asked of histories: a server that answers all but them is asked in ever smaller parts, which takes its time."""

LIES = {
    "the five bytes that hang asyncua": lies.value_of(lies.FIVE_BYTES),
    "values nested ten thousand deep": lies.value_of(lies.NESTED),
    "diagnostics nested ten thousand deep": lies.nested_diagnostics,
    "a string table of two billion texts": lies.long_string_table,
    "two billion results": lies.many_results,
    "a chunk of two gigabytes": lies.long_chunk,
    "a text of 100 MB": lies.long_text(100),
    "a text just beyond the limit": lies.long_text(13),
    "a text of 8 MB": lies.long_text(8),
    "one byte a second": lies.slowly,
    NEVER: lies.never,
    "wrong sequence numbers": lies.wrong_sequence,
    "a body that ends early": lies.early_end(0.5),
    "a body that ends a byte early": lies.early_end(0.99),
    "a body that ends in the header": lies.early_end(0.1),
    "another type of answer": lies.another_type,
    "the answer to another request": lies.another_request,
    "the answer twice": lies.twice,
    "a message of unknown type": lies.unknown_message,
    "garbage": lies.garbage,
}
TRUE_SO_FAR = {
    ("read", "a text of 8 MB"),
    ("read", "a body that ends a byte early"),
    *((service, "the answer twice") for service in SERVICES),
}
"""What is taken: a value may be long; nobody reads the diagnostics at the end; of two answers the first one holds."""


@pytest.mark.parametrize(
    ("service", "lie"), [(service, lie) for service in SERVICES for lie in LIES if (service, lie) != ("history", NEVER)]
)
async def test_a_lie_costs_at_most_one_restart_and_nobody_else_anything(readable: Site, service: str, lie: str) -> None:
    await outlive(readable, service, lie)


@pytest.mark.parametrize("lie", [lie for lie in LIES if lie != NEVER])
async def test_a_lie_over_an_encrypted_channel_costs_no_more(encrypted: Site, lie: str) -> None:
    await outlive(encrypted, "history", lie)


async def outlive(site: Site, service: str, lie: str) -> None:
    work, site.rogue.about = SERVICES[service]
    must_fail = pytest.raises(HistorianError)
    site.clock.advance(A_WHILE_S)
    await site.link.use(work)
    attempts, before = site.link.attempts, psutil.Process().memory_info().rss
    forget_peak()
    async with site.scoring_beside() as answers:
        with site.rogue.lying(LIES[lie]), must_fail if (service, lie) not in TRUE_SO_FAR else suppress(HistorianError):
            await site.link.use(work)
        await site.rogue.end_lies()
    assert answers
    assert peak() - before < 50 * MEGABYTE
    site.clock.advance(RESTART_S)
    with suppress(HistorianError):  # it may learn only now that the connection is gone
        await site.link.use(work)
    site.clock.advance(RESTART_S)
    await site.link.use(work)
    assert site.link.attempts <= attempts + 1


def forget_peak() -> None:
    if sys.platform == "linux":
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """Most memory since `forget_peak`, bytes; on Windows what is held now."""
    if sys.platform != "linux":
        return int(psutil.Process().memory_info().rss)
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024

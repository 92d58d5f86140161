"""Results to a slow historian over OPC UA, with a wire that breaks: the present before the past, each value once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
import pytest_asyncio

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.delivery import BatchSize, Way
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.results import OutputRow, OutputValue
from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.quality import GOOD
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.connectors.opcua.served_plant import URI, Plant
from tests.connectors.opcua.wire_proxy import Proxy, wire_proxy

MINUTE = 60 * SECOND
MODELS = [f"P{number}/H" for number in range(10)]
OUTPUTS = [f"O{number}" for number in range(20)]
PATTERN = f"nsu={URI};s=Results/{{asset}}/{{model}}/{{output}}"
NAMES = [f"Results/{model}/{output}" for model in MODELS for output in OUTPUTS]
ACCEPTED = frozenset(f"nsu={URI};s={name}" for name in NAMES)
WAY = Way("h", PATTERN, ACCEPTED)
HOUR = 60
LOSSY_MINUTES = 50
VALUES_PER_S = 40
"""What this historian stores: an hour's results of these models take it four minutes."""


@dataclass
class Site:
    """An outbox, a link over SignAndEncrypt through a wire that may break, and a historian that keeps every value."""

    ledger: Ledger
    link: Link
    proxy: Proxy
    source: MemorySource
    clock: SetClock
    minutes: Iterator[int]
    recorded: dict[int, float] = field(default_factory=dict)
    size: BatchSize = field(default_factory=BatchSize)

    def now_s(self) -> float:
        """Time as the historian's work tells it."""
        return len(self.source.written) / VALUES_PER_S

    def tick(self) -> None:
        """One minute's results of every model."""
        minute = next(self.minutes)
        values = tuple(OutputValue(name, float(minute), GOOD) for name in OUTPUTS)
        rows = [OutputRow(model, minute * MINUTE, "score", values) for model in MODELS]
        self.ledger.record(TickRecord(rows=rows, destinations=dict.fromkeys(MODELS, "write:h")))
        self.recorded[minute] = self.now_s()

    async def tick_every_minute(self) -> None:
        while True:
            if self.now_s() - self.recorded[max(self.recorded)] >= 60:
                self.tick()
            await asyncio.sleep(0)

    async def drain(self) -> None:
        """As the service does it, after every loss."""
        while self.ledger.counters().buffered:
            self.clock.advance(60.0)
            with suppress(HistorianError):
                await self.link.use(self._deliver)

    async def _deliver(self, historian: Historian) -> None:
        while (await self.size.deliver(self.ledger, historian, WAY)).more:
            pass

    def lag_s(self, minute: int) -> float:
        """From the record of a minute's results until every output shows them, or newer ones."""
        first: dict[str, int] = {}
        for place, write in enumerate(self.source.written):
            if write.time_ns >= minute * MINUTE:
                first.setdefault(write.identifier, place + 1)
        return max(first[name] for name in NAMES) / VALUES_PER_S - self.recorded[minute]

    def stored(self, name: str) -> list[int]:
        return [int(time_ns) // MINUTE for time_ns in self.source._series[name].stored().times]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    source = MemorySource([ServedVariable(name, name, writable_by=UserRole.OPERATOR) for name in NAMES])
    plant = Plant(tmp_path, source)
    async with plant.make_server(client_times=True), wire_proxy(plant.server.port) as proxy:
        where = Connection(
            f"opc.tcp://127.0.0.1:{proxy.port}/", "olga", "olga-secret", certificates=tmp_path / "ours",
            accepted=ACCEPTED, timeout_s=20.0,
        )  # fmt: skip
        plant.trust(own_certificate(where))
        TrustList(tmp_path / "ours").add(plant.server.certificate.certificate)
        clock = SetClock(10**18)
        link = Link("h", open_opcua(where), clock)
        with Ledger.open(tmp_path / "ledger.sqlite", clock) as ledger:
            yield Site(ledger, link, proxy, source, clock, iter(range(1, 10_000)))
        await link.close()


@pytest.mark.slow
async def test_while_an_hour_of_backlog_drains_the_present_is_at_most_two_intervals_late(site: Site) -> None:
    for _ in range(HOUR):
        site.tick()
    ticking = asyncio.create_task(site.tick_every_minute())
    await site.drain()
    ticking.cancel()
    present = [minute for minute in site.recorded if minute > HOUR]
    assert len(present) >= 3
    assert max(site.lag_s(minute) for minute in present) <= 120
    assert site.stored(NAMES[7]) == sorted(site.recorded)


@pytest.mark.slow
async def test_a_wire_that_loses_every_tenth_answer_leaves_each_of_10_000_values_once(site: Site) -> None:
    random = Random(5)
    site.link.historian._size.write_nodes = 20
    for _ in range(LOSSY_MINUTES):
        site.tick()
    await site.link.use(_nothing)
    site.proxy.spoil = lambda _: site.link.connected and random.random() < 0.1
    await site.drain()
    assert site.link.attempts > 25
    assert all(site.stored(name) == list(range(1, LOSSY_MINUTES + 1)) for name in NAMES)
    assert len(site.source.written) > LOSSY_MINUTES * len(NAMES) == 10_000


async def _nothing(_historian: Historian) -> None:
    pass

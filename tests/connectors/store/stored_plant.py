"""A plant of three tags over some days, in a memory historian behind a local history store."""

import os
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tagsight_connectors.history import Page, Span, TagHistory
from tagsight_connectors.memory import MemoryHistorian, MemoryStore
from tagsight_connectors.reading import read_history
from tagsight_connectors.store.days import DAY_NS, TagKey
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.store.stored_historian import StoredHistorian
from tagsight_connectors.tag import DataType, Tag

HOUR = 3_600_000_000_000
FIRST = 20_000  # days since 1970: 2024-10-04
START = FIRST * DAY_NS
LATE = 15 * 60_000_000_000
TAGS = ("Speed", "Mode", "ns=2;s=../../etc/passwd\n'; DROP TABLE days; --%s/äöü" + "x" * 300)
SPEED, MODE, HOSTILE = TAGS


class AskedHistorian(MemoryHistorian):
    """Records what it was asked for, and can refuse."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self.asked: list[tuple[str, Span]] = []
        self.refuse: dict[str, Exception] = {}

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        self.asked += [(address, span) for address in addresses]
        for address in addresses:
            if address in self.refuse:
                raise self.refuse[address]
        async for page in super().read_raw(addresses, span):
            yield page

    @property
    def days_asked(self) -> int:
        return sum((span.end_ns - span.start_ns) // DAY_NS for _, span in self.asked)


@dataclass
class StoredPlant:
    """Opened on a folder, again and again; `now_ns` is the historian's time."""

    folder: Path
    now_ns: int = START + 6 * DAY_NS + 12 * HOUR
    bounds: StoreBounds = field(default_factory=StoreBounds)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.memory = MemoryStore(page_values=7, now_ns=lambda: self.now_ns)
        for address in TAGS:
            self.memory.add(Tag(address, address, DataType.TEXT if address == MODE else DataType.NUMBER))
        self.fill(START, self.now_ns)
        self.historian = AskedHistorian(self.memory)
        self.store = HistoryStore.open(self.folder, self.bounds, self.told.append)
        self.stored = self._stored()

    def fill(self, start_ns: int, end_ns: int) -> None:
        """A value every two hours, a mode every 30 hours, and the hostile tag on every third day only."""
        times = np.arange(start_ns - start_ns % HOUR, end_ns, 2 * HOUR)
        self.memory.append(
            SPEED, times, (times // HOUR % 97).astype(float), np.where(times % (6 * HOUR), 0, 0x80000000)
        )
        modes = np.arange(start_ns - start_ns % (30 * HOUR) + 30 * HOUR, end_ns, 30 * HOUR)
        self.memory.append(MODE, modes, [f"läuft {time // HOUR % 7}" if time % 4 else None for time in modes.tolist()])
        rare = times[times // DAY_NS % 3 == 0]
        self.memory.append(HOSTILE, rare, np.full(len(rare), np.nan))

    def reopen(self) -> None:
        """As after an end of the process."""
        self.store.close()
        self.store = HistoryStore.open(self.folder, self.bounds, self.told.append)
        self.stored = self._stored()

    async def connect(self) -> "StoredPlant":
        await self.stored.connect()
        return self

    async def both(self, span: Span, addresses: Sequence[str] = TAGS) -> tuple[list[object], list[object]]:
        """What the store gives and what the historian has."""
        through = await read_history(self.stored, addresses, span)
        direct = await read_history(MemoryHistorianOf(self.memory), addresses, span)
        return [rows(through.tags[one]) for one in addresses], [rows(direct.tags[one]) for one in addresses]

    def files(self) -> list[Path]:
        return sorted(self.folder.rglob("*.parquet"))

    def key(self, address: str) -> TagKey:
        return TagKey("plant", address)

    def _stored(self) -> StoredHistorian:
        return StoredHistorian(self.historian, self.store, "plant", now_ns=lambda: self.now_ns, late_ns=LATE)


class MemoryHistorianOf(MemoryHistorian):
    """A session that is open already."""

    def __init__(self, store: MemoryStore) -> None:
        super().__init__(store)
        self._connected = True


def rows(history: TagHistory) -> list[tuple[int, object, int]]:
    values = [None if value != value else value for value in history.values.tolist()]  # noqa: PLR0124 - NaN
    return list(zip(history.times.tolist(), values, history.status.tolist(), strict=True))


def make_old(path: Path, hours: float) -> None:
    """As if it had been written so long ago."""
    then = time.time() - hours * 3600
    os.utime(path, (then, then))

"""One plant, filled anew for each example, in every kind of historian that the contract is held against.

Each has the tags SPEED (numbers), MODE (text), EMPTY (one value in 1990) and the writable SCORE and LABEL.
"""

import asyncio
import math
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import time_ns
from typing import Protocol, Self

import numpy as np
import pandas as pd

from tagsight.clocks import SystemClock
from tagsight_connectors.connection import Connection
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import TagHistory
from tagsight_connectors.live_values import LiveValues, as_source
from tagsight_connectors.memory import MemoryHistorian, MemoryStore
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.embedded import EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.registry import open_historian
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.store.stored_historian import StoredHistorian
from tagsight_connectors.tag import DataType, Tag

SECOND = 10**9
START_NS = 1_577_836_800 * SECOND  # 2020-01-01
LONG_AGO_NS = 631_152_000 * SECOND  # 1990-01-01
NAMES = ("Speed", "Mode", "Empty", "Score", "Label")
URI = "urn:plant:historian"


class Place(Protocol):
    """A kind of historian with the plant in it."""

    accepted: frozenset[str]

    def address(self, name: str) -> str:
        """Address of one of `NAMES`."""

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        """A connected historian that holds exactly these, and no results."""

    async def again(self) -> Historian:
        """A second opener of what was filled last, not yet connected."""


def long_ago() -> TagHistory:
    return TagHistory(np.array([LONG_AGO_NS]), np.array([1.0]), np.zeros(1, dtype=np.uint32))


class MemoryPlace:
    def __init__(self) -> None:
        self.accepted = frozenset({"Score", "Label"})
        self._store = MemoryStore()

    def address(self, name: str) -> str:
        return name

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        self._store = MemoryStore(page_values=3)
        histories = {"Speed": speed, "Mode": mode, "Empty": long_ago()}
        for name, history in histories.items():
            self._store.add(Tag(name, name, DataType.TEXT if name == "Mode" else DataType.NUMBER))
            self._store.append(name, history.times, history.values, history.status)
        self._store.add_result("Score")
        self._store.add_result("Label", DataType.TEXT)
        historian = await self.again()
        await historian.connect()
        return historian

    async def again(self) -> Historian:
        return MemoryHistorian(self._store, accepted=self.accepted)


class StoredPlace:
    """Any other place behind a local history store, a new one for each example."""

    def __init__(self, behind: Place) -> None:
        self._behind = behind
        self.accepted = behind.accepted
        self._folder = tempfile.TemporaryDirectory(prefix="contract-")
        self._store = HistoryStore.open(Path(self._folder.name) / "0", StoreBounds())
        self._count = 0

    def address(self, name: str) -> str:
        return self._behind.address(name)

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        self._store.close()
        self._count += 1
        self._store = HistoryStore.open(Path(self._folder.name) / str(self._count), StoreBounds())
        return self._stored(await self._behind.fill(speed, mode))

    async def again(self) -> Historian:
        return self._stored(await self._behind.again())

    def _stored(self, behind: Historian) -> Historian:
        return StoredHistorian(behind, self._store, "plant", now_ns=time_ns, late_ns=0)

    def remove(self) -> None:
        self._store.close()
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class LivePlace:
    """An OPC UA place whose recent values come from a subscription."""

    def __init__(self, behind: "OpcUaPlace") -> None:
        self._behind = behind
        self.accepted = behind.accepted

    def address(self, name: str) -> str:
        return self._behind.address(name)

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        return LiveValues(as_source(await self._behind.fill(speed, mode)))

    async def again(self) -> Historian:
        return LiveValues(as_source(await self._behind.again()))


class FilePlace:
    """`layout` is wide, long or parquet."""

    def __init__(self, layout: str) -> None:
        self.accepted = frozenset({"Score", "Label", "Speed"})
        self._layout = layout
        self._folder = tempfile.TemporaryDirectory(prefix="contract-")
        self._path = Path()
        self._count = 0

    def address(self, name: str) -> str:
        return name

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        self._count += 1
        ending = "parquet" if self._layout == "parquet" else "csv"
        self._path = Path(self._folder.name) / f"{self._count}.{ending}"
        rows = [*_rows("Speed", speed), *_rows("Mode", mode), *_rows("Empty", long_ago())]
        if self._layout == "long":  # there, a tag is known by its values alone
            rows += [(LONG_AGO_NS, "Speed", 1.0, 0), (LONG_AGO_NS, "Mode", "AUTO", 0)]
        await asyncio.to_thread({"wide": _wide, "long": _long, "parquet": _parquet}[self._layout], self._path, rows)
        historian = await self.again()
        await historian.connect()
        return historian

    async def again(self) -> Historian:
        return open_historian(Connection(self._path.as_uri(), accepted=self.accepted))

    def remove(self) -> None:
        self._folder.cleanup()


Row = tuple[int, str, float | str | None, int]


def _rows(name: str, stored: TagHistory) -> Iterator[Row]:
    for time, value, status in zip(stored.times.tolist(), list(stored.values), stored.status.tolist(), strict=True):
        yield time, name, None if value is None or (isinstance(value, float) and math.isnan(value)) else value, status


def _frame(rows: list[Row]) -> pd.DataFrame:
    columns: dict[str, list[object]] = {"time": [np.datetime64(time, "ns") for time, *_ in rows]}
    for name in ("Speed", "Mode", "Empty"):
        columns[name] = [value if tag == name else None for _, tag, value, _ in rows]
        columns[f"{name}_Quality"] = [status if tag == name else None for _, tag, _, status in rows]
    return pd.DataFrame(columns).astype({f"{name}_Quality": "Int64" for name in ("Speed", "Mode", "Empty")})


def _wide(path: Path, rows: list[Row]) -> None:
    _frame(rows).to_csv(path, index=False, date_format="%Y-%m-%dT%H:%M:%S.%f")


def _parquet(path: Path, rows: list[Row]) -> None:
    _frame(rows).astype({"Speed": "float64", "Empty": "float64", "Mode": "str"}).to_parquet(path, row_group_size=5)


def _long(path: Path, rows: list[Row]) -> None:
    frame = pd.DataFrame(rows, columns=["time", "tag", "value", "status"])
    frame["time"] = pd.to_datetime(frame["time"]).dt.tz_localize("UTC")
    frame.to_csv(path, index=False, sep=";")


class OpcUaPlace:
    """One server for all examples; the histories behind it are replaced."""

    def __init__(self, source: MemorySource, server: EmbeddedHistorian, folder: Path) -> None:
        self.accepted = frozenset({self.address("Score"), self.address("Label"), self.address("Speed")})
        self._source = source
        self._server = server
        self._folder = folder
        self._historian: Historian | None = None

    def address(self, name: str) -> str:
        return f"nsu={URI};s={name}"

    async def fill(self, speed: TagHistory, mode: TagHistory) -> Historian:
        held = {"Speed": speed, "Mode": mode, "Empty": long_ago()}
        for variable in VARIABLES:
            self._source.add(variable, held.get(variable.identifier))
        await self._server.server.publish()
        if self._historian is None:
            self._historian = await self.again()
            await self._historian.connect()
        return self._historian

    async def again(self) -> Historian:
        return open_opcua(
            Connection(
                self._server.url,
                user="tagsight",
                password="secret",
                certificates=self._folder / "client",
                accepted=self.accepted,
            )
        )

    async def close(self) -> None:
        if self._historian is not None:
            await self._historian.close()


VARIABLES = (
    ServedVariable("Speed", "Speed"),
    ServedVariable("Mode", "Mode", DataType.TEXT),
    ServedVariable("Empty", "Empty"),
    ServedVariable("Score", "Score", writable_by=UserRole.OPERATOR),
    ServedVariable("Label", "Label", DataType.TEXT, writable_by=UserRole.OPERATOR),
)


@asynccontextmanager
async def opc_ua_place(folder: Path) -> AsyncIterator[OpcUaPlace]:
    def authenticate(user: str, password: str) -> UserRole | None:
        return UserRole.ENGINEER if (user, password) == ("tagsight", "secret") else None

    source = MemorySource(VARIABLES)
    settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:test:server", URI, poll_s=0)
    async with EmbeddedHistorian(source, settings, authenticate, SystemClock()) as server:
        TrustList(folder / "client").add(server.certificate.certificate)
        TrustList(folder / "server").add(own_certificate(Connection("", certificates=folder / "client")).certificate)
        place = OpcUaPlace(source, server, folder)
        yield place
        await place.close()

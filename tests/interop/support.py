"""What a server supports, found by using it: one row of the table in docs/interop.md.

    python -m tests.interop.support docs/interop.md

writes the table anew, from the servers that can be started here; the rows of others stay as they are.
"""

import asyncio
import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from platformdirs import user_cache_path

from tagsight_connectors.aggregates import Aggregate, Computer
from tagsight_connectors.connection import WriteService
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.reading import read_history
from tests.interop.servers import COUNT, SECOND, START_NS, PlantServer, missing, running_server

SERVERS: Final = ("node-opcua", "legacy opcua", "asyncua", "TagSight", "o6")
MINUTE: Final = 60 * SECOND
ALL: Final = Span(START_NS, START_NS + COUNT * SECOND)
HEAD: Final = """\
# Other people's servers

What each server supports, found by using it (`python -m tests.interop.support docs/interop.md`); `make interop` holds
the table. What a server does not compute, TagSight computes from raw values. Policies and users: security.md.

| server | connection | says of history | raw read | unknown tag | its aggregates | at times | Write | HistoryUpdate |
|---|---|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Support:
    """What was found.

    Attributes:
        security: as the connection says.
        told: what the server says of its history.
        values: how many of `COUNT` values a raw read returned, in order and each once.
        unknown: error for a tag that is not there.
        aggregates: those that the server computed; all others TagSight did.
        wrong: aggregates that are neither right nor Bad.
        at_times: who answered values at given times.
        write: "source time", "without time", or the refusal.
        history_update: "yes", or the refusal.
    """

    security: str
    told: str
    values: int
    unknown: str
    aggregates: tuple[str, ...]
    wrong: tuple[str, ...]
    at_times: str
    write: str
    history_update: str

    def row(self, server: str) -> str:
        """Of the table."""
        computed = ", ".join(self.aggregates) or "none; all by TagSight"
        values = "whole" if self.values == COUNT else f"{self.values} of {COUNT}"
        cells = (
            server,
            self.security,
            self.told or "nothing",
            values,
            self.unknown,
            computed,
            self.at_times,
            self.write,
            self.history_update,
        )
        return f"| {' | '.join(cells)} |"


async def examine(server: PlantServer) -> Support:
    """Use everything of one server."""
    historian = open_opcua(server.connection)
    await historian.connect()
    description = await historian.describe()
    security = description.security.partition(",")[0]
    found = (await read_history(historian, [server.speed], ALL)).tags[server.speed]
    whole = found.times.tolist() == [START_NS + at * SECOND for at in range(COUNT)]
    aggregates, wrong = await _aggregates(historian, server.speed)
    times = START_NS + MINUTE + np.arange(5, dtype=np.int64) * SECOND
    at_times = (await historian.read_at_times([server.speed], times)).computed_by[server.speed]
    support = Support(
        security=security.replace("None", "None (where set)"),
        told=description.history,
        values=len(found) if whole else -len(found),
        unknown=await _unknown(historian, server.speed),
        aggregates=aggregates,
        wrong=wrong,
        at_times="by the server" if at_times is Computer.SERVER else "by TagSight",
        write=await _stored(historian, server, START_NS + COUNT * SECOND),
        history_update="",
    )
    await historian.close()
    updater = open_opcua(replace(server.connection, writes_by=WriteService.HISTORY_UPDATE))
    await updater.connect()
    updated = await _stored(updater, server, START_NS + (COUNT + 1) * SECOND)
    await updater.close()
    return replace(support, history_update="yes" if updated == "source time" else updated)


async def _aggregates(historian: OpcUaHistorian, speed: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Over whole minutes of ten that hold only Good values: which the server computed, and which are wrong."""
    by_server, wrong = [], []
    span = Span(START_NS // MINUTE * MINUTE + 2 * MINUTE, START_NS // MINUTE * MINUTE + 12 * MINUTE)
    for aggregate in Aggregate:
        found = await historian.read_processed([speed], span, aggregate, MINUTE)
        own = await historian.read_processed([speed], span, aggregate, MINUTE, own=[speed])
        if found.computed_by[speed] is Computer.SERVER:
            by_server.append(aggregate.value)
        if not np.allclose(found.tags[speed].values, own.tags[speed].values, equal_nan=True):
            wrong.append(aggregate.value)
    return tuple(by_server), tuple(wrong)


async def _unknown(historian: OpcUaHistorian, speed: str) -> str:
    try:
        await read_history(historian, [f"{speed} that is not there"], ALL)
    except HistorianError as error:
        return f"an error ({type(error).__name__})"
    return "an empty history"


async def _stored(historian: OpcUaHistorian, server: PlantServer, time_ns: int) -> str:
    try:
        (outcome,) = await historian.write([Sample(server.score, time_ns, 0.5, 0)])
    except HistorianError as error:
        return f"refused ({type(error).__name__})"
    if quality_of(outcome.status) is not Quality.GOOD:
        return f"refused (0x{outcome.status:08X})"
    return "source time" if outcome.time_kept else "without time"


async def examined(name: str, modules: Path | None) -> Support:
    """Start, examine, stop."""
    with tempfile.TemporaryDirectory() as folder:
        async with running_server(name, modules, Path(folder)) as server:
            return await examine(server)


def table(rows: dict[str, str]) -> str:
    """The page."""
    return HEAD + "".join(f"{rows[name]}\n" for name in SERVERS if name in rows)


def rows_of(page: str) -> dict[str, str]:
    """Server -> its row on a page."""
    return {name: line for line in page.splitlines() for name in SERVERS if line.startswith(f"| {name} |")}


def main(page: Path) -> None:
    """Write the page."""
    modules = (
        Path(os.environ.get("TAGSIGHT_INTEROP_CACHE") or user_cache_path("tagsight-interop")) / "node/node_modules"
    )
    rows = rows_of(page.read_text(encoding="utf-8")) if page.exists() else {}
    for name in SERVERS:
        if why := missing(name):
            print(f"{name}: {why}")  # noqa: T201 - to whoever makes the page
        else:
            rows[name] = asyncio.run(examined(name, modules)).row(name)
            print(rows[name])  # noqa: T201 - to whoever makes the page
    page.write_text(table(rows), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

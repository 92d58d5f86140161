"""A backfill of twelve gaps in a process of its own that kills itself with SIGKILL at a given point.

    python killed_backfill.py FOLDER STEPS

The point is the STEPS-th change of the store or of the gap ledger: before it is made when even, after it when odd.
"""

import asyncio
import json
import os
import signal
import sys
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tagsight_connectors.history import Span
from tagsight_connectors.store.backfill import backfill_step
from tagsight_connectors.store.catalogue import Catalogue
from tagsight_connectors.store.days import DAY_NS
from tagsight_connectors.store.gaps import GapLedger
from tagsight_connectors.store.history_store import HistoryStore
from tests.connectors.store.stored_plant import HOUR, START, TAGS, StoredPlant
from tests.connectors.store.test_backfill import TWELVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SECOND = 1_000_000_000


def deadly(kind: type, name: str, changes: "Iterator[int]", last: int) -> None:
    """Count the calls of a method; the last one is the end, before it when its number is even, else after it."""
    original: Callable[..., Any] = getattr(kind, name)

    def counted(*arguments: Any, **named: Any) -> Any:
        number = next(changes)
        if number == last and last % 2 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        found = original(*arguments, **named)
        if number == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return found

    setattr(kind, name, counted)


async def main(folder: Path, last: int) -> None:
    """Note the gaps (once), fill them, and say how it ended."""
    plant = await StoredPlant(folder / "store").connect()
    end_ns = plant.now_ns
    if not (folder / "noted").exists():
        for hours, seconds, address in TWELVE:
            start = START + round(hours * HOUR)
            plant.store.gaps.note(plant.key(address), Span(start, start + seconds * SECOND), "down", end_ns, alone=True)
        plant.store.gaps.begin("plant", START + 140 * HOUR, "the link is down", end_ns)  # the one that is open
        (folder / "noted").touch()
    plant.fill(end_ns, end_ns + DAY_NS)
    plant.now_ns = end_ns + DAY_NS
    changes = count(1)
    for kind, name in (
        (HistoryStore, "write_part"),
        (Catalogue, "put"),
        (GapLedger, "settle"),
        (HistoryStore, "discard"),
    ):
        deadly(kind, name, changes, last)
    plant.store.gaps.end("plant", START + 150 * HOUR)
    more = True
    while more:
        more = (await backfill_step(plant.stored, TAGS, 30 * DAY_NS)).more
    totals = plant.store.gaps.totals()
    plant.historian.asked.clear()
    await plant.both(Span(START, START + 3 * DAY_NS), TAGS)  # days that were gaps of all tags
    asked_again = len(plant.historian.asked)
    given, held = await plant.both(Span(START, START + 6 * DAY_NS), TAGS)
    said = {"open": totals.open, "filled": totals.filled, "not recovered": totals.not_recovered}
    print(json.dumps(said | {"same": given == held, "asked again": asked_again}))  # noqa: T201 - its answer


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))

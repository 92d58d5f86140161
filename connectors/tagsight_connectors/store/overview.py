"""What is stored, for people who ask from outside: reads the folder and changes nothing."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from tagsight_connectors.store import catalogue, gaps
from tagsight_connectors.store.catalogue import Catalogue, Usage
from tagsight_connectors.store.database import BUSY_TIMEOUT_S, failures
from tagsight_connectors.store.gaps import Change, Gap, GapLedger, GapState, GapTotals


@dataclass(frozen=True, slots=True)
class Overview:
    """Of one folder.

    Attributes:
        usage: how much is stored.
        totals: of gaps and of days that changed.
        open_gaps: the newest.
        not_recovered: the newest.
        changes: the newest.
    """

    usage: Usage
    totals: GapTotals
    open_gaps: list[Gap]
    not_recovered: list[Gap]
    changes: list[Change]


def overview(folder: Path, at_most: int = 5) -> Overview | None:
    """What is there; None where no store was ever begun. `at_most` of each list. Raises StoreFailure."""
    if not (folder / catalogue.NAME).exists() or not (folder / gaps.NAME).exists():
        return None
    with failures(), closing(_reader(folder / catalogue.NAME)) as stored, closing(_reader(folder / gaps.NAME)) as noted:
        ledger = GapLedger(noted)
        return Overview(
            Catalogue(stored).usage(),
            ledger.totals(),
            ledger.newest(GapState.OPEN, at_most),
            ledger.newest(GapState.NOT_RECOVERED, at_most),
            ledger.changes(at_most),
        )


def _reader(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", BUSY_TIMEOUT_S, uri=True)

"""The gap ledger: what should have been read and was not, until it is filled or given up. And what changed too late.

It outlasts a power cut (fsync at every commit) and is a database of its own: the store around it may be thrown away.
"""

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Self

from tagsight_connectors.history import Span
from tagsight_connectors.store import limits
from tagsight_connectors.store.database import Tell, failures, open_database, transaction
from tagsight_connectors.store.days import TagKey

NAME: Final = "gaps.sqlite"
_FIRST_WAIT_NS: Final = 600_000_000_000
_MOST_DOUBLINGS: Final = 7

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS gaps (
    number INTEGER PRIMARY KEY AUTOINCREMENT, historian TEXT NOT NULL, address TEXT NOT NULL, start_ns INTEGER NOT NULL,
    end_ns INTEGER, noted_ns INTEGER NOT NULL, cause TEXT NOT NULL, state TEXT NOT NULL, settled_ns INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0, next_ns INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS gaps_by_state ON gaps (historian, state, address);
CREATE TABLE IF NOT EXISTS changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, historian TEXT NOT NULL, address TEXT NOT NULL, day INTEGER NOT NULL,
    noticed_ns INTEGER NOT NULL, stored INTEGER NOT NULL, found INTEGER NOT NULL, kept TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS totals (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""


class GapState(Enum):
    """What became of a gap."""

    OPEN = "open"
    FILLED = "filled"
    NOT_RECOVERED = "not recovered"


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap.

    Attributes:
        number: of its row.
        tag: whose; an empty address: every tag that this historian's models read.
        start_ns: source time, UTC ns.
        end_ns: None while it still goes on.
        noted_ns: when it was noticed.
        cause: in words; once given up, why.
        state: see `GapState`.
        attempts: how often it was asked for again in vain.
    """

    number: int
    tag: TagKey
    start_ns: int
    end_ns: int | None
    noted_ns: int
    cause: str
    state: GapState
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """A stored day that the historian tells otherwise by now: data came later than `late`, or were corrected.

    Attributes:
        tag: whose.
        day: days since 1970, UTC.
        noticed_ns: when.
        stored: values that were stored.
        found: values that the historian has now.
        kept: which of both is stored since: "new", or "old" where the historian has none any more.
    """

    tag: TagKey
    day: int
    noticed_ns: int
    stored: int
    found: int
    kept: str


@dataclass(frozen=True, slots=True)
class GapTotals:
    """Counted for ever, but for `open`."""

    open: int
    filled: int
    not_recovered: int
    changed_days: int


_COLUMNS: Final = "number, historian, address, start_ns, end_ns, noted_ns, cause, state, attempts"


class GapLedger:
    """The rows; thread-safe. Raises StoreFailure.

    Attributes:
        not_recovered: gaps given up since the ledger was begun; told without a look at the disk.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.RLock()
        self.not_recovered = self.totals().not_recovered

    @classmethod
    def open(cls, folder: Path, tell: Tell) -> Self:
        """In a folder that exists."""
        return cls(open_database(folder / NAME, _SCHEMA, tell, durable=True))

    def close(self) -> None:
        """Release the database."""
        with self._using():
            self._connection.close()

    def note(self, tag: TagKey, span: Span, cause: str, now_ns: int, *, alone: bool = False) -> None:
        """A gap. One that lies within an open gap of the tag is known already.

        `alone`: note it even where a gap of the whole historian holds it, because this tag cannot be filled with it.
        """
        if span.start_ns >= span.end_ns:
            return
        with self._changing():
            addresses = (tag.address, tag.address if alone else "")
            known = self._connection.execute(
                "SELECT 1 FROM gaps WHERE historian = ? AND state = 'open' AND address IN (?, ?) AND start_ns <= ? "
                "AND end_ns >= ?",
                (tag.historian, *addresses, span.start_ns, span.end_ns),
            ).fetchone()
            if known is None and not self._joined(tag, span):
                self._connection.execute(
                    "INSERT INTO gaps (historian, address, start_ns, end_ns, noted_ns, cause, state) "
                    "VALUES (?, ?, ?, ?, ?, ?, 'open')",
                    (tag.historian, tag.address, span.start_ns, span.end_ns, now_ns, cause),
                )

    def begin(self, historian: str, start_ns: int, cause: str, now_ns: int) -> None:
        """A gap of every tag that goes on; one at a time for each historian."""
        with self._changing():
            if self._going_on(historian) is None:
                self._connection.execute(
                    "INSERT INTO gaps (historian, address, start_ns, noted_ns, cause, state) "
                    "VALUES (?, '', ?, ?, ?, 'open')",
                    (historian, start_ns, now_ns, cause),
                )

    def end(self, historian: str, end_ns: int) -> None:
        """What went on is over."""
        with self._changing():
            self._connection.execute(
                "UPDATE gaps SET end_ns = MAX(start_ns, ?) WHERE historian = ? AND state = 'open' AND end_ns IS NULL",
                (end_ns, historian),
            )

    def open_gaps(self, historian: str) -> list[Gap]:
        """Of one historian, by their beginning."""
        return self._gaps("historian = ? AND state = 'open' ORDER BY start_ns, number", historian)

    def ready(self, historian: str, now_ns: int) -> list[Gap]:
        """Open gaps that are over and whose turn it is, by their beginning."""
        where = "historian = ? AND state = 'open' AND end_ns IS NOT NULL AND next_ns <= ? ORDER BY start_ns, number"
        return self._gaps(where, historian, now_ns)

    def apart(self, gap: Gap) -> set[str]:
        """Tags that have a row of their own over all of this gap, because it could not be filled for them."""
        with self._using():
            rows = self._connection.execute(
                "SELECT DISTINCT address FROM gaps WHERE historian = ? AND address != '' AND state != 'filled' "
                "AND start_ns <= ? AND end_ns >= ?",
                (gap.tag.historian, gap.start_ns, gap.end_ns),
            )
            return {str(address) for (address,) in rows}

    def newest(self, state: GapState, at_most: int = 100) -> list[Gap]:
        """Of all historians, the newest first."""
        return self._gaps("state = ? ORDER BY number DESC LIMIT ?", state.value, at_most)

    def settle(self, gap: Gap, state: GapState, now_ns: int, cause: str = "") -> bool:
        """An open gap is filled, or given up with its cause; exactly once, and counted. False: it was settled."""
        with self._changing():
            done = self._connection.execute(
                "UPDATE gaps SET state = ?, settled_ns = ?, cause = ? WHERE number = ? AND state = 'open'",
                (state.value, now_ns, cause or gap.cause, gap.number),
            )
            if done.rowcount:
                self._count(state.value, 1)
                self._connection.execute(
                    "DELETE FROM gaps WHERE state != 'open' AND number <= "
                    "(SELECT number FROM gaps WHERE state != 'open' ORDER BY number DESC LIMIT 1 OFFSET ?)",
                    (limits.SETTLED,),
                )
        if done.rowcount and state is GapState.NOT_RECOVERED:
            self.not_recovered += 1
        return bool(done.rowcount)

    def failed(self, gap: Gap, cause: str, now_ns: int) -> None:
        """It could not be filled now: its next turn comes in 10 minutes, 20, 40, ... at most a day."""
        wait = _FIRST_WAIT_NS * 2 ** min(gap.attempts, _MOST_DOUBLINGS)
        with self._using():
            self._connection.execute(
                "UPDATE gaps SET attempts = attempts + 1, next_ns = ?, cause = ? WHERE number = ?",
                (now_ns + wait, cause, gap.number),
            )

    def note_changes(self, changes: Sequence[Change]) -> None:
        """Days that the historian tells otherwise."""
        with self._changing():
            self._connection.executemany(
                "INSERT INTO changes (historian, address, day, noticed_ns, stored, found, kept) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(*_key(one.tag), one.day, one.noticed_ns, one.stored, one.found, one.kept) for one in changes],
            )
            self._count("changed", len(changes))
            self._connection.execute(
                "DELETE FROM changes WHERE number <= (SELECT MAX(number) FROM changes) - ?", (limits.SETTLED,)
            )

    def changes(self, at_most: int = 100) -> list[Change]:
        """The newest first."""
        with self._using():
            rows = self._connection.execute(
                "SELECT historian, address, day, noticed_ns, stored, found, kept FROM changes "
                "ORDER BY number DESC LIMIT ?",
                (at_most,),
            ).fetchall()
        return [Change(TagKey(row[0], row[1]), *row[2:]) for row in rows]

    def totals(self) -> GapTotals:
        """For people."""
        with self._using():
            (still_open,) = self._connection.execute("SELECT COUNT(*) FROM gaps WHERE state = 'open'").fetchone()
            counted = dict(self._connection.execute("SELECT name, number FROM totals").fetchall())
        return GapTotals(
            still_open,
            counted.get(GapState.FILLED.value, 0),
            counted.get(GapState.NOT_RECOVERED.value, 0),
            counted.get("changed", 0),
        )

    @contextmanager
    def _using(self) -> Iterator[None]:
        with self._lock, failures():
            yield

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._using(), transaction(self._connection):
            yield

    def _joined(self, tag: TagKey, span: Span) -> bool:
        """With too many open gaps, the newest one of the tag grows instead: more is read again than was missing."""
        (count,) = self._connection.execute(
            "SELECT COUNT(*) FROM gaps WHERE historian = ? AND state = 'open'", (tag.historian,)
        ).fetchone()
        if count < limits.GAPS:
            return False
        grown = self._connection.execute(
            "UPDATE gaps SET start_ns = MIN(start_ns, ?), end_ns = MAX(end_ns, ?) WHERE number = (SELECT MAX(number) "
            "FROM gaps WHERE historian = ? AND address = ? AND state = 'open' AND end_ns IS NOT NULL)",
            (span.start_ns, span.end_ns, *_key(tag)),
        )
        return bool(grown.rowcount)

    def _going_on(self, historian: str) -> object:
        query = "SELECT 1 FROM gaps WHERE historian = ? AND state = 'open' AND end_ns IS NULL"
        return self._connection.execute(query, (historian,)).fetchone()

    def _gaps(self, where: str, *arguments: object) -> list[Gap]:
        with self._using():
            query = f"SELECT {_COLUMNS} FROM gaps WHERE {where}"  # noqa: S608 - `where` is written above
            rows = self._connection.execute(query, arguments).fetchall()
        return [_gap(*row) for row in rows]

    def _count(self, name: str, more: int) -> None:
        self._connection.execute(
            "INSERT INTO totals VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET number = number + excluded.number",
            (name, more),
        )


def _gap(  # noqa: PLR0917 - the columns of a row
    number: int,
    historian: str,
    address: str,
    start_ns: int,
    end_ns: int | None,
    noted_ns: int,
    cause: str,
    state: str,
    attempts: int,
) -> Gap:
    return Gap(number, TagKey(historian, address), start_ns, end_ns, noted_ns, cause, GapState(state), attempts)


def _key(tag: TagKey) -> tuple[str, str]:
    return tag.historian, tag.address

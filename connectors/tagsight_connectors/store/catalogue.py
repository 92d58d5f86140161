"""Which days of which tags are stored, and in which files. A day stands here only when its read was complete.

Every row carries a seal over what it says and whose it is, so that a damaged row counts as no row. The catalogue does
not outlast a power cut by itself (no fsync): a day whose row or file was lost is read again.
"""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from tagsight_connectors.store.database import Tell, open_database, transaction
from tagsight_connectors.store.days import TagKey

NAME: Final = "catalogue.sqlite"
BLOCK_BYTES: Final = 4_096
_AT_ONCE: Final = 500

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS tags (
    id INTEGER PRIMARY KEY, historian TEXT NOT NULL, address TEXT NOT NULL, UNIQUE (historian, address));
CREATE TABLE IF NOT EXISTS days (
    tag INTEGER NOT NULL, day INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL, content TEXT NOT NULL,
    parts TEXT NOT NULL, read_ns INTEGER NOT NULL, used_ns INTEGER NOT NULL, seal TEXT NOT NULL,
    PRIMARY KEY (tag, day)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS oldest_used ON days (used_ns, day);
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a day.

    Attributes:
        file: its name, in the folder of the tag.
        checksum: SHA-256 of its bytes.
        size: bytes.
    """

    file: str
    checksum: str
    size: int


@dataclass(frozen=True, slots=True)
class StoredDay:
    """One day of one tag, completely read.

    Attributes:
        day: days since 1970, UTC.
        count: of values; 0: the historian had none.
        content: digest of the values (`tagsight_connectors.store.days.Content`).
        parts: its files, in order.
        read_ns: when it was last read from the historian, UTC ns.
    """

    day: int
    count: int
    content: str
    parts: tuple[Part, ...]
    read_ns: int

    @property
    def room(self) -> int:
        """Bytes on the disk, in whole blocks."""
        return sum(-(-part.size // BLOCK_BYTES) * BLOCK_BYTES for part in self.parts)


@dataclass(frozen=True, slots=True)
class Usage:
    """How much is stored.

    Attributes:
        room: bytes on the disk.
        tags: with at least one stored day.
        days: of all tags, days without values included.
        values: in all of them.
        first_day: the oldest; None: nothing is stored.
        last_day: the newest.
        damaged: days found damaged since the store was begun; each was asked of the historian again.
        at_most: bytes allowed when it was last opened for use.
    """

    room: int
    tags: int
    days: int
    values: int
    first_day: int | None
    last_day: int | None
    damaged: int
    at_most: int


class Catalogue:
    """The rows. Not thread-safe; raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, folder: Path, tell: Tell) -> Self:
        """In a folder that exists."""
        return cls(open_database(folder / NAME, _SCHEMA, tell, durable=False))

    def close(self) -> None:
        """Release the database."""
        self._connection.close()

    def days(self, tag: TagKey, days: range) -> tuple[dict[int, StoredDay], list[int]]:
        """What is stored of a tag in a range of days, and the days whose row is damaged."""
        rows = self._connection.execute(
            "SELECT day, count, content, parts, read_ns, seal FROM days "
            "JOIN tags ON tags.id = days.tag WHERE historian = ? AND address = ? AND day >= ? AND day < ?",
            (tag.historian, tag.address, days.start, days.stop),
        )
        found: dict[int, StoredDay] = {}
        damaged = []
        for day, count, content, parts, read_ns, seal in rows:
            if _seal(tag, day, count, content, parts) == seal and isinstance(read_ns, int):
                found[day] = StoredDay(day, count, content, tuple(Part(*one) for one in json.loads(parts)), read_ns)
            else:
                damaged.append(day)
        return found, damaged

    def put(self, tag: TagKey, days: Sequence[StoredDay]) -> None:
        """Add or replace days; they count as used when they were read."""
        with transaction(self._connection):
            self._connection.execute(
                "INSERT OR IGNORE INTO tags (historian, address) VALUES (?, ?)", (tag.historian, tag.address)
            )
            number = self._number(tag)
            self._connection.executemany(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [(number, *_row(tag, one)) for one in days],
            )

    def remove(self, tag: TagKey, days: Iterable[int]) -> None:
        """Forget days."""
        with transaction(self._connection):
            number = self._number(tag)
            self._connection.executemany("DELETE FROM days WHERE tag = ? AND day = ?", [(number, day) for day in days])

    def touch(self, tags: Iterable[TagKey], days: range, now_ns: int) -> None:
        """These days were asked for."""
        with transaction(self._connection):
            for tag in tags:
                self._connection.execute(
                    "UPDATE days SET used_ns = ? WHERE tag = ? AND day >= ? AND day < ?",
                    (now_ns, self._number(tag), days.start, days.stop),
                )

    def longest_unused(self, before_ns: int) -> list[tuple[TagKey, StoredDay]]:
        """Some of the days that were last asked for before this, the longest unused first; at most 500."""
        rows = self._connection.execute(
            "SELECT historian, address, day, count, content, parts, read_ns FROM days "
            "JOIN tags ON tags.id = days.tag WHERE used_ns < ? ORDER BY used_ns, day LIMIT ?",
            (before_ns, _AT_ONCE),
        )
        return [(TagKey(one[0], one[1]), _stored(*one[2:])) for one in rows]

    def files(self, tag: TagKey) -> set[str]:
        """Names of all files of a tag."""
        query = "SELECT parts FROM days WHERE tag = ?"
        rows = self._connection.execute(query, (self._number(tag),))
        return {part.file for (parts,) in rows for part in _parts(parts)}

    def tags(self) -> Iterator[TagKey]:
        """Every tag that was ever stored."""
        for historian, address in self._connection.execute("SELECT historian, address FROM tags").fetchall():
            yield TagKey(historian, address)

    def room(self) -> int:
        """Bytes on the disk of all days."""
        (room,) = self._connection.execute("SELECT COALESCE(SUM(size), 0) FROM days").fetchone()
        return int(room)

    def usage(self) -> Usage:
        """For people."""
        room, tags, days, values, first_day, last_day = self._connection.execute(
            "SELECT COALESCE(SUM(size), 0), COUNT(DISTINCT tag), COUNT(*), COALESCE(SUM(count), 0), MIN(day), MAX(day) "
            "FROM days"
        ).fetchone()
        return Usage(room, tags, days, values, first_day, last_day, self.fact("damaged"), self.fact("at_most"))

    def fact(self, name: str) -> int:
        """A number that is kept; 0 if it never was."""
        row = self._connection.execute("SELECT number FROM facts WHERE name = ?", (name,)).fetchone()
        return int(row[0]) if row else 0

    def keep_fact(self, name: str, number: int) -> None:
        """Keep a number."""
        self._connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, number))

    def _number(self, tag: TagKey) -> int:
        query = "SELECT id FROM tags WHERE historian = ? AND address = ?"
        row = self._connection.execute(query, (tag.historian, tag.address)).fetchone()
        return int(row[0]) if row else -1


def _row(tag: TagKey, one: StoredDay) -> tuple[object, ...]:
    parts = json.dumps([[part.file, part.checksum, part.size] for part in one.parts])
    seal = _seal(tag, one.day, one.count, one.content, parts)
    return one.day, one.count, one.room, one.content, parts, one.read_ns, one.read_ns, seal


def _stored(day: int, count: int, content: str, parts: str, read_ns: int) -> StoredDay:
    return StoredDay(day, count, content, _parts(parts), read_ns)


def _parts(text: str) -> tuple[Part, ...]:
    """Of a row that may be damaged: then it has no files."""
    try:
        return tuple(Part(str(file), str(checksum), int(size)) for file, checksum, size in json.loads(text))
    except (ValueError, TypeError):
        return ()


def _seal(tag: TagKey, *row: object) -> str:
    said = json.dumps([tag.historian, tag.address, *row], default=repr)
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()

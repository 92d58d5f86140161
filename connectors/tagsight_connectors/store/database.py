"""SQLite as the store uses it: write-ahead log, short transactions, and a damaged database is begun anew."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

BUSY_TIMEOUT_S: Final = 10.0
_NOT_DAMAGED: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
}

Tell = Callable[[str], None]
"""Takes one sentence for the log."""


class StoreFailure(Exception):
    """The store cannot do it now: no room, no right to write, a locked database. The historian still can."""


def open_database(path: Path, schema: str, tell: Tell, *, durable: bool) -> sqlite3.Connection:
    """The database, made if there is none. A damaged one is put aside as `NAME.damaged`, and told.

    `durable`: what was committed outlasts a power cut. Raises sqlite3.Error, OSError.
    """
    try:
        return _opened(path, schema, durable=durable)
    except (sqlite3.DatabaseError, UnicodeError) as error:
        if getattr(error, "sqlite_errorcode", None) in _NOT_DAMAGED:
            raise
        tell(f"{path.name} of the history store is damaged ({error}); it is begun anew")
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.replace(path.with_name(f"{path.name}.damaged"))
        return _opened(path, schema, durable=durable)


def _opened(path: Path, schema: str, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")  # a damaged text is seen by its seal
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.executescript(schema)
        _examine(connection, schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _examine(connection: sqlite3.Connection, schema: str) -> None:
    """Raise for damaged pages, and for tables other than ours: damaged ones, or those of another version."""
    (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)
    with contextlib.closing(sqlite3.connect(":memory:")) as fresh:
        fresh.executescript(schema)
        if _tables(fresh) != _tables(connection):
            raise sqlite3.DatabaseError("its tables are others")


def _tables(connection: sqlite3.Connection) -> list[object]:
    return connection.execute("SELECT name, sql FROM sqlite_master ORDER BY name").fetchall()


@contextlib.contextmanager
def failures() -> Iterator[None]:
    """What disk and database raise, as StoreFailure."""
    try:
        yield
    except (OSError, sqlite3.Error, UnicodeError) as error:
        raise StoreFailure(str(error)) from error


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")

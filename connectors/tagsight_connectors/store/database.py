"""SQLite as the store uses it: write-ahead log, short transactions, and a damaged database is begun anew."""

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

BUSY_TIMEOUT_S: Final = 10.0

Tell = Callable[[str], None]
"""Takes one sentence for the log."""


def open_database(path: Path, schema: str, tell: Tell, *, durable: bool) -> sqlite3.Connection:
    """The database, made if there is none. A damaged one is put aside as `NAME.damaged`, and told.

    `durable`: what was committed outlasts a power cut. Raises sqlite3.Error, OSError.
    """
    try:
        return _opened(path, schema, durable=durable)
    except sqlite3.OperationalError:
        raise  # locked, or no right to write: not damaged
    except sqlite3.DatabaseError as error:
        tell(f"{path.name} of the history store is damaged ({error}); it is begun anew")
        for ending in ("-wal", "-shm"):
            path.with_name(path.name + ending).unlink(missing_ok=True)
        path.replace(path.with_name(f"{path.name}.damaged"))
        return _opened(path, schema, durable=durable)


def _opened(path: Path, schema: str, *, durable: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(path, BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        _examine(connection)
        connection.executescript(schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _examine(connection: sqlite3.Connection) -> None:
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        raise sqlite3.DatabaseError(found)


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

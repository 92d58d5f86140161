"""One SQLite database through SQLAlchemy Core: how it is opened, what a transaction is, what its errors mean."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from sqlalchemy import Connection, Engine, MetaData, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry, StaticPool

from tagsight.errors import StorageError
from tagsight.platform import make_private

BUSY_TIMEOUT_S: Final = 10.0
"""How long a transaction waits for another process before it gives up."""

_WAL_KEPT_BYTES: Final = 16 << 20
_FULL: Final = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM")
_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")
_BUSY: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


@dataclass
class Database:
    """One connection, used by one thread at a time; every block is one transaction, committed or undone as a whole."""

    path: Path
    engine: Engine
    _turn: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; committed to the disk (FULL) when the block has ended without an error."""
        with self._transaction("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that sees one state of the database; keep it short."""
        with self._transaction("BEGIN") as connection:
            yield connection

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """Outside a transaction: for PRAGMAs."""
        with self._turn, mapped(self.path), self.engine.connect() as connection:
            yield connection

    def give_back(self, pages: int) -> None:
        """Return at most so many freed pages to the file system."""
        with self.alone() as connection:
            cursor = connection.connection.cursor()
            cursor.execute(f"PRAGMA incremental_vacuum({pages})")
            cursor.fetchall()  # each step frees one page
            cursor.close()

    def close(self) -> None:
        """Release the files."""
        with self._turn:
            self.engine.dispose()

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[Connection]:
        with self._turn, mapped(self.path), self.engine.connect() as connection:
            connection.exec_driver_sql(begin)
            try:
                yield connection
                connection.exec_driver_sql("COMMIT")
            except BaseException:
                _undo(connection)
                raise


def _undo(connection: Connection) -> None:
    raw = connection.connection.dbapi_connection
    if raw is not None and getattr(raw, "in_transaction", False):  # SQLite itself may have undone it (disk full)
        connection.exec_driver_sql("ROLLBACK")


def open_database(
    path: Path,
    metadata: MetaData,
    version: int,
    triggers: tuple[str, ...] = (),
    upgrades: Mapping[int, tuple[str, ...]] = MappingProxyType({}),
) -> Database:
    """Open for writing; a new file gets its tables, one of an older version what it lacks, in one transaction.

    Raises:
        StorageError: cannot be opened, is damaged, or was written by a newer TagSight.
    """
    database = Database(path, _engine(path))
    try:
        with database.alone() as connection:
            connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")  # only takes while there is no table
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            connection.exec_driver_sql(f"PRAGMA journal_size_limit = {_WAL_KEPT_BYTES}")
        with database.write() as connection:
            found = found_version(connection, path, version)
            if found < version:
                metadata.create_all(connection)
                for statement in triggers if found == 0 else _steps(upgrades, found, version):
                    connection.exec_driver_sql(statement)
                connection.exec_driver_sql(f"PRAGMA user_version = {version}")
        _protect(path)
    except BaseException:
        database.close()
        raise
    return database


def _steps(upgrades: Mapping[int, tuple[str, ...]], found: int, version: int) -> Iterator[str]:
    for older in range(found, version):
        yield from upgrades.get(older, ())


def open_for_reading(path: Path, version: int) -> Database:
    """Open a database that another process writes; nothing can be written here.

    Raises:
        StorageError: there is none yet, it is damaged, or was written by another version of TagSight.
    """
    if not path.exists():
        raise StorageError(what=f"there is no {path.name} yet", mend="`tagsight run FILE` makes it.")
    database = Database(path, _engine(path))
    try:
        with database.alone() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
        with database.read() as connection:
            found = found_version(connection, path, version, allow_empty=False)
        _check_not_older(path, found, version)
    except BaseException:
        database.close()
        raise
    return database


def _check_not_older(path: Path, found: int, version: int) -> None:
    if found < version:
        raise StorageError(
            what=f"{path.name} was written by an older TagSight (schema {found}, this one needs {version})",
            mend="`tagsight run FILE` takes it over.",
        )


def found_version(connection: Connection, path: Path, version: int, *, allow_empty: bool = True) -> int:
    """Schema version of the file, 0 for a new one; a newer one is refused."""
    found = int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
    if found == 0 and not allow_empty:
        raise StorageError(what=f"{path.name} is still empty", mend="`tagsight run FILE` fills it.")
    if found > version:
        raise StorageError(
            what=f"{path} was written by a newer TagSight (schema {found}, this one knows {version})",
            mend="Install that version again, or give this one a data folder of its own.",
        )
    return found


def _engine(path: Path) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        isolation_level="AUTOCOMMIT",  # transactions are begun and ended by `Database` alone
        connect_args={"timeout": BUSY_TIMEOUT_S, "check_same_thread": False},
    )
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _protect(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        there = path.with_name(path.name + suffix)
        if there.exists():
            make_private(there)


@contextmanager
def mapped(path: Path) -> Iterator[None]:
    """Turn what SQLAlchemy and SQLite raise into `StorageError`."""
    try:
        yield
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise storage_error(path, error) from error


def storage_error(path: Path, error: Exception) -> StorageError:
    """The words for one error of SQLAlchemy or SQLite."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    name = getattr(cause, "sqlite_errorname", "") or ""
    if name.startswith(_FULL):
        return StorageError(
            what=f"{path} cannot be written: {cause}",
            mend="Is the disk full, or the folder not writable? Make room; TagSight goes on by itself.",
        )
    if name.startswith(_DAMAGED):
        return StorageError(
            what=f"{path} is damaged: {cause}",
            mend=f"Stop TagSight, move {path.name} and its -wal and -shm files aside or put a copy from a backup "
            "in their place, and start it again. Trained models are not affected.",
        )
    if name.startswith(_BUSY):
        return StorageError(what=f"{path} is locked by another program", mend="Close what has it open.")
    return StorageError(what=f"{path}: {cause}", mend="`tagsight status` says more; please report it.")

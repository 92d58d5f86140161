"""What happens to the ledger when the disk, the file or the version is not what it should be."""

import sqlite3
from pathlib import Path

import pytest

from tagsight.clocks import SetClock
from tagsight.errors import StorageError
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.ledger.schema import SCHEMA_VERSION
from tagsight.results import OutputRow, OutputValue, Run

CLOCK = SetClock(10**18)


def big_tick(due_ns: int) -> TickRecord:
    rows = [OutputRow(f"A{n}/H", due_ns, "score", (OutputValue("Message", "x" * 2_000, 0),)) for n in range(20)]
    return TickRecord([Run(row.model, due_ns, 1, 0.1, 0) for row in rows], rows, watermarks={"A0/H": due_ns})


def fill(ledger: Ledger) -> StorageError:
    for due_ns in range(100):
        try:
            ledger.record(big_tick(due_ns))
        except StorageError as full:
            return full
    pytest.fail("the disk never became full")


def test_a_full_disk_loses_the_whole_tick_or_nothing_and_the_ledger_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite", CLOCK) as ledger:
        with ledger._database.alone() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 80")
        full = fill(ledger)
        stored = (ledger.watermark("A0/H") or 0) + 1
        assert stored > 1
        assert "Make room" in full.mend
        assert len(ledger.rows_after(0)) == 20 * stored
        with ledger._database.alone() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        ledger.record(big_tick(stored))
        assert ledger.watermark("A0/H") == stored
        ledger.check()


@pytest.mark.parametrize("content", [b"not a database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4_000])
def test_a_damaged_file_is_an_error_with_a_mend(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged") as damaged:
        Ledger.open(path, CLOCK)
    assert "backup" in damaged.value.mend


def test_damage_in_the_middle_is_found(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path, CLOCK) as ledger:
        for due_ns in range(5):
            ledger.record(big_tick(due_ns))
    content = bytearray(path.read_bytes())
    content[8_192:-4_096] = b"\xa5" * (len(content) - 12_288)
    path.write_bytes(content)
    with pytest.raises(StorageError, match="damaged"), Ledger.open(path, CLOCK) as ledger:
        ledger.check()


def test_a_ledger_of_a_newer_version_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    Ledger.open(path, CLOCK).close()
    other = sqlite3.connect(path)
    other.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    other.close()
    with pytest.raises(StorageError, match="newer TagSight"):
        Ledger.open(path, CLOCK)


def test_a_reader_cannot_write(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    with Ledger.open(path, CLOCK) as writer, Ledger.open_reader(path, CLOCK) as reader:
        writer.record(big_tick(1))
        assert reader.watermark("A0/H") == 1
        with pytest.raises(StorageError):
            reader.record(big_tick(2))


def test_a_reader_of_nothing_says_what_makes_it(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="there is no"):
        Ledger.open_reader(tmp_path / "ledger.sqlite", CLOCK)


def test_a_commit_is_on_the_disk_before_it_returns(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite", CLOCK) as ledger, ledger._database.alone() as connection:
        pragmas = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in PRAGMAS}
    assert pragmas == PRAGMAS


PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "auto_vacuum": 2}

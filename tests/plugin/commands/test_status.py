"""`tagsight status`, with and without a configuration."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.clocks import SystemClock
from tagsight.configuration import load
from tagsight.data_folder import DataFolder
from tagsight.drift_outputs import drift_row
from tagsight.drift_task import NOT_KNOWN, DriftFound
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.platform import InstanceLock

FILE = """
timezone: UTC
historian: {url: "memory://plant"}
models: [{name: Health, asset: P101, inputs: ["*"], score: {every: 1m}}]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tagsight.yaml"
    path.write_text(FILE, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> DataFolder:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with Ledger.open(folder.ledger, SystemClock()):
        return folder


@pytest.fixture
def service(data: DataFolder, file: Path) -> Iterator[InstanceLock]:
    """What `tagsight run` holds."""
    lock = InstanceLock(data.lock)
    assert lock.acquire(load(file).digest)
    yield lock
    lock.release()


def said(capsys: pytest.CaptureFixture[str], data: DataFolder, *arguments: str) -> str:
    assert run(["status", *arguments, "--data", str(data.root)]) == 0
    return capsys.readouterr().out


def test_without_a_file_nothing_is_said_about_one(data: DataFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert "configuration" not in said(capsys, data)


def test_the_drift_of_a_model_stands_below_it(data: DataFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        ledger.bind(BoundModel("P101/Health", None))
        row = drift_row(DriftFound("P101/Health", 1_760_000_040_000_000_000, None, NOT_KNOWN))
        ledger.record(TickRecord(rows=[row]))
    assert f"P101/Health: not trained yet\n  drift not known: {NOT_KNOWN}" in said(capsys, data)


@pytest.mark.usefixtures("service")
def test_a_file_that_runs_is_told_from_one_that_was_edited(
    data: DataFolder, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "is what runs" in said(capsys, data, str(file))
    file.write_text(FILE + "# a remark changes nothing\n", encoding="utf-8")
    assert "is what runs" in said(capsys, data, str(file))
    file.write_text(FILE.replace("1m", "5m"), encoding="utf-8")
    assert "lets the service take it over" in said(capsys, data, str(file))
    file.write_text(FILE.replace("1m", "now and then"), encoding="utf-8")
    assert "`tagsight check " in said(capsys, data, str(file))


def test_without_a_service_nothing_runs(data: DataFolder, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "no service runs with this data folder" in said(capsys, data, str(file))


@pytest.mark.usefixtures("service")
def test_a_second_service_is_refused_and_told_which_the_first_is(
    data: DataFolder, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["run", str(file), "--data", str(data.root)]) == 3
    holder = InstanceLock(data.lock).holder()
    assert holder is not None
    assert f"(process {holder.pid}) already uses the data folder" in capsys.readouterr().err


def test_a_changed_audit_trail_is_told(data: DataFolder, capsys: pytest.CaptureFixture[str]) -> None:
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        ledger.audit("anna", "operator", "P101/Health: off")
        ledger.audit("anna", "operator", "P101/Health: on")
    assert "audit trail: 2 entries, unchanged" in said(capsys, data)
    with sqlite3.connect(data.ledger) as connection:
        for (trigger,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE audit SET who = 'bert' WHERE number = 1")
    connection.close()
    assert "AUDIT TRAIL: the audit trail is broken at entry 1" in said(capsys, data)

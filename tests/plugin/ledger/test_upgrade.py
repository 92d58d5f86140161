"""A ledger of an older version is taken over as it is."""

import sqlite3
from pathlib import Path

import pytest

from tagsight.clocks import SetClock
from tagsight.errors import StorageError
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import OperatorAct, OperatorState, TickRecord
from tagsight.ledger.schema import SCHEMA_VERSION, UPGRADES

MODEL = "P101/Health"
CLOCK = SetClock(10**18)
VERSION_1 = """
DROP TABLE activations; DROP TABLE operator_state; DROP TABLE alarm_comments;
ALTER TABLE runs DROP COLUMN results; ALTER TABLE runs DROP COLUMN shadow_version;
ALTER TABLE runs DROP COLUMN shadow_score;
CREATE TABLE activations (model TEXT NOT NULL, since_ns INTEGER NOT NULL, announced_ns INTEGER NOT NULL,
    cleared_ns INTEGER, acknowledged_by TEXT NOT NULL DEFAULT '', acknowledged_ns INTEGER,
    comment TEXT NOT NULL DEFAULT '', revised INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (model, announced_ns));
CREATE TABLE operator_state (model TEXT NOT NULL PRIMARY KEY, off INTEGER NOT NULL DEFAULT 0,
    shelved_until_ns INTEGER, feedback_count INTEGER NOT NULL DEFAULT 0);
INSERT INTO activations (model, since_ns, announced_ns, acknowledged_by, acknowledged_ns, comment)
    VALUES ('P101/Health', 1, 2, 'otto', 3, 'seen');
INSERT INTO operator_state (model, off, feedback_count) VALUES ('P101/Health', 1, 4);
PRAGMA user_version = 1;
"""


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.sqlite"
    Ledger.open(path, CLOCK).close()
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
    connection.close()
    return path


def test_a_ledger_of_the_first_version_keeps_what_it_has_and_takes_what_is_new(old: Path) -> None:
    with Ledger.open(old, CLOCK) as ledger:
        (kept,) = ledger.activations(0, 10)
        assert (kept.acknowledged_by, kept.comment, kept.confirmed_ns) == ("otto", "seen", None)
        assert ledger.operator_state(MODEL) == OperatorState(off=True, feedback_count=4)
        ledger.act([OperatorAct("1", MODEL, "olga", 9, confirm=2, comment="cleaned", shelved_until_ns=20)])
        assert ledger.activations(0, 10)[0].confirmed_by == "olga"
        assert [one.comment for one in ledger.comments(MODEL, 2)] == ["cleaned"]
        ledger.record(TickRecord())
    with Ledger.open_reader(old, CLOCK) as reader:
        assert reader.operator_state(MODEL).shelved_until_ns == 20


def test_a_reader_does_not_read_what_has_not_been_taken_over(old: Path) -> None:
    with pytest.raises(StorageError, match="older TagSight"):
        Ledger.open_reader(old, CLOCK)


def test_every_older_version_has_its_step() -> None:
    assert set(UPGRADES) == set(range(1, SCHEMA_VERSION))

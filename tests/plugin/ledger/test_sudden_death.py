"""Commit before acknowledge: a process killed at any moment has lost nothing that it had acknowledged."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from random import Random

from tagsight.clocks import SetClock
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState

WRITER = Path(__file__).with_name("committing_writer.py")
KILLS = 8


def acknowledged_until_killed(folder: Path, most_lines: int) -> list[list[str]]:
    """Kill the writer after some acknowledgements; at which step of the next ones it is, nobody knows."""
    with subprocess.Popen([sys.executable, str(WRITER), str(folder)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(most_lines)]
        writer.kill()
        lines += writer.stdout.readlines()
    return [line.split() for line in lines if line.endswith("\n")]


def test_no_acknowledged_row_is_lost_to_sigkill(tmp_path: Path) -> None:
    random = Random(7)
    acknowledged = []
    for _ in range(KILLS):
        acknowledged += acknowledged_until_killed(tmp_path, random.randint(1, 30))
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock()) as ledger, Inbox.open(tmp_path / "inbox.sqlite") as inbox:
        times, scores = ledger.scores("A/H", 0, 10**9)
        stored = dict(zip(times.tolist(), scores.tolist(), strict=True))
        assert {int(due_ns) for due_ns, _ in acknowledged} <= stored.keys()
        assert {entry for _, entry in acknowledged} <= {one.id for one in inbox.unread()}
        assert all(after == before + 1 for before, after in pairwise(stored))
        assert all(score == due_ns / 7 for due_ns, score in stored.items())
        assert ledger.deliveries_in(DeliveryState.PENDING) == len(stored)
        ledger.check()

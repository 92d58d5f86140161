"""A process that commits ticks and tells each on stdout after it was committed; to be killed at any moment."""

import sys
from pathlib import Path

from tagsight.clocks import SystemClock
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.results import OutputRow, OutputValue, Run
from tagsight_connectors.serving import ClientWrite

folder = Path(sys.argv[1])
with Ledger.open(folder / "ledger.sqlite", SystemClock()) as ledger, Inbox.open(folder / "inbox.sqlite") as inbox:
    due_ns = (ledger.watermark("A/H") or 0) + 1
    while True:
        row = OutputRow("A/H", due_ns, "score", (OutputValue("Score", due_ns / 7, 0),))
        ledger.record(TickRecord([Run("A/H", due_ns, 1, due_ns / 7, 0)], [row], {"A/H": "write:h"}, {"A/H": due_ns}))
        entry = inbox.append(ClientWrite("A/H/Feedback", 1, "otto", due_ns))
        sys.stdout.write(f"{due_ns} {entry}\n")
        sys.stdout.flush()
        due_ns += 1

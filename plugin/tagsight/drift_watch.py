"""Looks once an hour how far each model's inputs and relations have drifted, one model after the other.

What is due is told by the ledger alone: a model whose newest look is of an earlier hour than its newest score. The
worker of the explanations computes, so that no score waits; a look that fails is told and made in the next hour.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tagsight.drift_outputs import DRIFT_PART, drift_row
from tagsight.drift_task import DriftFound, DriftTask
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.tick import Participant
from tagsight.workers import Task, Worker, WorkerFailure
from tagsight_explain.language import ENGLISH

HOUR_NS: Final = 3_600_000_000_000
SECONDS: Final = 60.0


@dataclass
class DriftWatch:
    """Of one service.

    Attributes:
        worker: that computes; not the one that scores.
        ledger: read for what is due, written with what was found.
        path: of its file, for the worker.
        destinations: model -> where its results are owed.
        tell: (what, why) of a trouble.
        language: of the words in `DriftReason`.
    """

    worker: Worker
    ledger: Ledger
    path: Path
    destinations: Mapping[str, str]
    tell: Callable[[str, str], None]
    language: str = ENGLISH
    _looked: dict[str, int] = field(init=False, default_factory=dict)

    async def step(self, participants: Mapping[str, Participant]) -> str:
        """Look at the model that waits longest; its key, "" where none is due. Raises StorageError: call again."""
        due = self._due(participants)
        if due is None:
            return ""
        key, end_ns = due
        card = participants[key].facts.card
        asked = DriftTask(self.path, key, participants[key].facts.version, card.facts.get("drift"), end_ns)
        try:
            found: DriftFound = await self.worker.run(Task("drift", asked, SECONDS))
        except WorkerFailure as failure:
            self.tell(f"drift of {key}", f"{failure}; {failure.detail}")
        else:
            row = drift_row(found, self.language, trial=card.trial)
            self.ledger.record(TickRecord(rows=[row], destinations=self.destinations))
        self._looked[key] = end_ns // HOUR_NS
        return key

    def _due(self, participants: Mapping[str, Participant]) -> tuple[str, int] | None:
        """Key and newest due time of the model whose newest look is the oldest."""
        waiting = [
            (self._hour(key), key, newest_ns)
            for key, newest_ns in self.ledger.watermarks().items()
            if key in participants and self._looked.get(key) != newest_ns // HOUR_NS
        ]
        for hour, key, newest_ns in sorted(waiting):
            if hour != newest_ns // HOUR_NS:
                return key, newest_ns
            self._looked[key] = hour
        return None

    def _hour(self, key: str) -> int:
        """Of the newest look; -1 before the first."""
        if key not in self._looked:
            row = self.ledger.newest_row(key, DRIFT_PART)
            self._looked[key] = -1 if row is None else row.row.due_ns // HOUR_NS
        return self._looked[key]

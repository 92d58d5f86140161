"""The explanations that runs wait for: computed one model at a time behind the scores, which never wait for them."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Final, TypeAlias

from tagsight.alarms import LIMIT
from tagsight.errors import StorageError
from tagsight.explain_settings import explain_settings
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.outputs import explanation_row
from tagsight.plan import ModelPlan
from tagsight.recording import Explainable
from tagsight.results import ExplanationResult, Run
from tagsight.scoring_task import StorePlace
from tagsight.workers import Task, Worker, WorkerFailure

MOST_WAITING: Final = 20_000
"""Runs that may wait; beyond it the least abnormal ones are recorded as not explained."""

AT_ONCE: Final = 20
_SECONDS_SPARE: Final = 30.0

_Entry: TypeAlias = tuple[bool, float, int, int, Explainable]
"""Whether it is of the past, minus the score, a number that tells equal scores apart, the tick, the run."""


@dataclass
class Explainer:
    """Explains what ticks hand over, the most abnormal first; runs of a backlog come after all those of the present.

    A run of a tick before the newest one that is below half its limit gives way when the worker cannot keep up: it is
    recorded as not explained, with that reason.
    """

    worker: Worker
    place: StorePlace
    ledger: Ledger
    destinations: dict[str, str]
    plans: dict[str, ModelPlan]
    _waiting: list[_Entry] = field(init=False, default_factory=list)
    _numbers: "count[int]" = field(init=False, default_factory=count)
    _tick: int = field(init=False, default=0)

    def add(self, runs: Sequence[Explainable]) -> None:
        """Hand over the runs of one tick."""
        self._tick += 1
        self._push(runs, past=False)

    def add_past(self, runs: Sequence[Explainable]) -> None:
        """Hand over runs of a backlog: no tick of the present gives way for them."""
        self._push(runs, past=True)

    def _push(self, runs: Sequence[Explainable], *, past: bool) -> None:
        for one in runs:
            score = one.scored.run.score or 0.0
            heapq.heappush(self._waiting, (past, -score, next(self._numbers), self._tick, one))

    @property
    def waiting(self) -> int:
        """How many runs are not explained yet."""
        return len(self._waiting)

    async def step(self) -> int:
        """Explain the most abnormal runs of one model; how many were recorded (0: nothing waits)."""
        if not self._waiting:
            return 0
        taken = self._take()
        try:
            return await self._settled(*taken)
        except StorageError:  # nothing of it was kept: it waits on
            for one in (*taken[0], *taken[1]):
                heapq.heappush(self._waiting, one)
            raise

    async def _settled(self, late_entries: Sequence[_Entry], entries: Sequence[_Entry]) -> int:
        late, batch = [entry[4] for entry in late_entries], [entry[4] for entry in entries]
        explained = await self._explained(batch) if batch else []
        runs = [*explained, *(replace(one.scored.run, explanation=_not_in_time()) for one in late)]
        circumstances = {one.scored.run.due_ns: one.circumstances for one in (*batch, *late)}
        model = runs[0].model
        rows = [explanation_row(run, circumstances[run.due_ns]) for run in runs]
        destination = {model: self.destinations[model]} if model in self.destinations else {}
        self.ledger.record(TickRecord(runs=runs, rows=rows, destinations=destination))
        return len(runs)

    async def _explained(self, batch: Sequence[Explainable]) -> list[Run]:
        plan = self.plans[batch[0].scored.run.model]
        asked = (self.place, plan.key, tuple(one.scored for one in batch), explain_settings(plan))
        deadline = plan.explain_seconds * len(batch) + _SECONDS_SPARE
        try:
            answered: list[Run] = await self.worker.run(Task("explain", asked, deadline))
        except WorkerFailure as failure:
            why = ExplanationResult(0.0, {}, {}, failure.cause)
            return [replace(one.scored.run, explanation=why) for one in batch]
        return answered

    def _take(self) -> tuple[list[_Entry], list[_Entry]]:
        """Of one model: those that are too late, and those to explain now."""
        model = self._waiting[0][4].scored.run.model
        mine = [entry for entry in self._waiting if entry[4].scored.run.model == model]
        crowded = len(self._waiting) > MOST_WAITING
        late = [entry for entry in mine if -entry[1] < LIMIT / 2 and (entry[3] < self._tick - 1 or crowded)]
        now = sorted(entry for entry in mine if entry not in late)[:AT_ONCE]
        taken = {entry[2] for entry in (*late, *now)}
        self._waiting = [entry for entry in self._waiting if entry[2] not in taken]
        heapq.heapify(self._waiting)
        return late, now


def _not_in_time() -> ExplanationResult:
    return ExplanationResult(0.0, {}, {}, "no time before the next scoring")

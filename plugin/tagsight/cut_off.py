"""Explanations that were cut off when TagSight last ended: the young ones are computed after all, the others say so.

A run keeps no window, so it is scored once more from the historian. Where that gives what the ledger has, the run goes
to the explainer like any other; where it does not (late samples came), the run says that it was not explained.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tagsight.explaining import Explainer
from tagsight.ledger.records import TickRecord
from tagsight.plan import ModelPlan
from tagsight.recording import EXPLAINED_LATER, EXPLAINED_LATER_NS
from tagsight.results import Run
from tagsight.tick import Participant, Ticker
from tagsight_connectors.errors import HistorianError, NotConnected

if TYPE_CHECKING:
    from tagsight.scoring_task import ScoredRun


@dataclass
class CutOff:
    """What one historian's models were left without.

    Attributes:
        ticker: of the historian.
        explainer: of the service.
    """

    ticker: Ticker
    explainer: Explainer
    _left: dict[str, tuple[Run, ...]] = field(init=False, default_factory=dict)

    def look(self, models: Mapping[str, ModelPlan], participants: Mapping[str, Participant]) -> None:
        """At a start, before the first tick: note what can be explained after all, and say so of the others."""
        young_ns = self.ticker.link.now_ns() - EXPLAINED_LATER_NS
        for key, model in models.items():
            found = self.ticker.recorder.cut_off(model)
            young = tuple(run for run in found if run.due_ns >= young_ns)[-EXPLAINED_LATER:]
            self._left[key] = young if key in participants else ()
            self._give_up(model, [run for run in found if run not in self._left[key]])
        self._left = {key: runs for key, runs in self._left.items() if runs}

    async def explain(self, participants: Mapping[str, Participant]) -> None:
        """Hand them to the explainer, one model after the other. Raises NotConnected: call again."""
        for key in list(self._left):
            one = participants.get(key)
            if one is None:
                continue
            runs = self._left[key]
            again: dict[int, ScoredRun] = {}
            try:
                again = {each.run.due_ns: each for each in await self.ticker.scored_again(one, runs)}
            except NotConnected:
                raise
            except HistorianError as error:
                self.ticker.on_trouble(key, f"its newest runs stay unexplained: {error}")
            same = [again[run.due_ns] for run in runs if run.due_ns in again and _same(run, again[run.due_ns].run)]
            self.explainer.add_past(self.ticker.recorder.explainable_past(one.plan, same))
            explained = {each.run.due_ns for each in same}
            self._give_up(one.plan, [run for run in runs if run.due_ns not in explained])
            del self._left[key]

    def _give_up(self, model: ModelPlan, runs: list[Run]) -> None:
        if runs:
            left = self.ticker.recorder.interrupted(model, runs)
            self.ticker.ledger.record(TickRecord(runs=left.runs, rows=left.rows, destinations=self.ticker.destinations))


def _same(run: Run, again: Run) -> bool:
    return (run.version, run.input_digest, run.score) == (again.version, again.input_digest, again.score)

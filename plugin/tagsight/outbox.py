"""The way of results into the historians that take them: the outbox is drained, the plugin's own tags are kept moving.

One historian that is down or slow does not keep another one's results. A historian that refuses source times shows what
was written last under its own time: there only the newest results go, and a backlog is given up, counted and told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tagsight.connections import Link
from tagsight.delivery import BatchSize, DeliveryReport, Way, status_samples, stopped_samples
from tagsight.ledger.ledger import Ledger
from tagsight.opening import accepted_now
from tagsight.plan import Plan, ResultsPlan
from tagsight.plugin_state import PluginState
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Sample, WriteOutcome


@dataclass
class Outbox:
    """What is owed to the historians of one plan.

    Attributes:
        plan: whose results.
        links: by historian name.
        ledger: with the deliveries.
        tell: (what, why) of a trouble.
    """

    plan: Plan
    links: Mapping[str, Link]
    ledger: Ledger
    tell: Callable[[str, str], None]
    _without_times: set[str] = field(init=False, default_factory=set)
    _sizes: dict[str, BatchSize] = field(init=False, default_factory=dict)
    _allowed: dict[str, tuple[object, frozenset[str]]] = field(init=False, default_factory=dict)

    async def deliver(self, historian: str) -> None:
        """Drain what is owed to one historian. Raises HistorianError; what was not confirmed is still owed."""
        results = self._results(historian)
        if results is not None:
            await self._deliver_to(historian, results)

    async def show(self, historian: str, state: PluginState) -> None:
        """Write the plugin's own tags (heartbeat, state, counters). Raises HistorianError."""
        results = self._results(historian)
        if results is not None and state.status is not None and self.links[historian].connected:
            await self._write(historian, status_samples(state.status, results.address))

    async def end(self, historian: str, state: PluginState) -> None:
        """The last word before an orderly stop: heartbeat 0, and all results Bad. A trouble is told, not raised."""
        results = self._results(historian)
        if results is None or state.status is None or not self.links[historian].connected:
            return
        rows = [stored.row for stored in self.ledger.newest_rows()]
        own = {model.key for model in self.plan.models if model.historian == historian}
        last = [
            *stopped_samples([row for row in rows if row.model in own], state.status.time_ns, results.address),
            *status_samples(state.status, results.address, stopped=True),
        ]
        try:
            await self._write(historian, last)
        except HistorianError as error:
            self.tell(f"last word to {historian}", str(error))

    def _results(self, historian: str) -> ResultsPlan | None:
        """How results get there; None where they go to TagSight's own server."""
        results = self.plan.results.get(historian)
        return results if results is not None and results.in_historian else None

    def _accepted(self, historian: str) -> frozenset[str]:
        """`accepted_now`, judged anew only when it can have changed: it looks at every address of every model."""
        rests_on = (self.ledger.bindings_digest(), self.ledger.accepted_targets(historian))
        known = self._allowed.get(historian)
        if known is None or known[0] != rests_on:
            known = self._allowed[historian] = (rests_on, accepted_now(self.plan, historian, self.ledger))
        return known[1]

    async def _write(self, historian: str, samples: Sequence[Sample]) -> None:
        allowed = self._accepted(historian)
        chosen = [sample for sample in samples if sample.address in allowed]
        if chosen:
            await self.links[historian].use(partial(_write, chosen))

    async def _deliver_to(self, name: str, results: ResultsPlan) -> None:
        accepted = self._accepted(name)
        more, size = bool(accepted), self._sizes.setdefault(name, BatchSize())
        while more:
            way = Way(name, results.address, accepted, source_times=name not in self._without_times)
            report = await self.links[name].use(partial(_deliver, self.ledger, way, size))
            more = report.more
            if report.times_lost and name not in self._without_times:
                self._without_times.add(name)
                self.tell(name, "this historian refuses source times: it gets the newest results only, at its time")
            if report.not_recovered:
                self.tell(f"delivery to {name}", f"{report.not_recovered} results of the past cannot be stored there")


async def _deliver(ledger: Ledger, way: Way, size: BatchSize, historian: Historian) -> DeliveryReport:
    return await size.deliver(ledger, historian, way)


async def _write(samples: Sequence[Sample], historian: Historian) -> Sequence[WriteOutcome]:
    return await historian.write(samples)

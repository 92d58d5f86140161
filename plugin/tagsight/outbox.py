"""The way of results into the historians that take them: the outbox is drained, the plugin's own tags are kept moving.

One historian that is down or slow does not keep another one's results. A historian that refuses source times shows what
was written last under its own time: there only the newest results go, and a backlog is given up, counted and told.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from tagsight.connections import Link
from tagsight.delivery import DeliveryReport, Way, deliver_once, status_samples
from tagsight.heartbeat import PluginStatus
from tagsight.ledger.ledger import Ledger
from tagsight.opening import accepted_now
from tagsight.plan import Plan, ResultsPlan
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

    async def deliver(self) -> None:
        """Drain the outbox of every historian that takes results."""
        for name, results in self._ways():
            try:
                await self._deliver_to(name, results)
            except HistorianError as error:  # the others do not wait for this one
                self.tell(f"delivery to {name}", str(error))

    async def show(self, status: PluginStatus, *, stopped: bool) -> None:
        """Write the plugin's own tags (heartbeat, state, counters); `stopped`: heartbeat 0, all Bad."""
        for name, results in self._ways():
            if not self.links[name].connected:
                continue
            allowed = accepted_now(self.plan, name, self.ledger)
            samples = [s for s in status_samples(status, results.address, stopped=stopped) if s.address in allowed]
            try:
                if samples:
                    await self.links[name].use(partial(_write, samples))
            except HistorianError as error:
                self.tell(f"heartbeat to {name}", str(error))

    def _ways(self) -> list[tuple[str, ResultsPlan]]:
        return [(name, one) for name, one in self.plan.results.items() if one.in_historian and name in self.links]

    async def _deliver_to(self, name: str, results: ResultsPlan) -> None:
        accepted = accepted_now(self.plan, name, self.ledger)
        more = bool(accepted)
        while more:
            way = Way(name, results.address, accepted, source_times=name not in self._without_times)
            report = await self.links[name].use(partial(_deliver, self.ledger, way))
            more = report.more
            if report.times_lost and name not in self._without_times:
                self._without_times.add(name)
                self.tell(
                    name, "this historian refuses source times: it gets the newest results only, at its time"
                )
            if report.not_recovered:
                self.tell(f"delivery to {name}", f"{report.not_recovered} results of the past cannot be stored there")


async def _deliver(ledger: Ledger, way: Way, historian: Historian) -> DeliveryReport:
    return await deliver_once(ledger, historian, way)


async def _write(samples: Sequence[Sample], historian: Historian) -> Sequence[WriteOutcome]:
    return await historian.write(samples)

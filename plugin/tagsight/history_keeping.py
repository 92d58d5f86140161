"""Histories kept on this machine: which historians have a local store, and how gaps in what was read are filled.

Trainings and rehearsals read through the store (`Link.use_stored`); ticks read the newest hours of the historian
itself, which are never final. Scores that were missed are caught up by the watermark, at once and without the store;
the gaps here are of stored history, for the models that are trained again by the calendar.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from tagsight.clocks import SECOND, Clock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.duration import format_duration
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan
from tagsight_connectors.history import Span
from tagsight_connectors.live_values import behind
from tagsight_connectors.store.backfill import Backfilled, backfill_step
from tagsight_connectors.store.database import StoreFailure, Tell
from tagsight_connectors.store.gaps import Gap
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.store.stored_historian import StoredHistorian

LOCAL: Final = frozenset({"file", "memory"})
"""What is on this machine anyway, and may change at any time, is not stored."""

LATE_NS: Final = 900_000_000_000
NOT_RUNNING: Final = "TagSight was not running"
PAUSE_S: Final = 60.0
DAY_NS: Final = 86_400 * SECOND

Log = Callable[[str, str], None]


@contextmanager
def opened_store(plan: Plan, data: DataFolder, tell: Tell) -> Iterator[HistoryStore | None]:
    """The store of a data folder; None where the plan wants none, or it cannot be used: that is told."""
    store = None
    if plan.history_store.use and any(_is_stored(historian.url) for historian in plan.historians.values()):
        bounds = StoreBounds(plan.history_store.at_most_bytes, plan.history_store.keep_ns)
        try:
            store = HistoryStore.open(data.history, bounds, tell)
        except StoreFailure as failure:
            tell(f"the history store {data.history} cannot be used: {failure}; the historian is asked for everything")
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def keep_histories(plan: Plan, links: Mapping[str, Link], store: HistoryStore | None) -> None:
    """Let long reads of the links go through the store."""
    for name, link in links.items():
        historian = plan.historians[name]
        if store is not None and _is_stored(historian.url):
            late_ns = max([LATE_NS, *(one.score.late_ns for one in plan.models if one.historian == name)])
            known_as = f"{name} {historian.url}"
            link.stored = StoredHistorian(behind(link.historian), store, known_as, now_ns=link.now_ns, late_ns=late_ns)


def _is_stored(url: str) -> bool:
    return urlsplit(url).scheme not in LOCAL


@dataclass
class Histories:
    """What the service does for stored histories: notices gaps, fills them between the ticks, tidies once a day.

    Attributes:
        plan: which models are trained again.
        links: those with `stored` are looked after.
        ledger: which tags the models read; given-up gaps go to its audit.
        clock: of this machine.
        last_alive_ns: when TagSight was last seen running before; None: never.
        tell: (what, why) of a trouble.
    """

    plan: Plan
    links: Mapping[str, Link]
    ledger: Ledger
    clock: Clock
    last_alive_ns: int | None
    tell: Log
    _seen_ns: dict[str, int] = field(init=False, default_factory=dict)
    _up: dict[str, bool] = field(init=False, default_factory=dict)
    _next_fill: dict[str, float] = field(init=False, default_factory=dict)
    _known_tags: dict[str, tuple[float, Sequence[str]]] = field(init=False, default_factory=dict)
    _tidied_ns: int | None = field(init=False, default=None)

    async def look(self, historian: str) -> Backfilled:
        """Once a second: note when the historian was lost and found; connected, fill the next piece of a gap."""
        link = self.links[historian]
        stored = link.stored
        if stored is None or not self._tags(historian):
            return Backfilled()
        now_ns = link.now_ns()
        if historian not in self._seen_ns:
            self._seen_ns[historian] = now_ns if self.last_alive_ns is None else min(now_ns, self.last_alive_ns)
            await asyncio.to_thread(self._note_not_running, stored, now_ns)
        if not link.connected:
            if link.attempts and self._up.get(historian) is not False:
                seen_ns = self._seen_ns[historian]
                await asyncio.to_thread(stored.store.gaps.begin, stored.name, seen_ns, link.trouble, now_ns)
                self._up[historian] = False
            return Backfilled()
        if self._up.get(historian) is not True:  # also what went on when TagSight last ended
            await asyncio.to_thread(stored.store.gaps.end, stored.name, now_ns)
            self._up[historian] = True
        self._seen_ns[historian] = now_ns
        await self._tidy(stored)
        return await self._fill(historian, stored)

    async def _fill(self, historian: str, stored: StoredHistorian) -> Backfilled:
        """The next piece; when there is none, the next look for one comes in a minute."""
        if self.clock.monotonic() < self._next_fill.get(historian, 0.0):
            return Backfilled()
        tags, refill_ns = self._tags(historian), self.plan.history_store.refill_ns
        done = await self.links[historian].use(lambda _: backfill_step(stored, tags, refill_ns))
        if not done.more:
            self._next_fill[historian] = self.clock.monotonic() + PAUSE_S
        for gap in done.not_recovered:
            self._tell_lost(historian, gap)
        return done

    def _tags(self, historian: str) -> Sequence[str]:
        """What the models of a historian read that are trained again; looked up once a minute."""
        known = self._known_tags.get(historian)
        if known is None or self.clock.monotonic() >= known[0]:
            known = self.clock.monotonic() + PAUSE_S, self._trained_tags(historian)
            self._known_tags[historian] = known
        return known[1]

    def _trained_tags(self, historian: str) -> Sequence[str]:
        trained = {one.key for one in self.plan.models if one.historian == historian and one.train.every is not None}
        if not trained:
            return []
        bound = [one.binding for one in self.ledger.bindings() if one.model in trained and one.binding is not None]
        return list(dict.fromkeys(address for binding in bound for address in binding.all_addresses))

    def _note_not_running(self, stored: StoredHistorian, now_ns: int) -> None:
        """From the last heartbeat until now; what is older than the limit is given up with the next look."""
        if self.last_alive_ns is None:
            return
        oldest_ns = max(self.last_alive_ns, now_ns - self.plan.history_store.refill_ns)
        for start_ns, end_ns, noted_ns in (
            (self.last_alive_ns, oldest_ns, oldest_ns),
            (oldest_ns, now_ns, now_ns),
        ):
            if start_ns < end_ns:
                stored.store.gaps.note(stored.key(""), Span(start_ns, end_ns), NOT_RUNNING, noted_ns)

    async def _tidy(self, stored: StoredHistorian) -> None:
        wall_ns = self.clock.now_ns()
        if self._tidied_ns is None or wall_ns - self._tidied_ns >= DAY_NS:
            self._tidied_ns = wall_ns
            await asyncio.to_thread(stored.store.tidy, stored.now_ns(), wall_ns)

    def _tell_lost(self, historian: str, gap: Gap) -> None:
        whose = gap.tag.address or "all tags"
        words = f"{whose}, {self._local(gap.start_ns)} to {self._local(gap.end_ns or gap.start_ns)}: {gap.cause}"
        limit = format_duration(self.plan.history_store.refill_ns)
        self.tell(f"history of {historian} not recovered", f"{words} (given up after {limit})")
        self.ledger.audit("TagSight", "history not recovered", f"{historian}: {words}")

    def _local(self, time_ns: int) -> str:
        return f"{datetime.fromtimestamp(time_ns / SECOND, tz=self.plan.timezone):%Y-%m-%d %H:%M:%S}"

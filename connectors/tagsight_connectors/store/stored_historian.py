"""A historian behind the local store: stored days come from the disk, everything else from the historian."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar

from tagsight_connectors.aggregates import STANDARD, Aggregate, AggregateConfiguration, Computer, ProcessedHistory
from tagsight_connectors.errors import HistorianError, IncompleteRead, NotConnected
from tagsight_connectors.historian import Description, Historian
from tagsight_connectors.history import Page, Sample, Span, TagHistory, Times, WriteOutcome
from tagsight_connectors.processing import processed_from_raw
from tagsight_connectors.store import limits
from tagsight_connectors.store.catalogue import StoredDay
from tagsight_connectors.store.database import StoreFailure
from tagsight_connectors.store.day_writer import DayWriter
from tagsight_connectors.store.days import DAY_NS, TagKey, clipped, days_of, runs_of, span_of
from tagsight_connectors.store.history_store import DamagedDay, HistoryStore
from tagsight_connectors.tag import Tag

LEAST_RECHECKED: Final = 3
"""A read of fewer days compares none of them with the historian."""

_HOUR_NS: Final = 3_600_000_000_000

Held = Mapping[TagKey, Mapping[int, StoredDay]]
Result = TypeVar("Result")


class StoredHistorian:
    """`Historian` around another one, with the same laws.

    A UTC day is stored once it has been over for `late_ns` by the historian's time: before that late values may still
    come, so it is asked of the historian every time. A read that touches a day not stored reads all of that day. What
    the store cannot do (no room, a damaged file) the historian does; only speed is lost, and it is told.
    """

    def __init__(
        self, historian: Historian, store: HistoryStore, name: str, *, now_ns: Callable[[], int], late_ns: int
    ) -> None:
        self.historian = historian
        self.store = store
        self.name = name
        self.now_ns = now_ns
        self._late_ns = late_ns

    async def connect(self) -> None:
        """Connect the historian."""
        await self.historian.connect()

    async def close(self) -> None:
        """Close the historian; the store has its own owner."""
        await self.historian.close()

    async def describe(self) -> Description:
        """The historian's answer."""
        return await self.historian.describe()

    def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """The historian's answer."""
        return self.historian.browse(pattern)

    async def read_processed(
        self,
        addresses: Sequence[str],
        span: Span,
        aggregate: Aggregate,
        interval_ns: int,
        *,
        configuration: AggregateConfiguration = STANDARD,
        own: Collection[str] = (),
    ) -> ProcessedHistory:
        """The historian's answer where it computes; what TagSight computes comes from stored days where it can."""
        first = Span(span.start_ns, min(span.start_ns + interval_ns, span.end_ns))
        asked = await self.historian.read_processed(
            addresses, first, aggregate, interval_ns, configuration=configuration, own=own
        )
        there = [address for address in addresses if asked.computed_by[address] is Computer.SERVER]
        mine = [address for address in addresses if asked.computed_by[address] is Computer.TAGSIGHT]
        found = await self.historian.read_processed(there, span, aggregate, interval_ns, configuration=configuration)
        more = await processed_from_raw(self.read_raw, mine, span, aggregate, interval_ns, configuration=configuration)
        return ProcessedHistory({**found.tags, **more.tags}, {**found.computed_by, **more.computed_by})

    async def read_at_times(
        self, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """The historian's answer."""
        return await self.historian.read_at_times(addresses, times, configuration=configuration)

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The historian's answer."""
        return await self.historian.read_current(addresses)

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """The historian's answer; days that were written to are not stored any more."""
        outcomes = await self.historian.write(samples)
        days: dict[str, set[int]] = {}
        for sample in samples:
            days.setdefault(sample.address, set()).add(sample.time_ns // DAY_NS)
        for address, written in days.items():
            await self._try(partial(self.store.forget, self.key(address), written), None)
        return outcomes

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Stored days from the disk; what is missing from the historian, stored on the way; then what is not final."""
        wanted = list(dict.fromkeys(addresses))
        days = self.final_days(span)
        before = Span(span.start_ns, min(span.end_ns, max(span.start_ns, days.start * DAY_NS))) if days else span
        async with aclosing(self._asked(wanted, before)) as pages:
            async for page in pages:
                yield page
        if not days:
            return
        for first in range(0, len(wanted), limits.TAGS_READ):
            async with aclosing(self._final(wanted[first : first + limits.TAGS_READ], days, span)) as pages:
                async for page in pages:
                    yield page
        rest = Span(max(span.start_ns, days.stop * DAY_NS), max(span.end_ns, days.stop * DAY_NS))
        async with aclosing(self._asked(wanted, rest)) as pages:
            async for page in pages:
                yield page

    async def fetch(self, addresses: Sequence[str], days: range) -> None:
        """Read days from the historian into the store. Raises HistorianError, StoreFailure."""
        fetch = _Fetch(list(addresses), days, span_of(days))
        async with aclosing(self._fetched(fetch)) as pages:
            async for _page in pages:
                if fetch.failure is not None:
                    break
        if fetch.failure is not None:
            raise fetch.failure

    def final_days(self, span: Span) -> range:
        """The days of a span that do not change any more, except by late data that are recorded."""
        return days_of(span, self.now_ns() - self._late_ns, limits.DAYS)

    def key(self, address: str) -> TagKey:
        """How the store knows a tag of this historian."""
        return TagKey(self.name, address)

    # --- inside ---

    async def _asked(self, addresses: Sequence[str], span: Span) -> AsyncGenerator[Page, None]:
        """What is not stored: past the store."""
        if span.start_ns < span.end_ns:
            async with _leaving(self.historian.read_raw(addresses, span)) as pages:
                async for page in pages:
                    yield page

    async def _final(self, addresses: Sequence[str], days: range, span: Span) -> AsyncGenerator[Page, None]:
        """Final days of some tags: tags that lack the same days together."""
        tags = [self.key(address) for address in addresses]
        await self._try(lambda: self.store.use(tags, days, self.now_ns()), None)
        held = await self._held(tags, days)
        if await self._recheck(held, days):
            held = await self._held(tags, days)
        for group, runs in _alike(held, days):
            for run, stored in runs:
                fetch = _Fetch(group, run, span, note=True)
                async with aclosing(self._loaded(fetch, held) if stored else self._fetched(fetch)) as pages:
                    async for page in pages:
                        yield page

    async def _loaded(self, wanted: "_Fetch", held: Held) -> AsyncGenerator[Page, None]:
        """Stored days, tag after tag; a damaged one is asked of the historian in its place."""
        for address in wanted.addresses:
            tag = self.key(address)
            left = deque(held[tag][day] for day in wanted.days)
            while left:
                given = 0
                try:
                    parts = self.store.load(tag, left)
                    while (part := await asyncio.to_thread(next, parts, None)) is not None:
                        given = part.given
                        if len(inside := clipped(part.history, wanted.span)):
                            yield Page(address, inside)
                except (DamagedDay, StoreFailure):
                    async with aclosing(self._again(address, left.popleft().day, given, wanted.span)) as pages:
                        async for page in pages:
                            yield page

    async def _again(self, address: str, day: int, given: int, span: Span) -> AsyncGenerator[Page, None]:
        """A day that was damaged from the historian, without its first `given` values."""
        alone = range(day, day + 1)
        async with aclosing(self._fetched(_Fetch([address], alone, span_of(alone), note=True))) as pages:
            async for page in pages:
                skipped = min(given, len(page.history))
                given -= skipped
                rows = slice(skipped, None)
                left = TagHistory(page.history.times[rows], page.history.values[rows], page.history.status[rows])
                if len(inside := clipped(left, span)):
                    yield Page(address, inside)

    async def _fetched(self, fetch: "_Fetch") -> AsyncGenerator[Page, None]:
        """Whole days from the historian, stored on the way; of them what lies in the span."""
        tags = [self.key(address) for address in fetch.addresses]
        writer = DayWriter(self.store, tags, fetch.days, self.now_ns())
        try:
            async with _leaving(self.historian.read_raw(fetch.addresses, span_of(fetch.days))) as pages:
                async for page in pages:
                    await self._kept(partial(writer.take, page), fetch)
                    if len(inside := clipped(page.history, fetch.span)):
                        yield Page(page.address, inside)
            await self._kept(writer.finish, fetch)
        except (IncompleteRead, NotConnected) as error:
            if fetch.note:
                await self._try(partial(self._note, writer, error), None)
            raise
        finally:
            writer.abandon()

    async def _kept(self, work: Callable[[], None], fetch: "_Fetch") -> None:
        """Store, unless that has failed once: then the read goes on without."""
        if fetch.failure is None:
            try:
                await asyncio.to_thread(work)
            except StoreFailure as failure:
                fetch.failure = failure
                self.store.tell(f"history of {self.name} is not stored: {failure}")

    def _note(self, writer: DayWriter, error: IncompleteRead | NotConnected) -> None:
        """What could not be read is a gap from now on."""
        if isinstance(error, IncompleteRead):
            writer.doubt(error.address, error.from_ns)
        for tag, span in writer.missing().items():
            self.store.gaps.note(tag, span, str(error), self.now_ns())

    async def _recheck(self, held: Held, days: range) -> bool:
        """Compare some stored days with the historian: data may have come late or been corrected.

        What differs is replaced and recorded. Answers whether anything was asked.
        """
        chosen = _due(held, days, self.now_ns())
        for run in runs_of(chosen):
            addresses = sorted({tag.address for tag, stored in held.items() if any(day in stored for day in run)})
            try:
                await self.fetch(addresses, run)
            except NotConnected:
                raise
            except (HistorianError, StoreFailure) as error:  # what is stored stays true until proved otherwise
                self.store.tell(f"stored history of {self.name} could not be compared: {error}")
        return bool(chosen)

    async def _held(self, tags: Sequence[TagKey], days: range) -> Held:
        return await self._try(lambda: self.store.held(tags, days), {tag: {} for tag in tags})

    async def _try(self, work: Callable[[], Result], otherwise: Result) -> Result:
        """Ask the store; what it cannot do is told."""
        try:
            return await asyncio.to_thread(work)
        except StoreFailure as failure:
            self.store.tell(f"the history store of {self.name}: {failure}")
            return otherwise


@dataclass
class _Fetch:
    """Whole days to be read from the historian.

    Attributes:
        addresses: of tags.
        days: all of them.
        span: what is wanted of them.
        note: what cannot be read is a gap.
        failure: why the store could not take it.
    """

    addresses: Sequence[str]
    days: range
    span: Span
    note: bool = False
    failure: StoreFailure | None = None


def _alike(held: Held, days: range) -> list[tuple[list[str], list[tuple[range, bool]]]]:
    """Tags that lack the same days, with the runs of stored and missing days, ascending."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for tag, stored in held.items():
        groups.setdefault(tuple(day for day in days if day not in stored), []).append(tag.address)
    return [(addresses, _runs(missing, days)) for missing, addresses in groups.items()]


def _runs(missing: Sequence[int], days: range) -> list[tuple[range, bool]]:
    lacks = set(missing)
    runs = [(run, False) for run in runs_of(missing)]
    runs += [(run, True) for run in runs_of(day for day in days if day not in lacks)]
    return sorted(runs, key=lambda one: one[0].start)


def _due(held: Held, days: range, now_ns: int) -> list[int]:
    """Days to compare: those that are twice as old as when they were last read, the most overdue first.

    So a day is compared again after one day, two, four, ...: late data mostly come soon, and old days cost little.
    """
    if len(days) < LEAST_RECHECKED:
        return []
    overdue: dict[int, float] = {}
    for stored in held.values():
        for day, one in stored.items():
            end_ns = (day + 1) * DAY_NS
            ratio = max(one.read_ns - end_ns, _HOUR_NS) / max(now_ns - end_ns, 1)
            overdue[day] = min(ratio, overdue.get(day, 1.0))
    due = sorted((ratio, day) for day, ratio in overdue.items() if ratio <= 1 / 2)
    return [day for _, day in due[: -(-len(days) // limits.RECHECKED_PART)]]


@asynccontextmanager
async def _leaving(pages: AsyncIterator[Page]) -> AsyncIterator[AsyncIterator[Page]]:
    """Release what the historian holds for a read, however it is left."""
    try:
        yield pages
    finally:
        if isinstance(pages, AsyncGenerator):
            await pages.aclose()

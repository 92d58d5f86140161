"""A historian whose recent values come from a subscription, and everything else from its history.

So scoring every minute asks history only for what was not received: before the subscription began, and where values
were lost. Tags without a history can be read as far back as they were watched.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing
from enum import Enum
from typing import Final, cast

import numpy as np

from tagsight_connectors.aggregates import STANDARD, Aggregate, AggregateConfiguration, ProcessedHistory
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Description, Historian
from tagsight_connectors.history import Page, Sample, Span, TagHistory, Times, WriteOutcome
from tagsight_connectors.live import Arrived, LiveSource, LiveSubscription
from tagsight_connectors.live_buffer import SETTLED_NS, LiveBuffer
from tagsight_connectors.processing import at_times_from_raw, processed_from_raw
from tagsight_connectors.quality import BAD_NO_COMMUNICATION, BAD_WAITING_FOR_INITIAL_DATA
from tagsight_connectors.reading import join, read_history
from tagsight_connectors.tag import Tag

MOST_KEPT_NS: Final = 172_800_000_000_000
"""Two days: a read that goes further back is one of the past, and history's."""

MOST_VALUES: Final = 2_000_000
"""Of all tags together, some 250 MB; beyond, the longest buffers forget their older half."""

MOST_TAGS: Final = 10_000


class Live(Enum):
    """Which tags are watched."""

    AUTO = "auto"  # those without a readable history
    SUBSCRIPTION = "subscription"  # all that recent values are read of


class LiveValues:
    """`Historian` around a `LiveSource`, with the same laws.

    A tag is watched from the first read of its recent values on. Gaps (a full queue, a lost connection, a restart of
    the server, what a server that samples may have missed) are filled from history; where there is none, a value with
    Bad_DataLost stands where the gap begins. Where the server refuses the subscription, history alone answers;
    `trouble` says why.
    """

    def __init__(self, source: LiveSource, mode: Live = Live.SUBSCRIPTION, *, most_values: int = MOST_VALUES) -> None:
        self.source = source
        self.trouble = ""
        self._mode = mode
        self._most_values = most_values
        self._buffers: dict[str, LiveBuffer] = {}
        self._historical: set[str] = set()
        self._refused: dict[str, str] = {}
        self._subscription: LiveSubscription | None = None
        self._until_ns: int | None = None
        self._beginning = asyncio.Lock()

    # --- what is received ---

    def receive(self, arrived: Sequence[Arrived], until_ns: int) -> None:
        """As `Receiver`."""
        self._until_ns = max(until_ns, self._until_ns or 0)
        for one in arrived:
            if one.address in self._buffers:
                self._buffers[one.address].add(one)
        if sum(map(len, self._buffers.values())) > self._most_values:
            self._forget()

    @property
    def watched(self) -> Mapping[str, LiveBuffer]:
        """What is held of each tag."""
        return self._buffers

    # --- Historian ---

    async def connect(self) -> None:
        """Connect the source; tags that were watched are watched again at the next read."""
        await self._stop()
        await self.source.connect()
        self._refused, self.trouble = {}, ""
        self._historical.clear()

    async def close(self) -> None:
        """Close the source; what was received stays."""
        await self._stop()
        await self.source.close()

    async def describe(self) -> Description:
        """The source's answer."""
        return await self.source.describe()

    def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """The source's answer."""
        return self.source.browse(pattern)

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The source's answer."""
        return await self.source.read_current(addresses)

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """The source's answer."""
        return await self.source.write(samples)

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
        """The source's answer; for tags without history computed from what was received."""
        bare = await self._without_history(addresses)
        there = [address for address in addresses if address not in bare]
        found = await self.source.read_processed(
            there, span, aggregate, interval_ns, configuration=configuration, own=own
        )
        mine = await processed_from_raw(
            self.read_raw, sorted(bare), span, aggregate, interval_ns, configuration=configuration
        )
        return ProcessedHistory({**found.tags, **mine.tags}, {**found.computed_by, **mine.computed_by})

    async def read_at_times(
        self, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """The source's answer; for tags without history computed from what was received."""
        bare = await self._without_history(addresses)
        there = [address for address in addresses if address not in bare]
        found = await self.source.read_at_times(there, times, configuration=configuration)
        mine = await at_times_from_raw(self.read_raw, sorted(bare), times, configuration=configuration)
        return ProcessedHistory({**found.tags, **mine.tags}, {**found.computed_by, **mine.computed_by})

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Received values where they are complete, history where they are not."""
        wanted = list(dict.fromkeys(addresses))
        bare = await self._without_history(wanted)
        live = await self._watched_of(wanted, bare, span)
        rest = [address for address in wanted if address not in live]
        if rest:
            async with aclosing(cast("AsyncGenerator[Page, None]", self.source.read_raw(rest, span))) as pages:
                async for page in pages:
                    yield page
        await self._fill([address for address in live if address not in bare], span)
        for address in live:
            history = self._held(address, span, bare=address in bare)
            if len(history):
                yield Page(address, history)
        self._trim(live, span)

    # --- inside ---

    async def _without_history(self, addresses: Sequence[str]) -> set[str]:
        """Asked once in a session."""
        unknown = [each for each in addresses if each not in self._historical and not self._is_bare(each)]
        bare = set(await self.source.without_history(unknown)) if unknown else set()
        self._historical |= set(unknown) - bare
        return bare | {each for each in addresses if self._is_bare(each)}

    def _is_bare(self, address: str) -> bool:
        return address in self._buffers and not self._buffers[address].fillable

    async def _watched_of(self, wanted: Sequence[str], bare: set[str], span: Span) -> list[str]:
        """Those that are answered from what was received; begins to watch what is not watched yet."""
        candidates = [each for each in wanted if each in bare or self._mode is Live.SUBSCRIPTION]
        if not candidates or not await self._is_recent(span):
            return []
        await self._begin([each for each in candidates if each not in self._refused])
        held = [each for each in candidates if each in self._buffers]
        if self._failure():
            return [each for each in held if each in bare]
        return [each for each in held if each in bare or self._buffers[each].since_ns is not None]

    async def _is_recent(self, span: Span) -> bool:
        now = self._until_ns if self._subscription is not None and not self._failure() else None
        if now is None:
            now = (await self.source.describe()).server_time_ns
        return now is not None and span.end_ns > now - SETTLED_NS and span.start_ns > now - MOST_KEPT_NS

    def _failure(self) -> str:
        return "no subscription" if self._subscription is None else self._subscription.failure

    async def _begin(self, addresses: Sequence[str]) -> None:
        """A subscription that lives and watches these, if the server allows it."""
        async with self._beginning:
            try:
                if self.trouble:
                    return
                if self._failure():
                    await self._stop()
                    self._subscription = await self.source.subscribe(self)
                    await self._watch(list(self._buffers))
                if self._subscription is not None:
                    new = [each for each in addresses if each not in self._buffers]
                    await self._watch(new[: max(0, MOST_TAGS - len(self._buffers))])
            except NotConnected:
                raise
            except HistorianError as error:  # the server does not want it: history answers, as without
                await self._stop()
                self.trouble = str(error)

    async def _watch(self, addresses: Sequence[str]) -> None:
        if not addresses or self._subscription is None:
            return
        bare = await self._without_history(addresses)
        for address in addresses:
            self._buffers.setdefault(address, LiveBuffer(fillable=address not in bare))
        refused = await self._subscription.watch(addresses)
        for address in refused:
            self._buffers.pop(address, None)
        self._refused |= refused

    async def _stop(self) -> None:
        subscription, self._subscription = self._subscription, None
        for buffer in self._buffers.values():
            buffer.interrupt()
        if subscription is not None:
            await subscription.close()

    async def _fill(self, addresses: Sequence[str], span: Span) -> None:
        """Ask history for what is wanting, of all tags in one read."""
        wanting = {address: parts for address in addresses if (parts := self._buffers[address].wanting(span))}
        if not wanting:
            return
        whole = Span(
            min(parts[0].start_ns for parts in wanting.values()), max(parts[-1].end_ns for parts in wanting.values())
        )
        found = await read_history(self.source, list(wanting), whole)
        for address, parts in wanting.items():
            for part in parts:
                history = _clipped(found.tags[address], part)
                self._buffers[address].fill(part, history, self._until_ns or part.end_ns)

    def _held(self, address: str, span: Span, *, bare: bool) -> TagHistory:
        """What was received; of a tag without history the times when nothing was received are Bad."""
        buffer = self._buffers[address]
        held = buffer.part(span)
        if not bare:
            return held
        if buffer.since_ns is None or span.start_ns < buffer.since_ns:
            held = join([_bad(span.start_ns, BAD_WAITING_FOR_INITIAL_DATA), held])
        silent_from = max(self._until_ns or 0, buffer.newest_ns or 0) + 1
        if self._failure() and silent_from < span.end_ns:
            held = join([held, _bad(max(silent_from, span.start_ns), BAD_NO_COMMUNICATION)])
        return held

    def _trim(self, addresses: Sequence[str], span: Span) -> None:
        if self._until_ns is None:
            return
        for address in addresses:
            buffer = self._buffers[address]
            buffer.needed_ns = min(max(buffer.needed_ns, self._until_ns - span.start_ns), MOST_KEPT_NS)
            buffer.forget_before(self._until_ns - buffer.needed_ns - SETTLED_NS)

    def _forget(self) -> None:
        """The longest buffers lose their older half."""
        left = sum(map(len, self._buffers.values())) - self._most_values // 2
        for buffer in sorted(self._buffers.values(), key=len, reverse=True):
            if left <= 0:
                return
            left -= buffer.forget_half()


def behind(historian: Historian) -> Historian:
    """The historian itself, without what a subscription brings."""
    return historian.source if isinstance(historian, LiveValues) else historian


def as_source(historian: Historian) -> LiveSource:
    """A historian whose connector has subscriptions."""
    if not hasattr(historian, "subscribe"):
        message = f"{type(historian).__name__} has no subscriptions"
        raise TypeError(message)
    return cast("LiveSource", historian)


def _clipped(history: TagHistory, span: Span) -> TagHistory:
    first, last = np.searchsorted(history.times, [span.start_ns, span.end_ns], side="left")
    return TagHistory(history.times[first:last], history.values[first:last], history.status[first:last])


def _bad(time_ns: int, status: int) -> TagHistory:
    return TagHistory(np.array([time_ns], dtype=np.int64), np.array([np.nan]), np.array([status], dtype=np.uint32))

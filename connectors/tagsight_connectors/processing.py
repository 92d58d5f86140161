"""Aggregates computed from raw reads, in bounded memory: for historians that compute none."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterator, Sequence
from contextlib import aclosing
from typing import Final, Protocol, cast

import numpy as np

from tagsight_connectors.aggregates import (
    STANDARD,
    Aggregate,
    AggregateConfiguration,
    Computer,
    ProcessedHistory,
    compute,
    compute_at,
)
from tagsight_connectors.aggregates.rows import search_ns
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.history import Page, Span, TagHistory, Times
from tagsight_connectors.reading import join

RAW_AT_ONCE_NS: Final = 86_400_000_000_000
"""Raw values of one day are held at a time (of one interval, if that is longer)."""

TAGS_AT_ONCE: Final = 20
"""... of so many tags: at one value a second 35 MB."""

RawReader = Callable[[Sequence[str], Span], AsyncIterator[Page]]


class _Raw(Protocol):
    def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """As in `Historian`."""


class ComputesFromRaw:
    """`read_processed` and `read_at_times` of a historian that only stores: computed here, from its `read_raw`."""

    async def read_processed(
        self: _Raw,
        addresses: Sequence[str],
        span: Span,
        aggregate: Aggregate,
        interval_ns: int,
        *,
        configuration: AggregateConfiguration = STANDARD,
        own: Collection[str] = (),
    ) -> ProcessedHistory:
        """As in `Historian`; every address is computed here, `own` or not."""
        del own
        return await processed_from_raw(
            self.read_raw, addresses, span, aggregate, interval_ns, configuration=configuration
        )

    async def read_at_times(
        self: _Raw, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
    ) -> ProcessedHistory:
        """As in `Historian`."""
        return await at_times_from_raw(self.read_raw, addresses, times, configuration=configuration)


async def processed_from_raw(
    read_raw: RawReader,
    addresses: Sequence[str],
    span: Span,
    aggregate: Aggregate,
    interval_ns: int,
    *,
    configuration: AggregateConfiguration = STANDARD,
) -> ProcessedHistory:
    """One value for each interval and address, read day by day with the bounding values around each day.

    Raises:
        ValueError: the interval has no length.
        HistorianError: what `read_raw` raises; Unsupported for text where numbers are needed.
    """
    if interval_ns <= 0:
        message = f"an interval must be longer than {interval_ns} ns"
        raise ValueError(message)
    search = search_ns(interval_ns) if aggregate.bounded else 0

    def computed(history: TagHistory, part: Span) -> TagHistory:
        return compute(history, part, interval_ns, aggregate, configuration, search)

    tags = await _computed(read_raw, addresses, list(_days(span, interval_ns)), search, computed)
    return ProcessedHistory(tags, dict.fromkeys(tags, Computer.TAGSIGHT))


async def at_times_from_raw(
    read_raw: RawReader, addresses: Sequence[str], times: Times, *, configuration: AggregateConfiguration = STANDARD
) -> ProcessedHistory:
    """The interpolated value of each address at each time, in the order of the times.

    Raises what `processed_from_raw` raises.
    """
    wanted, place = np.unique(times, return_inverse=True)
    search = search_ns(0)

    def computed(history: TagHistory, part: Span) -> TagHistory:
        first, last = np.searchsorted(wanted, [part.start_ns, part.end_ns])
        return compute_at(history, wanted[first:last], configuration, search)

    found = await _computed(read_raw, addresses, list(_around(wanted, search)), search, computed)
    tags = {
        address: TagHistory(one.times[place], one.values[place], one.status[place]) for address, one in found.items()
    }
    return ProcessedHistory(tags, dict.fromkeys(tags, Computer.TAGSIGHT))


async def _computed(
    read_raw: RawReader,
    addresses: Sequence[str],
    parts: Sequence[Span],
    search: int,
    computed: Callable[[TagHistory, Span], TagHistory],
) -> dict[str, TagHistory]:
    """Part after part and group after group, so that few raw values are held at a time."""
    found: dict[str, list[TagHistory]] = {address: [] for address in addresses}
    names = list(found)
    for group in (names[first : first + TAGS_AT_ONCE] for first in range(0, len(names), TAGS_AT_ONCE)):
        for part in parts:
            raw = await _read(read_raw, group, Span(part.start_ns - search, part.end_ns + search + 1))
            for address in group:
                try:
                    found[address].append(computed(join(raw.pop(address)), part))
                except Unsupported as error:
                    raise Unsupported(what=f"{error.what}: {address}") from None
    return {address: join(each) for address, each in found.items()}


async def _read(read_raw: RawReader, addresses: Sequence[str], span: Span) -> dict[str, list[TagHistory]]:
    pages: dict[str, list[TagHistory]] = {address: [] for address in addresses}
    async with aclosing(cast("AsyncGenerator[Page, None]", read_raw(addresses, span))) as raw:
        async for page in raw:
            pages[page.address].append(page.history)
    return pages


def _days(span: Span, interval_ns: int) -> Iterator[Span]:
    """The span in whole intervals, about a day each."""
    length = max(RAW_AT_ONCE_NS // interval_ns, 1) * interval_ns
    for start in range(span.start_ns, span.end_ns, length):
        yield Span(start, min(start + length, span.end_ns))


def _around(times: Times, search: int) -> Iterator[Span]:
    """Spans that hold all of the ascending times: at most a day each, and none across a long time without any."""
    first = 0
    for at in range(1, len(times) + 1):
        ended = at == len(times) or times[at] - times[first] >= RAW_AT_ONCE_NS or times[at] - times[at - 1] > 2 * search
        if ended:
            yield Span(int(times[first]), int(times[at - 1]) + 1)
            first = at

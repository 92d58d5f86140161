"""From when to when a historian has values: what to propose where a period has none."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta, tzinfo
from typing import Final

from tagsight.clocks import SECOND
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span

MOST_TAGS: Final = 50
"""So many tags are asked for their first value, one request each."""

_DAYS: Final = 7
"""From this many days on a period is proposed in whole days."""


async def extent(historian: Historian, addresses: Sequence[str]) -> Span | None:
    """From the earliest value of some tags to the newest; None where they have none or do not tell.

    Raises:
        NotConnected: the connection was lost.
    """
    addresses = addresses[:MOST_TAGS]
    try:
        newest = [sample.time_ns for sample in await historian.read_current(addresses) if sample.time_ns > 0]
        if not newest:
            return None
        end_ns = max(newest) + 1
        firsts = [first for one in addresses if (first := await _first(historian, one, end_ns)) is not None]
    except NotConnected:
        raise
    except HistorianError:
        return None
    return Span(min(firsts), end_ns) if firsts else None


async def _first(historian: Historian, address: str, end_ns: int) -> int | None:
    """Pages come in order of time: the first one tells."""
    async with aclosing(historian.read_raw([address], Span(0, end_ns))) as pages:  # type: ignore[type-var]
        async for page in pages:
            if len(page.history):
                return int(page.history.times[0])
    return None


def as_setting(span: Span, timezone: tzinfo, *, offset: bool = False) -> str:
    """`from: "...", to: "..."` of a configuration that covers a span, with times of a time zone.

    `offset`: say the time zone with each of them, for a reader who may have another.
    """
    is_long = span.end_ns - span.start_ns >= _DAYS * 86_400 * SECOND
    ends = (span.start_ns, span.end_ns if is_long else span.end_ns + 60 * SECOND)
    start, end = (datetime.fromtimestamp(ns // SECOND, tz=timezone).replace(second=0) for ns in ends)
    if is_long:
        start, end = (one.replace(hour=0, minute=0, fold=0) for one in (start, end + timedelta(days=1)))
    return f'from: "{_text(start, offset=offset)}", to: "{_text(end, offset=offset)}"'


def _text(moment: datetime, *, offset: bool) -> str:
    ambiguous = moment.utcoffset() != moment.replace(fold=1 - moment.fold).utcoffset()
    if ambiguous or offset:
        return moment.isoformat(sep=" ", timespec="minutes")
    return moment.strftime("%Y-%m-%d" if (moment.hour, moment.minute) == (0, 0) else "%Y-%m-%d %H:%M")

"""Where a raw history read stands: which values come next, forwards or backwards, with bounds, over many requests.

Domain (OPC 10000-11, 4.4): the start time belongs to it, the end time does not; backwards the same, so two reads that
share a time share no value. A cursor holds no data, so an abandoned continuation point costs bytes, not pages.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tagsight_connectors.history import Span, TagHistory, Values
from tagsight_connectors.serving import ServedSource, ServedVariable
from tagsight_connectors.tag import DataType

BAD_BOUND_NOT_FOUND: Final = 0x80D70000

TICK: Final = 100
"""Nanoseconds: OPC UA times are no finer, so a time names all values inside its tick."""

FIRST_NS: Final = -(2**62)
LAST_NS: Final = 2**62
FIRST_STEP_NS: Final = 10 * 1_000_000_000
STEP_GROWTH: Final = 8


@dataclass(frozen=True, slots=True)
class Cursor:
    """The rest of a read.

    Attributes:
        variable: what is read.
        low_ns: first source time that still belongs to the read.
        high_ns: first source time beyond it.
        backwards: newest first.
        skip: values at the near end (time `low_ns`, or `high_ns - 1` tick backwards) that were delivered.
        remaining: values still wanted, None: all.
        bounds: bounding values are wanted at the ends that are still open.
        started: the near bound was settled.
    """

    variable: ServedVariable
    low_ns: int
    high_ns: int
    backwards: bool = False
    skip: int = 0
    remaining: int | None = None
    bounds: bool = False
    started: bool = False


def cursor_for(
    variable: ServedVariable, start_ns: int | None, end_ns: int | None, wanted: int, *, bounds: bool
) -> Cursor | None:
    """The cursor of a ReadRaw request; None if fewer than two of start, end and number are given."""
    if start_ns is None and end_ns is None:
        return None
    if start_ns is not None and end_ns is not None:
        low, high, backwards = _domain(start_ns, end_ns)
        return Cursor(variable, low, high, backwards=backwards, bounds=bounds)
    if wanted == 0:
        return None
    if start_ns is not None:
        return Cursor(variable, start_ns, LAST_NS, remaining=wanted)
    assert end_ns is not None
    return Cursor(variable, FIRST_NS, end_ns + TICK, backwards=True, remaining=wanted)


def _domain(start_ns: int, end_ns: int) -> tuple[int, int, bool]:
    if start_ns == end_ns:
        return start_ns, start_ns + TICK, False
    if start_ns < end_ns:
        return start_ns, end_ns, False
    return end_ns + TICK, start_ns + TICK, True


def read_page(source: ServedSource, cursor: Cursor, at_most: int) -> tuple[TagHistory, Cursor | None]:
    """The next values of a read, at most `at_most` (>= 2), and the cursor of the rest (None: complete)."""
    parts: list[TagHistory] = []
    if cursor.bounds and not cursor.started:
        parts += _near_bound(source, cursor)
    room = at_most - len(parts)
    wanted = room if cursor.remaining is None else min(room, cursor.remaining)
    page, more = _values(source, cursor, wanted)
    parts.append(page)
    rest = _advanced(cursor, page)
    if rest.remaining == 0:
        return _joined(parts), None
    if more or (cursor.bounds and room <= len(page)):
        return _joined(parts), rest
    if cursor.bounds:
        parts.append(_far_bound(source, cursor))
    return _joined(parts), None


def _values(source: ServedSource, cursor: Cursor, wanted: int) -> tuple[TagHistory, bool]:
    if cursor.backwards:
        newest, more = _newest(source, cursor, wanted + cursor.skip)
        page = _slice(newest, max(len(newest) - wanted - cursor.skip, 0), len(newest) - cursor.skip)
        return _reversed(page), more
    return source.history(cursor.variable.identifier, Span(cursor.low_ns, cursor.high_ns), wanted, cursor.skip)


def _advanced(cursor: Cursor, page: TagHistory) -> Cursor:
    remaining = None if cursor.remaining is None else cursor.remaining - len(page)
    moved = replace(cursor, remaining=remaining, started=True)
    if len(page) == 0:
        return moved
    last = int(page.times[-1])
    at_last = int(np.count_nonzero(page.times == last))
    near = cursor.high_ns - 1 if cursor.backwards else cursor.low_ns
    skip = at_last + (cursor.skip if last == near else 0)
    if cursor.backwards:
        return replace(moved, high_ns=last + 1, skip=skip)
    return replace(moved, low_ns=last, skip=skip)


def _newest(source: ServedSource, cursor: Cursor, wanted: int) -> tuple[TagHistory, bool]:
    """The newest `wanted` values of the domain, ascending, and whether there are older ones.

    The source reads forwards only, so the window grows from the end until it holds enough.
    """
    step = FIRST_STEP_NS
    while True:
        low = max(cursor.low_ns, cursor.high_ns - step)
        found, overflow = _last_of(source, cursor.variable, Span(low, cursor.high_ns), wanted)
        if overflow or len(found) > wanted or low <= cursor.low_ns:
            more = overflow or len(found) > wanted
            return _slice(found, max(len(found) - wanted, 0), len(found)), more
        step = min(step * STEP_GROWTH, LAST_NS - FIRST_NS)


def _last_of(source: ServedSource, variable: ServedVariable, span: Span, wanted: int) -> tuple[TagHistory, bool]:
    """The last values of a span, at least `wanted` if it has them, and whether older ones were dropped."""
    kept = _nothing(variable)
    dropped, low, skip, more = False, span.start_ns, 0, True
    while more:
        page, more = source.history(variable.identifier, Span(low, span.end_ns), wanted + 1, skip)
        if len(page) == 0:
            break
        last = int(page.times[-1])
        skip = int(np.count_nonzero(page.times == last)) + (skip if last == low else 0)
        low = last
        kept = _joined([kept, page])
        if len(kept) > wanted + 1:
            kept, dropped = _slice(kept, len(kept) - wanted - 1, len(kept)), True
    return kept, dropped


def _near_bound(source: ServedSource, cursor: Cursor) -> list[TagHistory]:
    """The value just outside the start, unless one lies on it."""
    if cursor.backwards:
        return _bound_after(source, cursor.variable, cursor.high_ns - TICK, cursor.high_ns)
    return _bound_before(source, cursor.variable, cursor.low_ns, cursor.low_ns)


def _far_bound(source: ServedSource, cursor: Cursor) -> TagHistory:
    """The value on the end or just outside it."""
    if cursor.backwards:
        return _older(source, cursor.variable, cursor.low_ns, cursor.low_ns - TICK)
    found, _ = source.history(cursor.variable.identifier, Span(cursor.high_ns, LAST_NS), 1, 0)
    return found if len(found) else _not_found(cursor.variable, cursor.high_ns)


def _bound_before(source: ServedSource, variable: ServedVariable, start_ns: int, stamp_ns: int) -> list[TagHistory]:
    on_it, _ = source.history(variable.identifier, Span(start_ns, start_ns + TICK), 1, 0)
    return [] if len(on_it) else [_older(source, variable, start_ns, stamp_ns)]


def _bound_after(source: ServedSource, variable: ServedVariable, start_ns: int, beyond_ns: int) -> list[TagHistory]:
    found, _ = source.history(variable.identifier, Span(start_ns, LAST_NS), 1, 0)
    if len(found) and int(found.times[0]) < beyond_ns:
        return []
    return [found if len(found) else _not_found(variable, start_ns)]


def _older(source: ServedSource, variable: ServedVariable, before_ns: int, stamp_ns: int) -> TagHistory:
    found, _ = _newest(source, Cursor(variable, FIRST_NS, before_ns), 1)
    return found if len(found) else _not_found(variable, stamp_ns)


def _not_found(variable: ServedVariable, time_ns: int) -> TagHistory:
    times = np.array([time_ns], dtype=np.int64)
    return TagHistory(times, _missing(variable, 1), np.array([BAD_BOUND_NOT_FOUND], dtype=np.uint32))


def _nothing(variable: ServedVariable) -> TagHistory:
    return TagHistory(np.empty(0, dtype=np.int64), _missing(variable, 0), np.empty(0, dtype=np.uint32))


def _missing(variable: ServedVariable, count: int) -> Values:
    if variable.data_type is DataType.TEXT:
        return np.full(count, None, dtype=object)
    return np.full(count, np.nan)


def _slice(history: TagHistory, start: int, stop: int) -> TagHistory:
    return TagHistory(history.times[start:stop], history.values[start:stop], history.status[start:stop])


def _reversed(history: TagHistory) -> TagHistory:
    return TagHistory(history.times[::-1], history.values[::-1], history.status[::-1])


def _joined(parts: list[TagHistory]) -> TagHistory:
    if len(parts) == 1:
        return parts[0]
    return TagHistory(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.status for part in parts]),
    )

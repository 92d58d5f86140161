"""Trends for people: fewer points than there are values, and no peak lost. Pure."""

from typing import Final

import numpy as np

from tagsight_models.frame import Flags, Floats, Times

POINTS_OF_A_BUCKET: Final = 5
"""First, lowest, highest and last value, and one hole."""


def thinned(times: Times, values: Floats, span: tuple[int, int], buckets: int) -> tuple[Times, Floats]:
    """Of each of `buckets` equal parts of the span the first, lowest, highest and last value, in the order of time.

    The line through them covers the same pixels as the line through all (M4: U. Jugel and others, VLDB 2014). A NaN is
    a hole: where values are missing, one NaN stays in between.

    Args:
        times: shape (n,), UTC ns, ascending.
        values: shape (n,).
        span: start and end, UTC ns; what is outside is left out.
        buckets: one for each pixel that the trend is wide.
    """
    start, end = span
    inside = (times >= start) & (times <= end)
    times, values = times[inside], values[inside]
    if len(times) <= POINTS_OF_A_BUCKET * buckets:
        return times, values
    bucket = (times - start).astype(np.float64) / max(end - start, 1) * buckets
    place = np.minimum(bucket.astype(np.int64), buckets - 1)
    finite = np.isfinite(values)
    kept = np.concatenate([_outline(np.flatnonzero(finite), place, values), _holes(finite, place)])
    order = np.unique(kept)
    return times[order], values[order]


def _outline(rows: Times, place: Times, values: Floats) -> Times:
    """First, last, lowest and highest of the rows of each place."""
    if not len(rows):
        return rows
    first = np.flatnonzero(np.diff(place[rows], prepend=-1))
    last = np.append(first[1:], len(rows)) - 1
    by_value = rows[np.lexsort((values[rows], place[rows]))]
    return np.concatenate([rows[first], rows[last], by_value[first], by_value[last]])


def _holes(finite: Flags, place: Times) -> Times:
    """The first row of each hole, at most one in a place."""
    begins = np.flatnonzero(~finite & np.append(True, finite[:-1]))
    _, first = np.unique(place[begins], return_index=True)
    return np.asarray(begins[first], dtype=np.int64)

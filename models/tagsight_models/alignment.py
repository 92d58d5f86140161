"""From raw series to values on one grid.

Step `t` of the grid stands for the cell `(t - grid, t]` and carries what the historian knew at `t`; nothing later than
`t` ever changes it (docs/decisions/0001-causal-alignment.md):

* the last sample at or before `t` decides: older than the role's maximum gap, Bad or not a finite number: no value;
* otherwise a `step` role has that sample's value, and any other role the mean of the usable samples of the cell, or,
  where the cell is empty, the last value held;
* a value that rests on an Uncertain sample is marked uncertain.

So a step depends on the samples of `(t - max(grid, maximum gap), t]` alone: the frame of a prefix is the prefix of the
frame, and a live frame, read only that far back, equals the one made later from the whole history.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.errors import FrameTooLarge
from tagsight_models.frame import Codes, Flags, Floats, Frame, Role, Series, Times
from tagsight_models.reasons import Reason

SECOND_NS: Final = 1_000_000_000
EARLIEST_NS: Final = 315_532_800 * SECOND_NS
"""1980-01-01: a sample before it has no time that a historian of a plant can mean (1601 is "never" in Windows)."""

FRAME_LIMIT: Final = 50_000_000
"""Samples (steps x roles) of a frame: 500 MB."""

GRIDS_S: Final = (1, 2, 5, 10, 15, 30, 60, 120, 180, 300, 600, 900, 1800, 3600)
"""What `median_grid` chooses from, seconds."""

_BAD: Final = 2
_UNCERTAIN: Final = 1


@dataclass(frozen=True, slots=True)
class Ignored:
    """Samples of one series that did not take part, or not as they came.

    Attributes:
        absurd: before 1980.
        future: after the end of the span.
        duplicates: another sample of the same time was stored later, which counts.
        unsorted: samples that came after one of a later time; they take part.
    """

    absurd: int = 0
    future: int = 0
    duplicates: int = 0
    unsorted: int = 0


def grid_times(span: tuple[int, int], grid_ns: int) -> Times:
    """Steps `start < t <= end` that are multiples of `grid_ns`: adjacent spans share no step."""
    if grid_ns <= 0:
        message = f"the grid must be longer than 0 ns, not {grid_ns}"
        raise ValueError(message)
    start_ns, end_ns = span
    count = max(end_ns // grid_ns - start_ns // grid_ns, 0)
    if count > FRAME_LIMIT:
        raise FrameTooLarge(count, 1, FRAME_LIMIT)
    return (start_ns // grid_ns + 1 + np.arange(count, dtype=np.int64)) * np.int64(grid_ns)


def clean(series: Series, end_ns: int) -> tuple[Series, Ignored]:
    """Ascending, one sample for each time (the last stored), none before 1980 or after `end_ns`."""
    absurd, future = series.times < EARLIEST_NS, series.times > end_ns
    kept = np.flatnonzero(~(absurd | future))
    times = series.times[kept]
    unsorted = int((times[1:] < np.maximum.accumulate(times)[:-1]).sum()) if len(times) else 0
    if unsorted:
        order = np.argsort(times, kind="stable")
        kept, times = kept[order], times[order]
    last = np.ones(len(kept), dtype=np.bool_)
    last[:-1] = times[1:] != times[:-1]
    if len(kept) == len(series.times) and not unsorted and last.all():
        return series, Ignored()
    ignored = Ignored(int(absurd.sum()), int(future.sum()), int((~last).sum()), unsorted)
    kept = kept[last]
    return Series(series.times[kept], series.values[kept], series.quality[kept]), ignored


def align(
    series: Mapping[str, Series],
    roles: Sequence[Role],
    grid_ns: int,
    span: tuple[int, int],
    max_gaps: Mapping[str, int],
    *,
    live: bool = False,
) -> Frame:
    """Put all roles on one grid; every sample has a value or a reason.

    Args:
        series: by role name; in any order, with duplicates. A role without a series has no value anywhere.
        roles: in the order of the columns.
        grid_ns: distance of the steps.
        span: the steps are the multiples of the grid in `start < t <= end` (UTC ns). Samples before the start are
            held into it.
        max_gaps: ns, by role name: an older value does not count.
        live: the end of the span is now: where the newest value is too old, the reason is STALE, not GAP.

    Raises:
        FrameTooLarge: more than `FRAME_LIMIT` samples.
        KeyError: a role without a maximum gap.
    """
    times = grid_times(span, grid_ns)
    shape = (len(times), len(roles))
    if shape[0] * shape[1] > FRAME_LIMIT:
        raise FrameTooLarge(*shape, FRAME_LIMIT)
    values = np.full(shape, np.nan)
    reasons = np.full(shape, Reason.STALE if live else Reason.GAP, dtype=np.uint8)
    uncertain = np.zeros(shape, dtype=np.bool_)
    for column, role in enumerate(roles):
        max_gap = max_gaps[role.name]
        if len(times) and role.name in series:
            samples, _ = clean(series[role.name], int(times[-1]))
            if len(samples.times):
                reasons[:, column] = _reasons(samples, times, max_gap, live=live)
                values[:, column], uncertain[:, column] = _known(samples, times, grid_ns, role)
    overflown = (reasons == Reason.USED) & ~np.isfinite(values)
    reasons[overflown] = Reason.NOT_A_NUMBER
    values[reasons != Reason.USED] = np.nan
    uncertain &= reasons == Reason.USED
    return Frame(times, values, reasons, uncertain, tuple(roles), grid_ns)


def typical_max_gap(series: Series, grid_ns: int) -> int:
    """The 99.9th percentile of the gaps between samples of any quality, at least two steps of the grid."""
    gaps = _gaps(series)
    least = 2 * grid_ns
    return max(least, int(np.quantile(gaps, 0.999, method="higher"))) if len(gaps) else least


def median_grid(series: Sequence[Series]) -> int:
    """The grid that fits the sampling: the median over the series of their median gaps, as one of `GRIDS_S`, in ns.

    One minute where nothing was sampled twice.
    """
    medians = [float(np.median(gaps)) for one in series if len(gaps := _gaps(one))]
    if not medians:
        return 60 * SECOND_NS
    ratios = np.log(np.array(GRIDS_S) * SECOND_NS / max(float(np.median(medians)), 1.0))
    return GRIDS_S[int(np.abs(ratios).argmin())] * SECOND_NS


def _gaps(series: Series) -> Times:
    samples, _ = clean(series, int(np.iinfo(np.int64).max))
    return np.diff(samples.times)


def _last(samples: Series, times: Times) -> Times:
    """Index of the last sample at or before each time; -1 where there is none."""
    return np.searchsorted(samples.times, times, side="right") - 1


def _reasons(samples: Series, times: Times, max_gap: int, *, live: bool) -> Codes:
    last = _last(samples, times)
    held = np.maximum(last, 0)
    reasons = np.full(len(times), Reason.USED, dtype=np.uint8)
    reasons[~np.isfinite(samples.values[held])] = Reason.NOT_A_NUMBER
    reasons[samples.quality[held] >= _BAD] = Reason.BAD_QUALITY
    too_old = (last < 0) | (times - samples.times[held] > max_gap)
    reasons[too_old] = Reason.GAP
    if live:
        reasons[too_old & (last == last[-1])] = Reason.STALE
    return reasons


def _known(samples: Series, times: Times, grid_ns: int, role: Role) -> tuple[Floats, Flags]:
    """Value and uncertainty at each time, as if nothing were wrong there."""
    held = np.maximum(_last(samples, times), 0)
    values = samples.values[held].astype(np.float64)
    uncertain = samples.quality[held] == _UNCERTAIN
    if not role.step:
        _average(samples, times, grid_ns, values, uncertain)
    return values, uncertain


def _average(samples: Series, times: Times, grid_ns: int, values: Floats, uncertain: Flags) -> None:
    """Replace what cells with several usable samples have by their mean."""
    usable = np.flatnonzero((samples.quality < _BAD) & np.isfinite(samples.values))
    edges = np.searchsorted(samples.times[usable], np.concatenate([times[:1] - grid_ns, times]), side="right")
    counts = np.diff(edges)
    filled = np.flatnonzero(counts)
    if not (counts > 1).any():
        return
    inside = usable[edges[0] : edges[-1]]
    starts, sizes = edges[filled] - edges[0], counts[filled]
    first = samples.values[inside[starts]]
    share = np.repeat(sizes, sizes)
    # The first plus the mean distance from it: exact where all are equal (a stuck sensor stays exactly flat), and
    # each divided before the sum: no overflow at 1e308.
    with np.errstate(over="ignore", invalid="ignore"):
        distances = samples.values[inside] / share - np.repeat(first / sizes, sizes)
        means = first + np.add.reduceat(distances, starts)
    several = sizes > 1
    values[filled[several]] = means[several]
    uncertain[filled] = np.logical_or.reduceat(samples.quality[inside] == _UNCERTAIN, starts)

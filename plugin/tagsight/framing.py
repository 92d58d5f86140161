"""The one way from History to a gated Frame: for training, rehearsal and live scoring. Runs in a worker.

A live frame equals what rehearsal makes of the same time later, if it is made from enough of the past:
`live_span` says where its frame has to start, `reading_starts` from when on the history of each role and operand has
to be read for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight.conditions import Condition
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import Quality, qualities_of
from tagsight_models.alignment import Ignored, align, clean, typical_max_gap
from tagsight_models.frame import Frame, Role, Series, Times
from tagsight_models.gates import GateLimits, Truths, gate, learn_limits
from tagsight_models.windows import HOLE_STEPS

OPERAND_GAP_FACTOR: Final = 2
"""An operand of a condition that is stored seldom (a state, on change) may be quiet this many times longer than in
training: its longest rest there says little of the next one."""

READ_BEYOND_NS: Final = 1_000_000_000
"""So far after the last step a history is read: the end of a read is exclusive, and historians cut it to what their
clock resolves, microseconds, milliseconds or seconds. The value of the last step itself must not be missed; what is
later does not take part."""

OFTEN: Final = 1000
"""Samples in training from which on an operand has the maximum gap of any tag, its 99.9th percentile."""


@dataclass(frozen=True, slots=True)
class FramingResult:
    """What `build_frame` made.

    Attributes:
        frame: gated.
        limits: those it was gated with: given, or learned here.
        counts: samples that did not take part as they came, by role and operand; only what has any.
        running: shape (steps,): 1 runs, 0 does not, -1 unknown; None: there is no running condition.
    """

    frame: Frame
    limits: GateLimits
    counts: Mapping[str, Ignored] = field(default_factory=dict)
    running: Truths | None = None


def build_frame(
    history: Mapping[str, TagHistory],
    operands: Mapping[str, TagHistory],
    roles: Sequence[Role],
    grid_ns: int,
    span: tuple[int, int],
    *,
    limits: GateLimits | None = None,
    running: Condition | None = None,
    running_buffer_ns: int = 0,
    periods: Sequence[tuple[int, int]] = (),
    max_gaps: Mapping[str, int] | None = None,
    live: bool = False,
    anticipate_stops: bool = False,
) -> FramingResult:
    """Align and gate.

    Args:
        history: by role name; may begin before the span (those samples are held into it). A role without history has
            no value anywhere.
        operands: by operand of `running`; the same.
        roles: in the order of the columns.
        grid_ns: distance of the steps.
        span: steps are the multiples of the grid in `start < t <= end`, UTC ns.
        limits: of the model; None: learn them from this history (training).
        running: the running condition; None: always runs.
        running_buffer_ns: see `gate`.
        periods: excluded by the engineer, half-open, UTC ns.
        max_gaps: by role name, what the engineer set; used where limits are learned.
        live: the end of the span is now.
        anticipate_stops: for the data that a model learns from only, see `gate`.

    Raises:
        FrameTooLarge: more samples than a frame may hold.
        KeyError: `limits` of another model: a role or operand is not in them.
    """
    end_ns = span[1]
    counts: dict[str, Ignored] = {}
    series = {role.name: _cleaned(role.name, history, end_ns, counts) for role in roles if role.name in history}
    gaps = _gaps(series, roles, grid_ns, max_gaps or {}) if limits is None else limits.max_gaps
    operand_gaps = _operand_gaps(running, operands, span, grid_ns) if limits is None else limits.operands
    frame = align(series, roles, grid_ns, span, gaps, live=live)
    truths = _truths(running, operands, frame.times, operand_gaps)
    if limits is None:
        accepted = gate(frame, None, truths, periods, running_buffer_ns, anticipate_stops=anticipate_stops)
        limits = learn_limits(accepted, gaps, operand_gaps)
    gated = gate(frame, limits, truths, periods, running_buffer_ns, anticipate_stops=anticipate_stops)
    return FramingResult(gated, limits, counts, truths)


def series_of(history: TagHistory) -> Series:
    """Numbers of a tag; text and "no value" become NaN."""
    return Series(history.times, _numbers(history.values), qualities_of(history.status))


def operand_values(history: TagHistory | None, times: Times, max_gap_ns: int) -> NDArray[Any]:
    """What a condition sees at each time: the last value at or before it, number or state.

    NaN or None (unknown) where that is Bad, older than `max_gap_ns`, or not there.
    """
    if history is None or not len(times):
        return np.full(len(times), np.nan)
    # `clean` orders positions, so that states travel the same way as numbers.
    order = Series(history.times, np.arange(len(history), dtype=np.float64), qualities_of(history.status))
    samples, _ = clean(order, int(times[-1]))
    if not len(samples.times):
        return np.full(len(times), np.nan)
    last = np.searchsorted(samples.times, times, side="right") - 1
    held = np.maximum(last, 0)
    unknown = (last < 0) | (samples.quality[held] == Quality.BAD) | (times - samples.times[held] > max_gap_ns)
    values: NDArray[Any] = history.values[samples.values[held].astype(np.int64)]
    nothing: Any = None if values.dtype == object else np.nan
    return np.where(unknown, nothing, values)


def live_span(
    due_ns: int, window_steps: int, grid_ns: int, limits: GateLimits, running_buffer_ns: int = 0
) -> tuple[int, int]:
    """The span of a frame whose window that ends at `due_ns` is what rehearsal would make of it.

    Before the window come the steps that bridging, flat lines, spikes and the running buffer look back on.
    """
    warm_up = HOLE_STEPS + max(limits.flat_steps, 2) + -(-running_buffer_ns // grid_ns) + 1
    end_ns = due_ns // grid_ns * grid_ns
    return end_ns - (window_steps + warm_up) * grid_ns, end_ns


def reading_starts(start_ns: int, grid_ns: int, limits: GateLimits) -> Mapping[str, int]:
    """From when on (UTC ns) each role and operand has to be read for a frame that starts at `start_ns`."""
    gaps = {**limits.operands, **limits.max_gaps}
    for name in limits.operands.keys() & limits.max_gaps.keys():
        gaps[name] = max(limits.operands[name], limits.max_gaps[name])
    return {name: start_ns - max(gap, grid_ns) for name, gap in gaps.items()}


def _truths(
    running: Condition | None, operands: Mapping[str, TagHistory], times: Times, gaps: Mapping[str, int]
) -> Truths | None:
    if running is None:
        return None
    return running.evaluate({name: operand_values(operands.get(name), times, gaps[name]) for name in running.operands})


def _cleaned(name: str, history: Mapping[str, TagHistory], end_ns: int, counts: dict[str, Ignored]) -> Series:
    series, ignored = clean(series_of(history[name]), end_ns)
    if ignored != Ignored():
        counts[name] = ignored
    return series


def _gaps(
    series: Mapping[str, Series], roles: Sequence[Role], grid_ns: int, given: Mapping[str, int]
) -> Mapping[str, int]:
    """What the engineer set, else what the samples say; by role."""
    return {
        role.name: given[role.name] if role.name in given else _gap(series.get(role.name), grid_ns) for role in roles
    }


def _operand_gaps(
    running: Condition | None, operands: Mapping[str, TagHistory], span: tuple[int, int], grid_ns: int
) -> Mapping[str, int]:
    names = () if running is None else running.operands
    return {name: _operand_gap(operands.get(name), span, grid_ns) for name in names}


def _gap(series: Series | None, grid_ns: int) -> int:
    return 2 * grid_ns if series is None else typical_max_gap(series, grid_ns)


def _operand_gap(history: TagHistory | None, span: tuple[int, int], grid_ns: int) -> int:
    """As for any tag where stored often; else twice the longest rest, the time up to the end of the span included."""
    if history is None:
        return 2 * grid_ns
    samples, _ = clean(series_of(history), span[1])
    if not len(samples.times):
        return 2 * grid_ns
    if len(samples.times) > OFTEN:
        return typical_max_gap(samples, grid_ns)
    longest = int(np.diff(samples.times, append=max(span[1], int(samples.times[-1]))).max())
    return max(OPERAND_GAP_FACTOR * longest, 2 * grid_ns)


def _numbers(values: NDArray[Any]) -> NDArray[np.float64]:
    if values.dtype != object:
        return values.astype(np.float64, copy=False)
    return np.array([_number(value) for value in values], dtype=np.float64)


def _number(value: object) -> float:
    try:
        return float(value) if isinstance(value, (int, float, np.number, np.bool_)) else np.nan
    except (OverflowError, TypeError):
        return np.nan

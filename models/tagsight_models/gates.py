"""Exclusions: which steps of a frame do not count, and why.

Every gate at step `t` reads steps at or before `t` only (docs/decisions/0001-causal-alignment.md), with one exception
that learning alone may ask for: `anticipate_stops`. Where several reasons apply the highest is kept (`reasons.py`).

* Running condition: false is NOT_RUNNING, unknown is CONDITION_UNKNOWN, true within the buffer after a false step is
  STARTING. With `anticipate_stops` also the buffer before a stop; live nobody knows of a stop before it comes.
* The engineer's periods: EXCLUDED where the cell of the step overlaps one.
* Flat line: a value unchanged for more steps than `flat_steps`. The first steps of a flat line count; nothing is
  taken back. Never for `step` roles, whose values are meant to stand still.
* Spike: the first step of a jump larger than `spike`. The second step of the same jump is never a spike, so a
  sustained fault is seen one step later. Never for `step` roles.

Flat lines and spikes are sought among steps that count otherwise: a stop or a gap ends a flat line.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Codes, Flags, Floats, Frame, Times
from tagsight_models.reasons import Reason

Truths = NDArray[np.int8]

FLAT_FACTOR: Final = 2
"""A flat line must last this many times longer than the longest in training: the next one is seldom the longest."""

FLAT_LEAST: Final = 10
"""Steps; a shorter flat line is never one."""

FLAT_MOST: Final = 240
"""Steps; a role that needs a longer limit is normally quiet (stored by exception), so it has no flat line at all.

It also bounds how far back a live frame has to reach."""

SPIKE_FACTOR: Final = 2.0
"""A spike must be this many times higher than the largest sustained jump in training."""

SPIKE_SPREAD: Final = 10.0
"""A spike must be this many times higher than the 99th percentile of all jumps in training."""

SPIKE_EVIDENCE: Final = 100
"""Jumps in training below which no limit can be learned."""

_SCHEMA: Final = 1


@dataclass(frozen=True, slots=True)
class RoleLimits:
    """What is normal of one role's samples.

    Attributes:
        max_gap_ns: an older value does not count.
        flat_steps: more equal values in a row are a flat line; None: no limit.
        spike: engineering units; a larger jump is a spike; None: no limit.
    """

    max_gap_ns: int
    flat_steps: int | None = None
    spike: float | None = None


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Learned at training and kept in the model, so that live, rehearsal and training gate alike.

    Attributes:
        roles: by role name.
        operands: max_gap_ns by operand of the running condition.
    """

    roles: Mapping[str, RoleLimits]
    operands: Mapping[str, int] = field(default_factory=dict)

    @property
    def max_gaps(self) -> Mapping[str, int]:
        """By role name, ns."""
        return {name: limits.max_gap_ns for name, limits in self.roles.items()}

    @property
    def flat_steps(self) -> int:
        """The largest `flat_steps` of all roles, 0 if none has one."""
        return max((limits.flat_steps or 0 for limits in self.roles.values()), default=0)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a model file."""
        return {
            "schema": _SCHEMA,
            "roles": {
                name: {"max_gap_ns": one.max_gap_ns, "flat_steps": one.flat_steps, "spike": one.spike}
                for name, one in self.roles.items()
            },
            "operands": dict(self.operands),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "GateLimits":
        """What `to_json` made.

        Raises:
            ValueError: something else.
        """
        try:
            if data["schema"] != _SCHEMA:
                message = f"schema {data['schema']!r} of the gate limits is not {_SCHEMA}"
                raise ValueError(message)
            roles = {str(name): _role_limits(one) for name, one in data["roles"].items()}
            return cls(roles, {str(name): _positive(gap) for name, gap in data["operands"].items()})
        except (KeyError, TypeError, AttributeError) as error:
            message = f"not the gate limits of a model: {error!r}"
            raise ValueError(message) from error


def gate(
    frame: Frame,
    limits: GateLimits | None = None,
    running: Truths | None = None,
    periods: Sequence[tuple[int, int]] = (),
    running_buffer_ns: int = 0,
    *,
    anticipate_stops: bool = False,
) -> Frame:
    """The frame with a reason for every step that does not count; values stay.

    Args:
        frame: as `align` made it.
        limits: for flat lines and spikes; None: neither is sought.
        running: shape (steps,): 1 runs, 0 does not, -1 unknown; None: always runs.
        periods: the engineer's, half-open, UTC ns.
        running_buffer_ns: how long after a start (and before a stop, see `anticipate_stops`) nothing counts.
        anticipate_stops: exclude the buffer before a stop, which needs to know the future: for the data that a model
            learns from, never for rehearsal, for the search of the alarm limit, or live.

    Raises:
        KeyError: a role without limits.
    """
    reasons = frame.reasons.copy()
    if running is not None:
        buffer_steps = -(-running_buffer_ns // frame.grid_ns)
        np.maximum(reasons, _running(running, buffer_steps, anticipate_stops=anticipate_stops)[:, None], out=reasons)
    reasons[_overlapping(frame, periods)] = Reason.EXCLUDED
    if limits is not None:
        counting = np.where(reasons == Reason.USED, frame.values, np.nan)
        for column, role in enumerate(frame.roles):
            if not role.step:
                found = _judged(counting[:, column], limits.roles[role.name])
                np.maximum(reasons[:, column], found, out=reasons[:, column])
    return replace(frame, reasons=reasons)


def learn_limits(frame: Frame, max_gaps: Mapping[str, int], operands: Mapping[str, int] | None = None) -> GateLimits:
    """Limits from a frame of accepted training data, gated by running condition and periods but not by limits."""
    counting = np.where(frame.reasons == Reason.USED, frame.values, np.nan)
    roles = {}
    for column, role in enumerate(frame.roles):
        values = counting[:, column]
        flat, spike = (None, None) if role.step else (_flat_limit(values), _spike_limit(values))
        roles[role.name] = RoleLimits(max_gaps[role.name], flat, spike)
    return GateLimits(roles, dict(operands or {}))


def _running(running: Truths, buffer_steps: int, *, anticipate_stops: bool) -> Codes:
    reasons = np.full(len(running), Reason.USED, dtype=np.uint8)
    near = _within(running == 0, buffer_steps)
    if anticipate_stops:
        near |= _within((running == 0)[::-1], buffer_steps)[::-1]
    reasons[near] = Reason.STARTING
    reasons[running == 0] = Reason.NOT_RUNNING
    reasons[running < 0] = Reason.CONDITION_UNKNOWN
    return reasons


def _within(flags: Flags, steps: int) -> Flags:
    """Where a flag stands at most `steps` steps before."""
    index = np.arange(len(flags))
    last = np.maximum.accumulate(np.where(flags, index, -1))
    return np.asarray((last >= 0) & (index - last <= steps), dtype=np.bool_)


def _overlapping(frame: Frame, periods: Sequence[tuple[int, int]]) -> Flags:
    inside = np.zeros(len(frame.times), dtype=np.bool_)
    for start_ns, end_ns in periods:
        inside |= (frame.times > start_ns) & (frame.times - frame.grid_ns < end_ns)
    return inside


def _judged(values: Floats, limits: RoleLimits) -> Codes:
    reasons = np.full(len(values), Reason.USED, dtype=np.uint8)
    if limits.spike is not None:
        jumped = _jumps(values) > limits.spike
        jumped[1:] &= ~jumped[:-1]
        reasons[jumped] = Reason.SPIKE
    if limits.flat_steps is not None:
        reasons[_flat_runs(values) > limits.flat_steps] = Reason.FLAT_LINE
    return reasons


def _flat_runs(values: Floats) -> Times:
    """How many equal values end at each step, itself included; 0 where there is none."""
    index = np.arange(len(values))
    changed = np.ones(len(values), dtype=np.bool_)
    changed[1:] = values[1:] != values[:-1]  # NaN differs from everything
    runs = index - np.maximum.accumulate(np.where(changed, index, 0)) + 1
    return np.where(np.isnan(values), 0, runs)


def _jumps(values: Floats) -> Floats:
    """Distance from the step before; 0 where one of the two is missing."""
    jumps = np.zeros(len(values))
    with np.errstate(over="ignore"):
        jumps[1:] = np.abs(np.diff(values))
    return np.nan_to_num(jumps, nan=0.0, posinf=np.inf)


def _flat_limit(values: Floats) -> int | None:
    longest = int(_flat_runs(values).max(initial=0))
    limit = max(FLAT_FACTOR * longest, FLAT_LEAST)
    return limit if limit <= FLAT_MOST else None


def _spike_limit(values: Floats) -> float | None:
    with np.errstate(over="ignore", invalid="ignore"):
        jumps = np.abs(np.diff(values))
        jumps = jumps[np.isfinite(jumps)]
        if len(jumps) < SPIKE_EVIDENCE:
            return None
        limit = max(SPIKE_FACTOR * _largest_sustained(values), SPIKE_SPREAD * float(np.quantile(jumps, 0.99)))
    return float(limit) if 0.0 < limit < np.inf else None


def _largest_sustained(values: Floats) -> float:
    """The largest jump of which two steps before and two steps after know: neither a spike nor the way back."""
    if len(values) < 4:
        return 0.0
    before, last, now, after = values[:-3], values[1:-2], values[2:-1], values[3:]
    distances = np.abs(np.stack([now - last, after - last, now - before, after - before])).min(axis=0)
    return float(np.max(distances[np.isfinite(distances)], initial=0.0))


def _role_limits(data: Mapping[str, Any]) -> RoleLimits:
    flat, spike = data["flat_steps"], data["spike"]
    if spike is not None and not (isinstance(spike, (int, float)) and 0.0 < spike < np.inf):
        message = f"a spike limit must be a positive number, not {spike!r}"
        raise ValueError(message)
    return RoleLimits(
        _positive(data["max_gap_ns"]),
        None if flat is None else _positive(flat),
        None if spike is None else float(spike),
    )


def _positive(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        message = f"a gate limit must be a positive whole number, not {value!r}"
        raise ValueError(message)
    return value

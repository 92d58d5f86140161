"""Windows of a frame: what a model scores, or why it cannot.

A window is the `steps` steps of the grid that end at its `end`. It is usable when

* its last step has a value that counts for every role: nothing is scored on a step that is missing now;
* no step of it is stopped, starting, stopping or excluded by the engineer: the machine ran throughout;
* every hole (steps of a role in a row that do not count for any other reason) is at most `hole_steps` long, and no
  role lacks more than a tenth of the window. Such a hole is bridged by the last value that counts, as the historian's
  operator would see it, and the window is marked uncertain. Longer ones are never filled.

Bridging looks back only, so a window needs up to `hole_steps` steps before its first one; what is bridged, and so the
window, is the same in whatever frame it is cut from.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Codes, Flags, Floats, Frame, Times
from tagsight_models.reasons import Reason

HOLE_STEPS: Final = 3
"""Steps: the longest hole that is bridged, unless told otherwise."""

HOLE_SHARE: Final = 0.1
"""Share of a window's steps that may be bridged for each role; at least `hole_steps`."""

_OF_MACHINE: Final = (Reason.CONDITION_UNKNOWN, Reason.NOT_RUNNING, Reason.STARTING, Reason.EXCLUDED)


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows of one frame.

    Attributes:
        ends: shape (n,), UTC ns: the due time of each window.
        values: shape (n, steps, roles), engineering units, small holes bridged. A view where the ends are
            consecutive: select the usable ones (which copies) and do not write. NaN only in unusable windows.
        usable: shape (n,), the window can be scored.
        uncertain: shape (n,), it holds an Uncertain or a bridged value.
        reasons: shape (n, steps, roles), `Reason` codes as in the frame; a view like `values`. Where a window lies
            partly outside the frame: GAP.
        roles: names, in the order of the columns.
        marked: shape (n, steps, roles), the value is Uncertain or bridged.
        too_long: shape (n, steps, roles), the step does not count and could not be bridged.
    """

    ends: Times
    values: Floats
    usable: Flags
    uncertain: Flags
    reasons: Codes
    roles: tuple[str, ...]
    marked: Flags
    too_long: Flags

    def __len__(self) -> int:
        return len(self.ends)

    def why(self, n: int) -> tuple[Reason, tuple[str, ...]]:
        """Why window `n` cannot be scored, and of which roles; (USED, ()) where it can.

        What stands at the last step comes first (that is the state now), then the highest reason inside. No roles
        are named where the reason is the machine's. A window that reaches back before the start of a machine that
        runs again is STARTING, not NOT_RUNNING.
        """
        if self.usable[n]:
            return Reason.USED, ()
        now = self.reasons[n, -1]
        if now.any():
            blocking = self.reasons[n, -1:]
        else:
            blocked = self.too_long[n] if self.too_long[n].any() else self.reasons[n] != Reason.USED
            blocking = np.where(blocked, self.reasons[n], np.uint8(Reason.USED))
        reason = Reason(int(blocking.max(initial=0)))
        named = tuple(self.roles[column] for column in np.flatnonzero((blocking == reason).any(axis=0)))
        if reason == Reason.NOT_RUNNING and not now.any():
            reason = Reason.STARTING
        return reason, () if reason in _OF_MACHINE else named


def windows(frame: Frame, steps: int, ends: Times | None = None, *, hole_steps: int = HOLE_STEPS) -> Windows:
    """Windows of `steps` steps that end at `ends`; where None, one for each step that has enough before it.

    An end that is no step of the frame, or too early for a whole window, has an unusable window (GAP).
    """
    if steps < 1 or hole_steps < 0:
        message = f"a window needs at least one step ({steps}), a hole none less than 0 ({hole_steps})"
        raise ValueError(message)
    values, bridged = _bridge(frame, hole_steps)
    too_long = (frame.reasons != Reason.USED) & ~bridged
    marked = frame.uncertain & ~too_long | bridged
    usable = _usable(frame, too_long, bridged, steps, hole_steps)
    # Row k of each view is the window that ends at step k - 1; row 0 lies outside the frame.
    chosen = slice(steps, None) if ends is None else _rows(frame, ends)
    return Windows(
        frame.times[steps - 1 :] if ends is None else np.asarray(ends, dtype=np.int64),
        _view(values, steps, np.nan)[chosen],
        np.concatenate([[False], usable])[chosen],
        np.concatenate([[False], _sums(np.asarray(marked.any(axis=1)), steps) > 0])[chosen],
        _view(frame.reasons, steps, Reason.GAP)[chosen],
        tuple(role.name for role in frame.roles),
        _view(marked, steps, False)[chosen],
        _view(too_long, steps, True)[chosen],
    )


def digest(made: Windows, n: int) -> str:
    """SHA-256 (hex) of everything in window `n` that its run depends on: end, roles, values, reasons, uncertainty.

    Equal digests mean equal runs, so a window is scored again only when late data changed it. STALE counts as GAP:
    which of the two it is depends on when one looks.
    """
    reasons = np.where(made.reasons[n] == Reason.STALE, Reason.GAP, made.reasons[n])
    values = np.where(np.isnan(made.values[n]), np.nan, made.values[n] + 0.0)  # one NaN, no -0.0
    told = hashlib.sha256("\0".join([str(int(made.ends[n])), *made.roles]).encode())
    told.update(np.ascontiguousarray(values, dtype="<f8").tobytes())
    told.update(np.ascontiguousarray(reasons, dtype=np.uint8).tobytes())
    told.update(np.packbits(made.marked[n]).tobytes())
    return told.hexdigest()


def between(frame: Frame, start_ns: int, end_ns: int) -> Frame:
    """The steps `start < t <= end`, as views."""
    part = slice(*np.searchsorted(frame.times, [start_ns, end_ns], side="right").tolist())
    return replace(
        frame,
        times=frame.times[part],
        values=frame.values[part],
        reasons=frame.reasons[part],
        uncertain=frame.uncertain[part],
    )


def _bridge(frame: Frame, hole_steps: int) -> tuple[Floats, Flags]:
    """Values with small holes bridged and NaN where none counts, and where they were bridged."""
    used = frame.reasons == Reason.USED
    index = np.arange(len(frame.times))[:, None]
    last = np.maximum.accumulate(np.where(used, index, -1), axis=0)
    bridged = ~used & (frame.reasons < Reason.NOT_RUNNING) & (last >= 0) & (index - last <= hole_steps)
    held = np.take_along_axis(frame.values, np.maximum(last, 0), axis=0)
    return np.where(used | bridged, held, np.nan), bridged


def _usable(frame: Frame, too_long: Flags, bridged: Flags, steps: int, hole_steps: int) -> Flags:
    """For each step, whether the window that ends there can be scored."""
    index = np.arange(len(frame.times))
    whole = (index >= steps - 1) & bool(frame.roles)
    unbroken = _sums(np.asarray(too_long.any(axis=1)), steps) == 0
    sparse = (_sums(bridged, steps) <= max(hole_steps, int(HOLE_SHARE * steps))).all(axis=1)
    return np.asarray(whole & unbroken & sparse & frame.usable, dtype=np.bool_)


def _sums(flags: Flags, steps: int) -> Times:
    """How many of the `steps` flags that end at each step are set, along the first axis."""
    sums = np.cumsum(flags, axis=0, dtype=np.int64)
    sums[steps:] -= sums[:-steps].copy()
    return sums


def _view(array: NDArray[Any], steps: int, outside: float) -> NDArray[Any]:
    """Shape (rows + 1, steps, roles): the windows of `array` behind `steps` rows of `outside`."""
    padded = np.concatenate([np.full((steps, array.shape[1]), outside, dtype=array.dtype), array])
    return np.lib.stride_tricks.sliding_window_view(padded, steps, axis=0).transpose(0, 2, 1)


def _rows(frame: Frame, ends: Times) -> Times | slice:
    """Rows of a view for the windows that end at `ends`; a slice where they are consecutive."""
    found = np.searchsorted(frame.times, ends)
    known = np.isin(ends, frame.times)
    rows = np.where(known, found + 1, 0)
    if len(rows) and (np.diff(rows) == 1).all():
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows

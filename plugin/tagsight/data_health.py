"""How good the histories are that a model would learn from, per tag and as a whole; what is left out, and why. Pure.

The counts are those of the training itself: the same frame, the same gates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight.framing import FramingResult
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import Quality, qualities_of
from tagsight_models.alignment import Ignored
from tagsight_models.frame import Codes, Flags, Floats, Frame, Role, Times
from tagsight_models.reasons import Reason

NONE: Final = Ignored()


@dataclass(frozen=True, slots=True)
class Stretch:
    """Steps in a row of one reason: `start < t <= end`, UTC ns."""

    start_ns: int
    end_ns: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class TagHealth:
    """One input.

    Attributes:
        role: its name, unit and range.
        source: address of its tag.
        samples: stored values in the period.
        first_ns: source time of the first; None where there is none.
        last_ns: of the last.
        usual_gap_s: median distance of two values; NaN with fewer than two.
        longest_gap_s: NaN with fewer than two.
        bad: share of values of quality Bad.
        uncertain: share of values of quality Uncertain.
        lowest: NaN where there is no number.
        highest: the same.
        still_s: longest time that its numbers did not change.
        still_values: how many values in a row that were.
        distinct: how many different numbers there are.
        outside: share of numbers outside the range; NaN where there is no range.
        times: what was wrong with their times.
        counts: steps of the frame by reason.
        coverage: share of the steps with a value that counts.
        strip: the reasons along time, at most as many stretches as were asked for.
    """

    role: Role
    source: str
    samples: int
    first_ns: int | None
    last_ns: int | None
    usual_gap_s: float
    longest_gap_s: float
    bad: float
    uncertain: float
    lowest: float
    highest: float
    still_s: float
    still_values: int
    distinct: int
    outside: float
    times: Ignored
    counts: Mapping[Reason, int]
    coverage: float
    strip: tuple[Stretch, ...]

    @property
    def constant(self) -> bool:
        """All its numbers are one."""
        return self.lowest == self.highest


@dataclass(frozen=True, slots=True)
class DataHealth:
    """All inputs of a model.

    Attributes:
        tags: in the order of the roles.
        start_ns: of the period.
        end_ns: of the period.
        grid_ns: distance of the steps.
        steps: in the period.
        usable: steps where every input counts.
        left_out: steps that do not count, by the weightiest reason of any input.
        strip: the same along time.
    """

    tags: tuple[TagHealth, ...]
    start_ns: int
    end_ns: int
    grid_ns: int
    steps: int
    usable: int
    left_out: Mapping[Reason, int]
    strip: tuple[Stretch, ...]


def data_health(
    framed: FramingResult,
    history: Mapping[str, TagHistory],
    sources: Mapping[str, str],
    span: tuple[int, int],
    *,
    stretches: int = 400,
) -> DataHealth:
    """Judge the inputs of a model.

    Args:
        framed: as training would make it.
        history: by role.
        sources: role -> address of its tag.
        span: of the training, UTC ns.
        stretches: of each strip, at most; shorter ones give way to what weighs most near them.
    """
    frame = framed.frame
    whole = frame.reasons.max(axis=1) if len(frame.roles) else np.zeros(len(frame.times), dtype=np.uint8)
    tags = tuple(
        _tag(
            _Column(role, history.get(role.name), frame, frame.reasons[:, column]),
            sources.get(role.name, ""),
            framed.counts.get(role.name, NONE),
            stretches,
        )
        for column, role in enumerate(frame.roles)
    )
    counts = _counts(whole)
    return DataHealth(
        tags,
        *span,
        frame.grid_ns,
        len(frame.times),
        counts.get(Reason.USED, 0),
        {reason: count for reason, count in counts.items() if reason is not Reason.USED},
        strip(whole, frame.times, frame.grid_ns, stretches),
    )


def strip(codes: Codes, times: Times, grid_ns: int, at_most: int) -> tuple[Stretch, ...]:
    """Steps in a row of one reason as one stretch; of too many, parts of equal length by their weightiest."""
    if not len(codes):
        return ()
    changes = np.flatnonzero(np.diff(codes.astype(np.int16), prepend=-1))
    if len(changes) > at_most:
        begins = np.unique(np.linspace(0, len(codes), at_most, endpoint=False).astype(np.int64))
        codes, places = np.maximum.reduceat(codes, begins), begins
        changes = np.flatnonzero(np.diff(codes.astype(np.int16), prepend=-1))
    else:
        places = np.arange(len(codes))
    ends = [*(int(times[places[n]]) - grid_ns for n in changes[1:]), int(times[-1])]
    return tuple(
        Stretch(int(times[places[n]]) - grid_ns, end, Reason(int(codes[n])))
        for n, end in zip(changes, ends, strict=True)
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Column:
    """What there is of one role."""

    role: Role
    history: TagHistory | None
    frame: Frame
    codes: Codes

    @property
    def times(self) -> Times:
        return self.history.times if self.history is not None else np.zeros(0, dtype=np.int64)

    @property
    def quality(self) -> Codes:
        return qualities_of(self.history.status) if self.history is not None else np.zeros(0, dtype=np.uint8)

    @property
    def numbers(self) -> Floats:
        """Finite values that are not Bad."""
        if self.history is None or self.history.values.dtype == object:
            return np.zeros(0)
        values: Floats = self.history.values.astype(np.float64, copy=False)
        return np.asarray(values[np.isfinite(values) & (self.quality != Quality.BAD)])

    @property
    def still(self) -> tuple[float, int]:
        """The longest time without a change, seconds, and how many values in a row it had."""
        if self.history is None or self.history.values.dtype == object or not len(self.times):
            return 0.0, 0
        begins = np.flatnonzero(np.append(True, np.diff(self.history.values) != 0.0))
        lasts = np.append(begins[1:], len(self.times)) - 1
        longest = int(np.argmax(lasts - begins))
        first, last = begins[longest], lasts[longest]
        return float(self.times[last] - self.times[first]) / 1e9, int(last - first + 1)

    def outside(self, numbers: Floats) -> float:
        low, high = self.role.low, self.role.high
        if low is None or high is None or not len(numbers):
            return float("nan")
        return float(((numbers < low) | (numbers > high)).mean())


def _tag(one: _Column, source: str, ignored: Ignored, stretches: int) -> TagHealth:
    times, quality, numbers, counts = one.times, one.quality, one.numbers, _counts(one.codes)
    gaps = np.diff(np.sort(times)) / 1e9
    still = one.still
    return TagHealth(
        role=one.role,
        source=source,
        samples=len(times),
        first_ns=int(times.min()) if len(times) else None,
        last_ns=int(times.max()) if len(times) else None,
        usual_gap_s=float(np.median(gaps)) if len(gaps) else float("nan"),
        longest_gap_s=float(gaps.max()) if len(gaps) else float("nan"),
        bad=_share(quality == Quality.BAD),
        uncertain=_share(quality == Quality.UNCERTAIN),
        lowest=float(numbers.min()) if len(numbers) else float("nan"),
        highest=float(numbers.max()) if len(numbers) else float("nan"),
        still_s=still[0],
        still_values=still[1],
        distinct=len(np.unique(numbers)),
        outside=one.outside(numbers),
        times=ignored,
        counts=counts,
        coverage=counts.get(Reason.USED, 0) / len(one.codes) if len(one.codes) else 0.0,
        strip=strip(one.codes, one.frame.times, one.frame.grid_ns, stretches),
    )


def _share(flags: Flags) -> float:
    return float(flags.mean()) if len(flags) else 0.0


def _counts(codes: Codes) -> dict[Reason, int]:
    found, counts = np.unique(codes, return_counts=True)
    return {Reason(int(code)): int(count) for code, count in zip(found, counts, strict=True)}

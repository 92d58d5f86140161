"""Lasting offsets of the laboratory that training has not shown: an analyser changed, another method, a new feed.

A correction that has only seen small biases has a small gain, rightly, and would follow a lasting offset for weeks. So
each new value asks whether the errors since some value before are all off to one side of what was expected of them: the
smaller middle one of them, in spreads, against what chance does to a mean of so many errors with their correlation. One
wrong value is never the smaller middle one of two or three, so it does nothing; two or three values that agree with
each other are an offset. From then on the errors have a step of their own in the prior, wide enough to take it at once;
what was known before it tells nothing of its size. An offset that goes away again is another step.
"""

from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from tagsight_models.frame import Floats
from tagsight_models.quality.residual_field import Points, ResidualField

LONGEST: Final = 8
"""Values within which a step is found: a smaller offset that takes longer is followed by the usual gain."""

SURE: Final = 4.5
"""Spreads of the mean: by chance in a few of a million values, in a few of a thousand where errors have heavy tails."""

MOST_STEPS: Final = 4
"""That are kept: older ones lie before what the correction looks back on."""

NEAR: Final = 3.0
"""Spreads from the middle of the values since a step, within which each of them counts as it is."""

WIDE: Final = 4.0
"""Variance of a step in squares of its size when found."""


@dataclass(frozen=True, slots=True)
class Steps:
    """Steps found so far.

    Attributes:
        times: when each began, in laboratory intervals.
        variances: of each, in squares of the usual error.
        taken: number of a value -> its error as it counts since a step was found, where it was bounded before.
        last: number of the value that the newest step began with; -1 for none.
    """

    times: tuple[float, ...] = ()
    variances: tuple[float, ...] = ()
    taken: dict[int, float] = field(default_factory=dict)
    last: int = -1

    def errors(self, bounded: Floats, first: int) -> Floats:
        """Errors of values from number `first` on, as they count now."""
        found = bounded.copy()
        for number, error in self.taken.items():
            if first <= number < first + len(found):
                found[number - first] = error
        return found

    def covariance(self, one: Points, other: Points) -> Floats:
        """What the steps add, shape (len(one), len(other))."""
        found = np.zeros((len(one.times), len(other.times)))
        for time, variance in zip(self.times, self.variances, strict=True):
            found += variance * np.outer(one.times >= time, other.times >= time)
        return found


NO_STEPS: Final = Steps()


def given(prior: ResidualField, steps: Steps, known: Points, errors: Floats, at: Points) -> tuple[Floats, Floats]:
    """Mean and variance (noise included) of the errors at `at`, as `ResidualField.given`, with steps."""
    if not steps.times or not len(errors):
        return prior.given(known, errors, at)
    mean, covariance = _joint(prior, steps, known, errors, at)
    own = prior.prior + prior.noise * at.noise
    return mean, np.maximum(np.diag(covariance), 1e-3 * own)


def with_step(
    prior: ResidualField, steps: Steps, known: Points, raw: Floats, bounded: Floats, *, first: int = 0
) -> Steps:
    """The steps after the newest of the known values.

    Args:
        prior: of the errors.
        steps: before it.
        known: values, the newest last.
        raw: their errors.
        bounded: their errors as they count.
        first: number of the first of them.
    """
    count, best, found = len(raw), SURE, steps
    counted = steps.errors(bounded, first)
    for begin in range(count - 2, max(count - LONGEST, steps.last + 1 - first, 0) - 1, -1):
        before, after = known.at(slice(0, begin)), known.at(slice(begin, count))
        mean, covariance = _joint(prior, steps, before, counted[:begin], after)
        off, spread = raw[begin:] - mean, np.sqrt(np.diag(covariance))
        sure = _middle(off / spread) / float(np.sqrt((covariance / np.outer(spread, spread)).mean()))
        if sure > best and _agree(off, spread):
            best, found = sure, _begun(steps, float(known.times[begin]), first + begin, off, mean=mean, spread=spread)
    return found


def _joint(prior: ResidualField, steps: Steps, known: Points, errors: Floats, at: Points) -> tuple[Floats, Floats]:
    """Mean and covariance (noise included) of errors at several points together."""
    among = prior.covariance(at, at) + steps.covariance(at, at) + np.diag(prior.noise * at.noise)
    if not len(errors):
        return np.zeros(len(at.times)), np.asarray(among)
    own = prior.covariance(known, known) + steps.covariance(known, known) + np.diag(prior.noise * known.noise)
    across = prior.covariance(at, known) + steps.covariance(at, known)
    factor = cho_factor(own)
    return np.asarray(across @ cho_solve(factor, errors)), np.asarray(among - across @ cho_solve(factor, across.T))


def _begun(steps: Steps, time: float, begin: int, off: Floats, *, mean: Floats, spread: Floats) -> Steps:
    """With a step from value `begin` on; values since then count as they are, those far from their middle as near."""
    size = float(np.median(off))
    near = np.clip(off, size - NEAR * spread, size + NEAR * spread) + mean
    return replace(
        steps,
        times=(*steps.times, time)[-MOST_STEPS:],
        variances=(*steps.variances, WIDE * size * size)[-MOST_STEPS:],
        taken={**steps.taken, **{begin + k: float(one) for k, one in enumerate(near)}},
        last=begin,
    )


def _middle(spreads: Floats) -> float:
    """The smaller middle one on the side that most are on; below 0 where they are on both sides alike."""
    side = 1.0 if np.median(spreads) > 0.0 else -1.0
    return float(np.sort(side * spreads)[(len(spreads) - 1) // 2])


def _agree(off: Floats, spread: Floats) -> bool:
    """Whether most of them are near their middle: a wrong value beside one that is off by chance are no offset."""
    return bool((np.abs(off - np.median(off)) <= NEAR * spread).mean() > 0.5)

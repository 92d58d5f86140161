"""Following laboratory values: bias and width at any time, a pure function of what was known by then."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats, Times
from tagsight_models.quality.lab_steps import NO_STEPS, Steps, given, with_step
from tagsight_models.quality.residual_field import Points, ResidualField
from tagsight_models.regression.conformal import moved

KEPT: Final = 120
"""Laboratory values that the bias looks back on."""

SURPRISE: Final = 4.0
"""A value farther than this many spreads from what was expected counts as this far: a wrong value does little."""


ALIKE: Final = 1.0
"""Spreads that a value and the one before it must both be off to one side, else no step is looked for."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Laboratory values in the order in which they were known: times in ns, errors in units of the usual error."""

    sampled: Times
    known: Times
    points: Points
    errors: Floats


@dataclass(frozen=True, slots=True)
class Tracking:
    """Where the quantile of the interval begins, and the coverage that it is moved towards."""

    start: float
    coverage: float


@dataclass(frozen=True, slots=True, eq=False)
class Following:
    """At each time: bias and spread in units of the usual error, and the half-width of the interval in spreads."""

    bias: Floats
    spread: Floats
    quantile: Floats


def follow(field: ResidualField, known: Known, at: Points, at_ns: Times, tracking: Tracking) -> Following:
    """What was known by each of `at_ns` gives bias, spread and quantile there.

    Each value is first expected from those known before it was sampled; the errors of that, in spreads, move the
    quantile, and bound how far a value may pull the bias. Values that agree on a lasting offset pull it all the way.
    """
    bounded, scores, steps = _sifted(field, known)
    quantiles = moved(tracking.start, scores, tracking.coverage)
    count = np.searchsorted(known.known, at_ns, side="right")
    bias, spread = np.zeros(len(at_ns)), np.zeros(len(at_ns))
    for seen in np.unique(count).tolist():
        rows = np.flatnonzero(count == seen)
        mean, variance = given(field, steps[seen], *_last(known, bounded, seen, steps[seen]), _rows(at, rows))
        bias[rows], spread[rows] = mean, np.sqrt(variance)
    return Following(bias, spread, quantiles[count])


def _sifted(field: ResidualField, known: Known) -> tuple[Floats, Floats, list[Steps]]:
    """The errors with surprises bounded, each in spreads from what was expected of it, and the steps after each."""
    bounded, scores, signed = known.errors.copy(), np.zeros(len(known.errors)), np.zeros(len(known.errors))
    steps = [NO_STEPS]
    for number, sampled in enumerate(known.sampled):
        seen = min(int(np.searchsorted(known.known, sampled, side="right")), number)
        before = steps[seen]
        mean, variance = given(
            field, before, *_last(known, bounded, seen, before), _rows(known.points, np.array([number]))
        )
        spread = float(np.sqrt(variance[0]))
        signed[number] = (known.errors[number] - mean[0]) / spread
        scores[number] = abs(signed[number])
        bounded[number] = mean[0] + float(np.clip(signed[number], -SURPRISE, SURPRISE)) * spread
        newest = signed[max(0, number - 1) : number + 1]
        alike = len(newest) == 2 and (newest.min() > ALIKE or newest.max() < -ALIKE)
        steps.append(_looked(field, known, bounded[: number + 1], steps[-1]) if alike else steps[-1])
    return bounded, scores, steps


def _looked(field: ResidualField, known: Known, bounded: Floats, before: Steps) -> Steps:
    """The steps after the newest of the values that `bounded` has."""
    part = slice(max(0, len(bounded) - KEPT), len(bounded))
    return with_step(field, before, known.points.at(part), known.errors[part], bounded[part], first=part.start)


def _last(known: Known, bounded: Floats, seen: int, steps: Steps) -> tuple[Points, Floats]:
    part = slice(max(0, seen - KEPT), seen)
    return known.points.at(part), steps.errors(bounded[part], part.start)


def _rows(points: Points, rows: NDArray[np.intp]) -> Points:
    return Points(points.times[rows], points.inputs[rows], points.noise[rows])

"""Following laboratory values: bias and width at any time, a pure function of what was known by then."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats, Times
from tagsight_models.quality.residual_field import Points, ResidualField
from tagsight_models.regression.conformal import moved

KEPT: Final = 120
"""Laboratory values that the bias looks back on."""

SURPRISE: Final = 4.0
"""A value farther than this many spreads from what was expected counts as this far: a wrong value does little."""


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
    quantile, and bound how far a value may pull the bias.
    """
    bounded, scores = _sifted(field, known)
    quantiles = moved(tracking.start, scores, tracking.coverage)
    count = np.searchsorted(known.known, at_ns, side="right")
    bias, spread = np.zeros(len(at_ns)), np.zeros(len(at_ns))
    for seen in np.unique(count).tolist():
        rows = np.flatnonzero(count == seen)
        mean, variance = field.given(*_last(known, bounded, seen), _rows(at, rows))
        bias[rows], spread[rows] = mean, np.sqrt(variance)
    return Following(bias, spread, quantiles[count])


def _sifted(field: ResidualField, known: Known) -> tuple[Floats, Floats]:
    """The errors with surprises bounded, and each in spreads from what was expected of it."""
    bounded, scores = known.errors.copy(), np.zeros(len(known.errors))
    for number, sampled in enumerate(known.sampled):
        seen = min(int(np.searchsorted(known.known, sampled, side="right")), number)
        mean, variance = field.given(*_last(known, bounded, seen), _rows(known.points, np.array([number])))
        spread = float(np.sqrt(variance[0]))
        scores[number] = abs(known.errors[number] - mean[0]) / spread
        off = float(np.clip(known.errors[number] - mean[0], -SURPRISE * spread, SURPRISE * spread))
        bounded[number] = mean[0] + off
    return bounded, scores


def _last(known: Known, bounded: Floats, seen: int) -> tuple[Points, Floats]:
    part = slice(max(0, seen - KEPT), seen)
    return known.points.at(part), bounded[part]


def _rows(points: Points, rows: NDArray[np.intp]) -> Points:
    return Points(points.times[rows], points.inputs[rows], points.noise[rows])

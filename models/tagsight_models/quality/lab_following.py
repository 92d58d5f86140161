"""Following laboratory values: from predictions and values to bias and width at any time, as a pure function of both."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats, Times
from tagsight_models.quality.conformal import moved
from tagsight_models.quality.residual_field import Points, ResidualField

KEPT: Final = 120
"""Laboratory values that the bias looks back on."""

SURPRISE: Final = 4.0
"""A value farther than this many spreads from what was expected counts as this far: a wrong value does little."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Laboratory values in the order in which they were known, all of shape (n,): times in ns, errors of the regression
    in units of the usual error.
    """

    sampled: Times
    known: Times
    points: Points
    errors: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Following:
    """Bias and spread at each time, in units of the usual error, and the quantile that makes an interval of the spread."""

    bias: Floats
    spread: Floats
    quantile: Floats


def follow(field: ResidualField, known: Known, at: Points, at_ns: Times, start: float, coverage: float) -> Following:
    """What was known by each of `at_ns` gives bias, spread and quantile there.

    Each value is first expected from those known before it was sampled; the errors of that, in spreads, move the
    quantile, and bound how far a value may pull the bias.
    """
    bounded, scores = _sifted(field, known)
    quantiles = moved(start, scores, coverage)
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

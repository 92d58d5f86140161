"""How far normal time wanders from one part of it to another, beyond what its quick movements explain.

Five parts of the time, in order. The covariance of their means says in which directions the machine wanders. A role
wanders alone where its means differ more than means of a stationary series would: a test of variance, with the
integrated autocorrelation of the role inside the parts as the number of steps that count as one.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from tagsight_models.frame import Floats

PARTS: Final = 5
CHANCE: Final = 0.01  # that any role of a stationary machine counts as wandering
CORRELATED: Final = 0.05  # autocorrelation below this counts as none
TESTED: Final = 2500  # rows that the autocorrelation is found from


@dataclass(frozen=True, slots=True, eq=False)
class Wander:
    """Variances between the parts.

    Attributes:
        between: shape (columns, columns), covariance of the means.
        alone: shape (columns,), variance of a column's means beyond what a stationary series explains; 0 for most.
    """

    between: Floats
    alone: Floats


def wander(rows: Floats) -> Wander:
    """Of rows (n, columns) without NaN, in the order of time."""
    means = np.stack([part.mean(axis=0) for part in np.array_split(rows, PARTS)])
    means -= rows.mean(axis=0)
    between = means.T @ means / (PARTS - 1)
    return Wander(between, np.maximum(np.diag(between) - _stationary(rows), 0.0))


def within(rows: Floats) -> Floats:
    """The rows less the mean of their part."""
    return np.concatenate([part - part.mean(axis=0) for part in np.array_split(rows, PARTS)])


def _stationary(rows: Floats) -> Floats:
    """Largest variance between the parts that a stationary series of each column would show."""
    thinned = rows[:: -(-len(rows) // TESTED)]
    parts = [part - part.mean(axis=0) for part in np.array_split(thinned, PARTS)]
    variance = np.mean([(part**2).mean(axis=0) for part in parts], axis=0)
    expected = variance * _memory(parts, variance) * PARTS / len(thinned)
    factor = stats.chi2.isf(CHANCE / rows.shape[1], PARTS - 1) / (PARTS - 1)
    return np.asarray(factor * expected)


def _memory(parts: list[Floats], variance: Floats) -> Floats:
    """Integrated autocorrelation time of each column, steps; until the correlation first falls to nothing."""
    columns = len(variance)
    total, alive = np.ones(columns), variance > 0.0
    scale = np.where(alive, variance, 1.0)
    for lag in range(1, min(len(part) for part in parts) // 3):
        products = [(part[lag:] * part[:-lag]).mean(axis=0) for part in parts]
        correlation = np.mean(products, axis=0) / scale
        alive &= correlation > CORRELATED
        if not alive.any():
            break
        total += np.where(alive, 2.0 * correlation, 0.0)
    return total

"""Standardising, stacking of lags, shrunk covariances and whitening."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats

PART = 4096  # rows at a time: fits a processor's cache


@dataclass(frozen=True, slots=True)
class Scaling:
    """Column-wise (x - centre) / scale; a column that does not vary gets scale 1."""

    centre: Floats
    scale: Floats

    @classmethod
    def of(cls, values: Floats) -> "Scaling":
        """Mean and standard deviation of the rows without NaN."""
        rows = values[np.isfinite(values).all(axis=1)]
        spread = rows.std(axis=0)
        return cls(rows.mean(axis=0), np.where(spread > 0.0, spread, 1.0))

    def __call__(self, values: Floats) -> Floats:
        """Standardised values, same shape."""
        return (values - self.centre) / self.scale


def stacked(values: Floats, lags: int) -> Floats:
    """Row t holds rows t, t-1, ... t-lags+1 side by side; NaN before the first full one. (steps, roles * lags)."""
    steps, roles = values.shape
    out = np.full((steps, roles * lags), np.nan)
    for lag in range(min(lags, steps)):
        out[lag:, lag * roles : (lag + 1) * roles] = values[: steps - lag]
    return out


def covariance(rows: Floats) -> Floats:
    """Covariance about the mean, shape (columns, columns)."""
    return cross_covariance(rows, rows)


def cross_covariance(rows: Floats, others: Floats) -> Floats:
    """Covariance of each column of one with each of the other, shape (columns, columns of `others`)."""
    centre, other = rows.mean(axis=0), others.mean(axis=0)
    total = np.zeros((rows.shape[1], others.shape[1]))
    for start in range(0, len(rows), PART):  # a whole copy of long histories costs more than the products
        part = slice(start, start + PART)
        centred = rows[part] - centre
        total += centred.T @ (centred if others is rows else others[part] - other)
    return total / len(rows)


def shrunk_covariance(rows: Floats) -> Floats:
    """Ledoit-Wolf: the covariance, shrunk towards a multiple of the identity by the optimal share.

    O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", 2004.
    """
    centred = rows - rows.mean(axis=0)
    count, columns = centred.shape
    raw = centred.T @ centred / count
    level = np.trace(raw) / columns
    distance = float(((raw - level * np.eye(columns)) ** 2).sum())
    fourth = float(((centred**2).sum(axis=1) ** 2).sum()) / count
    noise = (fourth - float((raw**2).sum())) / count
    share = min(1.0, noise / distance) if distance > 0.0 else 1.0
    return np.asarray((1.0 - share) * raw + share * level * np.eye(columns))


def inverse_root(matrix: Floats, floor: float = 1e-6) -> Floats:
    """Symmetric inverse square root; eigenvalues below `floor` x the largest count as that."""
    values, vectors = np.linalg.eigh(matrix)
    values = np.maximum(values, floor * max(float(values[-1]), 1e-300))
    return np.asarray((vectors / np.sqrt(values)) @ vectors.T)


def squared_length(rows: Floats) -> Floats:
    """Sum of squares of each row."""
    return np.asarray(np.einsum("ij,ij->i", rows, rows))

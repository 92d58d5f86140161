"""What absent roles are expected to be, given the present ones, apart for what is slow and what is quick in a window.

One covariance for every step does not know that noise belongs to one role alone while slow changes are shared: a set
point imputed from its measured value step by step trembles as no set point does, and the trembling looks like a fault
of the measured one. So each window is split into its four slowest cosines (discrete cosine transform: the mean and
what takes at least two thirds of the window for a swing) and the rest, and each part has a covariance of its own.
With these a role alone looks normal where it is normal.
"""

from typing import Final

import numpy as np

from tagsight_models.conditional import OUTLIER, maps_of
from tagsight_models.frame import Flags, Floats
from tagsight_models.statistics.linear_algebra import shrunk_covariance
from tagsight_models.statistics.statistic import complete, present

SLOWEST: Final = 4
"""Cosines that are slow."""
STRIDE: Final = 4
"""Windows that the covariances are found from begin this share of a window apart."""
MOST_WINDOWS: Final = 2_000
FLOOR: Final = 1e-6


def covariances_of(rows: Floats, window_steps: int) -> Floats:
    """Of what is slow and of what is quick in normal windows, (2, roles, roles), so that each has an inverse.

    Args:
        rows: shape (steps, roles), standardised about the median; NaN rows where nothing counts.
        window_steps: of the model.

    Where no whole window is there, both are the covariance of the rows.
    """
    ends = np.flatnonzero(complete(present(rows), window_steps))
    ends = ends[:: max(1, window_steps // STRIDE)]
    ends = ends[:: -(-len(ends) // MOST_WINDOWS)] if len(ends) else ends
    bounded = np.clip(rows, -OUTLIER, OUTLIER)
    if len(ends) < 2:
        usual = _invertible(bounded[present(rows)])
        return np.stack([usual, usual])
    windows = np.stack([bounded[end - window_steps + 1 : end + 1] for end in ends])
    cosines = slow_cosines(window_steps)
    slow = np.einsum("kt,ntr->nkr", cosines, windows)
    quick = windows - np.einsum("kt,nkr->ntr", cosines, slow)
    return np.stack([_invertible(part.reshape(-1, rows.shape[1])) for part in (slow, quick)])


def filled_in_bands(windows: Floats, seen: Flags, covariances: Floats) -> Floats:
    """Standardised windows (n, steps, roles) with each role that is not `seen`, (n, roles), at its expectation."""
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    known = with_slow(np.where(seen[:, None, :], windows, 0.0))
    expected = np.matmul(known, band_maps(patterns, covariances)[which.ravel()])
    return np.where(seen[:, None, :], windows, expected)


def with_slow(windows: Floats) -> Floats:
    """Windows (..., steps, roles) and beside each role what is slow in it, (..., steps, 2 * roles): see `band_maps`."""
    cosines = slow_cosines(windows.shape[-2])
    return np.concatenate([windows, np.matmul(cosines.T @ cosines, windows)], axis=-1)


def band_maps(seen: Flags, covariances: Floats) -> Floats:
    """What `with_slow` is multiplied with to be filled, for each choice of seen roles: (k, 2 * roles, roles)."""
    slow, quick = maps_of(seen, covariances[0]), maps_of(seen, covariances[1])
    return np.concatenate([quick, slow - quick], axis=1)


def slow_cosines(steps: int) -> Floats:
    """Orthonormal, shape (4, steps); fewer where there are fewer steps."""
    angles = np.pi * (np.arange(steps) + 0.5) / steps
    found = np.cos(np.arange(min(SLOWEST, steps))[:, None] * angles)
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True))


def _invertible(rows: Floats) -> Floats:
    """About the median that the rows are standardised with; the identity where there are none."""
    if not len(rows):
        return np.eye(rows.shape[1])
    spread = np.maximum(np.sqrt((rows**2).mean(axis=0)), 1e-9)
    found = shrunk_covariance(rows / spread)
    return np.asarray((found + FLOOR * np.eye(len(found))) * np.outer(spread, spread))

"""Ageing coordinates: the few directions in the roles that move slowly, told from noise without any label.

Slow feature analysis in closed form (L. Wiskott and T. Sejnowski, 2002): the variance of ten-step means against the
variance of differences from step to step. White noise alone gives a ratio of 0.1.
"""

from typing import Final

import numpy as np
from scipy.linalg import eigh

from tagsight_models.frame import Floats, Times

BLOCK: Final = 10
SLOW: Final = 0.5  # five times what noise gives
FEWEST, MOST = 2, 6
RIDGE: Final = 1e-3


def slow_directions(values: Floats, life: Times) -> Floats:
    """Standardised rows (rows, roles) of lives, NaN rows left out -> directions (roles, coordinates)."""
    steps, means = [], []
    for number in np.unique(life):
        rows = values[life == number]
        rows = rows[np.isfinite(rows).all(axis=1)]
        whole = len(rows) // BLOCK * BLOCK
        steps.append(np.diff(rows, axis=0) / np.sqrt(2.0))
        means.append(rows[len(rows) - whole :].reshape(-1, BLOCK, values.shape[1]).mean(axis=1))
    noise, slow = np.cov(np.concatenate(steps).T), np.cov(np.concatenate(means).T)
    noise, slow = np.atleast_2d(noise), np.atleast_2d(slow)
    roles = len(noise)
    noise = noise + RIDGE * max(float(np.trace(noise)) / roles, 1e-12) * np.eye(roles)
    ratios, directions = eigh(slow, noise)
    count = min(roles, int(np.clip((ratios > SLOW).sum(), FEWEST, MOST)))
    found = directions[:, ::-1][:, :count]
    return np.ascontiguousarray(found * np.sign(found[np.abs(found).argmax(axis=0), np.arange(count)]))

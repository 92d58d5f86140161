"""Beyond which remaining life a machine shows no sign of its age: found on the training lives."""

from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Times

CANDIDATES: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Shares of the median life."""

RIDGE: Final = 1e-3


def find_cap(features: Floats, remaining: Floats, life: Times, median_life: float) -> float:
    """The cap, in steps, with which the largest share of the variance of remaining life can be told.

    Told is it by ridge regression on features (rows, columns) and their squares, for the half of the lives that the
    regression did not see. A cap too long asks what nothing shows yet, one too short forgets what could be told.
    """
    inputs = np.concatenate([np.ones((len(features), 1)), features, features**2], axis=1)
    half = np.asarray(life % 2 == 0, dtype=np.bool_)
    shares = []
    for candidate in CANDIDATES:
        target = np.minimum(remaining, candidate * median_life)
        told = np.empty_like(target)
        for part in (half, ~half):
            told[part] = inputs[part] @ ridge(inputs[~part], target[~part])
        shares.append(1.0 - float(np.mean((np.clip(told, 0.0, target.max()) - target) ** 2)) / float(target.var()))
    return float(CANDIDATES[int(np.argmax(shares))] * median_life)


def ridge(inputs: Floats, target: Floats) -> Floats:
    """Coefficients of a ridge regression; the first column of the inputs is the constant."""
    gram = inputs.T @ inputs / len(inputs)
    penalty = RIDGE * np.eye(len(gram))
    penalty[0, 0] = 0.0
    return np.asarray(np.linalg.solve(gram + penalty, inputs.T @ target / len(inputs)))

"""A covariance from few rows, whose smallest eigenvalues are right: quadratic-inverse shrinkage.

O. Ledoit, M. Wolf, "Quadratic shrinkage for large covariance matrices", Bernoulli 28 (2022). Shrinking towards the
identity drowns the directions that hardly vary, and it is there that relations between roles break; this moves each
eigenvalue by what the others say of its bias, and needs no more rows than columns.
"""

import numpy as np

from tagsight_models.frame import Floats

BANDWIDTH = 0.35


def quadratic_inverse_covariance(centred: Floats, lost: int = 1) -> Floats:
    """From rows (n, columns) less their mean, or less the means of `lost` parts; shape (columns, columns)."""
    freedom = max(len(centred) - lost, 1)
    sample = centred.T @ centred / freedom
    found, vectors = np.linalg.eigh((sample + sample.T) / 2.0)
    found = np.maximum(found, 0.0)
    total = float(found.sum())
    if total <= 0.0:
        return np.asarray(sample)
    shrunk = _shrunk(found, freedom, floor=1e-12 * total)
    shrunk *= total / shrunk.sum()
    return np.asarray((vectors * shrunk) @ vectors.T)


def _shrunk(found: Floats, freedom: int, floor: float) -> Floats:
    columns = len(found)
    ratio = columns / freedom
    inverse = 1.0 / np.maximum(found[max(0, columns - freedom) :], floor)
    wide = min(ratio**2, ratio**-2) ** BANDWIDTH / columns**BANDWIDTH
    own, other = inverse[None, :], inverse[:, None]
    near = (other - own) ** 2 + (other * wide) ** 2
    real = (other * (other - own) / near).mean(axis=0)
    imaginary = (other * other * wide / near).mean(axis=0)
    size = real**2 + imaginary**2
    if columns > freedom:
        null = np.full(columns - freedom, 1.0 / ((ratio - 1.0) * inverse.mean()))
        return np.concatenate([null, 1.0 / (inverse * size)])
    left = 1.0 - ratio
    return np.asarray(1.0 / (left**2 * inverse + 2.0 * ratio * left * inverse * real + ratio**2 * inverse * size))

"""Ridge regression in closed form; its strength is chosen on blocked folds of time."""

from typing import Final

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.out_of_fold import blocks

STRENGTHS: Final = (0.001, 0.01, 0.1, 1.0, 10.0)


def ridge(features: Floats, target: Floats) -> tuple[Floats, float]:
    """The line, and how far it is off where it did not see.

    Args:
        features: standardised, shape (n, columns).
        target: centred, shape (n,).

    Returns:
        Coefficients (columns,), and the mean squared error of the chosen strength on blocks that its fit did not see.
    """
    parts = list(blocks(len(target)))
    grams = [features[part].T @ features[part] for part in parts]
    moments = [features[part].T @ target[part] for part in parts]
    gram, moment = np.sum(grams, axis=0), np.sum(moments, axis=0)
    errors = np.zeros(len(STRENGTHS))
    for part, own_gram, own_moment in zip(parts, grams, moments, strict=True):
        rows = max(len(target) - len(part), 1)
        for number, strength in enumerate(STRENGTHS):
            found = _solved((gram - own_gram) / rows, (moment - own_moment) / rows, strength)
            errors[number] += float(((target[part] - features[part] @ found) ** 2).sum())
    best = int(errors.argmin())
    return _solved(gram / len(target), moment / len(target), STRENGTHS[best]), float(errors[best]) / len(target)


def _solved(gram: Floats, moment: Floats, strength: float) -> Floats:
    return np.asarray(np.linalg.solve(gram + strength * np.eye(len(gram)), moment), dtype=np.float64)

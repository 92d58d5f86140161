"""From the experts' opinions to calibrated probabilities: temperature scaling with one temperature for each expert.

C. Guo, G. Pleiss, Y. Sun, K. Q. Weinberger, "On calibration of modern neural networks", 2017, and the logarithmic
opinion pool: log p = sum of weight x log p(expert), normalised. The weights come from held-out windows only.
"""

from typing import Any, Final

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from tagsight_models.frame import Floats

DRAW: Final = 1e-3  # towards no opinion, so that perfect held-out windows do not ask for endless weights
BINS: Final = 10


def pooled(opinions: Floats, weights: Floats) -> Floats:
    """Shape (experts, n, classes) and (experts,) -> log probabilities (n, classes)."""
    found = np.tensordot(weights, opinions, axes=1)
    return np.asarray(found - scipy.special.logsumexp(found, axis=1, keepdims=True))


def pool_weights(opinions: Floats, classes: NDArray[np.intp]) -> Floats:
    """Weights, none negative, of the least mean surprise; all classes weigh alike."""
    share = 1.0 / np.bincount(classes, minlength=opinions.shape[2])[classes]
    share = share / share.sum()
    right = opinions[:, np.arange(len(classes)), classes] @ share

    def surprise(weights: Floats) -> tuple[float, Floats]:
        mixed = np.tensordot(weights, opinions, axes=1)
        total = scipy.special.logsumexp(mixed, axis=1)
        chances = np.exp(mixed - total[:, None]) * share[:, None]
        slope = np.tensordot(opinions, chances, axes=([1, 2], [0, 1])) - right + 2.0 * DRAW * weights
        return float(total @ share - weights @ right + DRAW * (weights @ weights)), slope

    start = np.full(len(opinions), 0.5 / len(opinions))
    found: Any = scipy.optimize.minimize(
        surprise, start, jac=True, method="L-BFGS-B", bounds=[(0.0, 20.0)] * len(opinions)
    )
    weights = np.asarray(found.x, dtype=np.float64)
    return weights if weights.sum() > 0.0 else start


def surprise(log_probabilities: Floats, classes: NDArray[np.intp]) -> float:
    """Mean negative log probability of the true class, nats."""
    return float(-log_probabilities[np.arange(len(classes)), classes].mean())


def calibration_error(log_probabilities: Floats, classes: NDArray[np.intp]) -> float:
    """Expected difference of the probability of the named class and the share that is right, in ten bins."""
    named, sure = log_probabilities.argmax(axis=1), np.exp(log_probabilities.max(axis=1))
    bins = np.minimum((sure * BINS).astype(np.intp), BINS - 1)
    right = named == classes
    apart = [
        abs(right[bins == one].mean() - sure[bins == one].mean()) * (bins == one).mean() for one in np.unique(bins)
    ]
    return float(sum(apart))

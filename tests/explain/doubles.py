"""Small models in NumPy that keep every law of ScoringModel."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats, Role
from tagsight_models.scoring_model import Expectation

Score = Callable[[Floats], Floats]


@dataclass
class NumpyModel:
    """Any function of windows as a model; counts what it was asked."""

    function: Score
    reference: Floats
    grid_ns: int = 60_000_000_000
    scored: int = 0
    largest_batch: int = 0

    @property
    def roles(self) -> tuple[Role, ...]:
        return tuple(Role(f"role{number}") for number in range(self.reference.shape[1]))

    @property
    def window_steps(self) -> int:
        return len(self.reference)

    def score(self, windows: Floats) -> Floats:
        self.scored += len(windows)
        self.largest_batch = max(self.largest_batch, len(windows))
        return self.function(windows)

    def expectation(self, windows: Floats) -> Expectation:
        last = windows[:, -1]
        return Expectation(last * 0, last * 0 - 1, last * 0 + 1)


def small(seed: int, roles: int, steps: int = 3) -> NumpyModel:
    """A random network of one hidden layer on the flattened window, with interactions of every order."""
    random = np.random.default_rng(seed)
    inner = random.normal(size=(steps * roles, 7))
    outer = random.normal(size=7)

    def function(windows: Floats) -> Floats:
        hidden = np.tanh(windows.reshape(len(windows), -1) @ inner)
        return np.asarray(hidden @ outer + np.abs(windows).max(axis=(1, 2)))

    return NumpyModel(function, random.normal(size=(steps, roles)))


def residual(seed: int, roles: int = 20, steps: int = 60, kind: str = "root") -> NumpyModel:
    """A temporal convolution predicts each role; the score is a smoothed statistic of the residuals.

    `root` is the Mahalanobis distance, `square` its square, `largest` the larger of the square and one role's residual.
    """
    random = np.random.default_rng(seed)
    kernel = random.normal(size=(5, roles, 16)) * 1.5 / np.sqrt(5 * roles)
    decoder = random.normal(size=(16, roles)) / 4
    mixing = random.normal(size=(roles, roles)) / np.sqrt(roles)
    precision = mixing @ mixing.T + 0.3 * np.eye(roles)
    smoothing = 0.9 ** np.arange(steps - 5)[::-1]
    smoothing /= smoothing.sum()

    def function(windows: Floats) -> Floats:
        hidden = np.tanh(sum(windows[:, lag : steps - 5 + lag] @ kernel[lag] for lag in range(5)))
        smooth = smoothing @ (windows[:, 5:] - hidden @ decoder)
        square = np.einsum("nr,nr->n", smooth @ precision, smooth) / 10
        if kind == "largest":
            return np.maximum(square, np.abs(smooth).max(axis=1) / 1.5)
        return np.sqrt(square) if kind == "root" else square

    return NumpyModel(function, np.zeros((steps, roles)))


def faulty(seed: int, roles: int = 20, steps: int = 60) -> Floats:
    """Noise, and about a third of the roles shifted."""
    random = np.random.default_rng(1_000 + seed)
    shift = random.normal(size=roles) * (random.random(roles) < 0.3) * 2
    return np.asarray(random.normal(size=(steps, roles)) * 0.5 + shift)


def from_last_step(function: Callable[[Floats], Floats], roles: int) -> NumpyModel:
    """A score that is a function of the values at the last step, shape (n, roles); the reference is 0."""
    return NumpyModel(lambda windows: function(windows[:, -1]), np.zeros((2, roles)))

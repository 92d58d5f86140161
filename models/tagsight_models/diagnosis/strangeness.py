"""How strange a window is to a model that names it: how doubtful the name is, and how far it lies from the class named.

Each of the two is told as a p-value against held-out windows of known classes (a conformal p-value: the share of them
that is as doubtful, or as far), and the two are joined as R. Fisher joins tests: the sum of their logarithms. The limit
is a quantile of that sum over the same held-out windows, so about the stated share of windows of known classes exceeds
it. Neither alone is enough: a new fault next to a known one is named with doubt, one far from all is often named
without any.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from tagsight_models.frame import Floats

DOUBT_KEPT: Final = 0.2
"""Weight of the probability itself beside the held-out windows: where all of them were sure, a window that is a little
less sure is not strange for that."""

STEEP: Final = 0.05
"""Least logarithmic width of the upper tenth of the held-out distances, by which farther ones are told apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Strangeness:
    """What held-out windows of known classes were like; both ascending, of any length.

    Attributes:
        doubts: negative logarithms of the probability of the class that was named.
        distances: logarithms of the distance from it.
    """

    doubts: Floats
    distances: Floats

    @classmethod
    def of(cls, log_probabilities: Floats, apart: Floats) -> Self:
        """From held-out log probabilities and distances from each class, both (n, classes)."""
        doubts, distances = _doubts(log_probabilities), _distances(log_probabilities, apart)
        return cls(np.sort(doubts), np.sort(distances[np.isfinite(distances)]))

    def __call__(self, log_probabilities: Floats, apart: Floats) -> Floats:
        """Shape (n,): the greater, the stranger; farther than all is stranger without end."""
        return self._of_doubts(_doubts(log_probabilities)) + self._of_distances(_distances(log_probabilities, apart))

    def _of_doubts(self, doubts: Floats) -> Floats:
        share = (_share(self.doubts, doubts) + DOUBT_KEPT * np.exp(-doubts)) / (1.0 + DOUBT_KEPT)
        return np.asarray(-np.log(share))

    def _of_distances(self, distances: Floats) -> Floats:
        found = -np.log(_share(self.distances, distances))
        if not len(self.distances):
            return np.asarray(found)
        farthest, count = self.distances[-1], len(self.distances)
        width = max(float(farthest - np.quantile(self.distances, 0.9)), STEEP)
        slope = max(np.log((count + 1) / 10.0), 1.0) / width
        return np.asarray(found + slope * np.maximum(distances - farthest, 0.0))

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {"doubts": self.doubts, "distances": self.distances}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: no ascending numbers.
        """
        made = cls(tensors["doubts"], tensors["distances"])
        if any(one.ndim != 1 or not (np.diff(one) >= 0.0).all() for one in (made.doubts, made.distances)):
            msg = "what is strange is not told by ascending numbers"
            raise ValueError(msg)
        return made


def _doubts(log_probabilities: Floats) -> Floats:
    return np.asarray(np.maximum(-log_probabilities.max(axis=1), 0.0))


def _distances(log_probabilities: Floats, apart: Floats) -> Floats:
    named = log_probabilities.argmax(axis=1)
    return np.asarray(np.log(np.maximum(apart[np.arange(len(apart)), named], 1e-12)))


def _share(ascending: Floats, values: Floats) -> Floats:
    """Conformal p-values: the share that is at least as great, the window itself counted."""
    greater = len(ascending) - np.searchsorted(ascending, values, side="left")
    return np.asarray((greater + 1.0) / (len(ascending) + 1.0))

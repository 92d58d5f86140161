"""Intervals that cover: the quantile of errors that the model did not see, moved by what each new value shows.

The quantile of held-out errors in units of their expected spread is conformal calibration; with time that drifts it
covers too little. So each laboratory value moves it: out of the interval, it grows; inside, it shrinks by little
(I. Gibbs, E. Candes, "Adaptive conformal inference under distribution shift", 2021; quantile tracking as in
A. Angelopoulos, E. Candes, R. Tibshirani, "Conformal PID control for time series prediction", 2023).
"""

from typing import Final

import numpy as np

from tagsight_models.frame import Floats

PACE: Final = 0.2
"""Share by which one value outside moves the quantile: chosen on training time, where it holds level quarters."""


def quantile(scores: Floats, coverage: float) -> float:
    """The conformal quantile of held-out scores: the ceil((n + 1) coverage)-th smallest."""
    rank = min(int(np.ceil((len(scores) + 1) * coverage)), len(scores))
    return float(np.sort(scores)[max(rank, 1) - 1])


def moved(start: float, scores: Floats, coverage: float) -> Floats:
    """The quantile after none, one, two ... of the scores, shape (n + 1,); never below a third of `start`."""
    found = np.empty(len(scores) + 1)
    found[0] = now = start
    for number, score in enumerate(scores.tolist(), 1):
        now = max(now * float(np.exp(PACE * ((score > now) - (1.0 - coverage)))), start / 3.0)
        found[number] = now
    return found

"""What the model is worth, in figures and words, from predictions for lives that the predicting network did not see."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Times
from tagsight_models.prognosis.cap import ridge
from tagsight_models.prognosis.interval import calibrate
from tagsight_models.prognosis.learning import Examples, rms, weights

MARGIN: Final = 1.05  # a baseline must be better by this much to count as better
POINTS: Final = (0.5, 0.8)  # shares of a life at which the error is told


def coverage(predicted: Floats, examples: Examples, fold: Times, covered: float) -> tuple[float, float]:
    """Share held and mean width in steps: each fold by the interval that the other folds give."""
    held, width = np.empty(len(fold)), np.empty(len(fold))
    for number in range(int(fold.max()) + 1):
        own = fold == number
        made = calibrate(predicted[~own], examples.target[~own], examples.life[~own], covered)
        lower, upper = made.of(predicted[own], examples.cap)
        held[own] = (lower <= examples.target[own]) & (examples.target[own] <= upper)
        width[own] = upper - lower
    weight = weights(examples.life)
    return float(weight @ held), float(weight @ width)


def at_share(predicted: Floats, examples: Examples, length: Floats, share: float) -> float:
    """Root mean square error, in steps, at this share of each life; one row for each life."""
    distance = np.abs(examples.age - share * length[examples.life])
    lives = np.unique(examples.life)
    rows = np.array([np.flatnonzero(examples.life == life)[distance[examples.life == life].argmin()] for life in lives])
    return float(np.sqrt(np.mean((predicted[rows] - examples.target[rows]) ** 2)))


def baselines(examples: Examples, fold: Times, length: Floats) -> Mapping[str, Floats]:
    """Predictions of simple methods, out of fold likewise, capped likewise."""
    found = {name: np.empty(len(fold)) for name in ("the mean", "the average life less the age", "a straight line")}
    flat = examples.inputs.reshape(len(fold), -1)
    inputs = np.concatenate([np.ones((len(flat), 1)), flat], axis=1)
    for number in range(int(fold.max()) + 1):
        own = fold == number
        target = examples.target[~own]
        found["the mean"][own] = weights(examples.life[~own]) @ target
        average = length[np.unique(examples.life[~own])].mean()
        found["the average life less the age"][own] = average - examples.age[own]
        found["a straight line"][own] = inputs[own] @ ridge(inputs[~own], target)
    return {name: np.clip(value, 0.0, examples.cap) for name, value in found.items()}


def verdict(ours: float, others: Mapping[str, float]) -> tuple[str, bool]:
    """One sentence, and whether the model is on trial."""
    best = min(others, key=lambda name: others[name])
    if ours > others["the mean"] / MARGIN:
        return "On trial: the inputs tell nothing of remaining life, the mean of all is as good.", True
    if others[best] * MARGIN < ours:
        return f"On trial: {best} is better.", True
    return f"Better than, or as good as, {best}, the best of the simple methods.", False


def errors_of(predictions: Mapping[str, Floats], examples: Examples) -> dict[str, float]:
    """Root mean square error of each, in steps."""
    return {name: rms(value - examples.target, examples.life) for name, value in predictions.items()}

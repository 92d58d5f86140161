"""What a health model needs from normal time that it did not learn from: its limit, its bands, and its comparison.

Where the engineer names that time, the limit comes from it alone, and so do those of the simple statistics. Where
nobody does, the last quarter is held out. If the rest is short, a quarter of it is too short for a tail, and three
quarters of it are little to learn from: the limit then comes from the distances of five blocked folds of all normal
time, each scored by a model that was fitted to the other four, and the model itself learns from all of it. What is
judged beside the simple statistics is a model that did not see the last quarter.

Each part of the distance first gets a limit of its own from that time, for its share of the budget, and the parts are
scaled so that theirs is that of the first. The residuals remember longest, and how they wander is not known from
little time: where it is too short for a tail, theirs is the upper end of the limit's 80 % interval, and `CAUTION` times
that where it comes from folds, and they count less. The distance is then the largest part. Where time is too short for
a tail, the common limit of the parts is its limit; else it is found by the same rule for the whole budget, and lies
near it: a part that wanders in normal time takes nothing from the others.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight_models import comparison
from tagsight_models.calibration import LEAST_WINDOWS, Alarming, Limit, calibrate
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.regimes import Regimes
from tagsight_models.statistics.out_of_fold import blocks, without
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.training import Progress
from tagsight_models.training_rows import TrainingRows

FAMILIES: Final = 2  # values and residuals share the budget; the parts of each go up and down together
BAND: Final = 0.995  # share of normal time that lies inside a role's band
OF_VALUES: Final = 2  # the first parts are those of the values, the rest those of the residuals
CAUTION: Final = 3.0  # times as far as folds can tell, where time is too short for a tail: the limit of residuals

FitRows: TypeAlias = Callable[[Floats], HealthModel]


@dataclass(frozen=True, slots=True)
class Limited:
    """A model with its parts scaled to one limit.

    Attributes:
        model: the one to use.
        judged: the one that did not learn from the held-out time; the same where that time gives the limit.
        limit: of both.
        distances: of the normal time that it comes from, a row for each of the training; NaN where not scored.
    """

    model: HealthModel
    judged: HealthModel
    limit: Limit
    distances: Floats


def health_limit(
    model: HealthModel,
    rows: TrainingRows,
    alarming: Alarming,
    fit: FitRows,
    progress: Progress,
    *,
    regimes: Regimes | None = None,
) -> Limited:
    """Find the limit, and what is usual in each of the `regimes`, if any.

    `model` has learned from `rows.learned`, and `fit` makes the other models, if any.
    """
    parts = _out_of_fold(rows.values, fit, progress) if rows.folded else model.series_parts(rows.held_values)
    parts[~rows.frame.usable] = np.nan
    times = rows.frame.times
    limits = np.array([_part_limit(rows, part, alarming, model, number) for number, part in enumerate(parts.T)])
    if not np.isfinite(limits).any():
        raise TooLittleData("the alarm limit: windows in held-out normal time", 0, LEAST_WINDOWS)
    common = limits[np.isfinite(limits)][0]
    limits /= common
    largest = np.fmax.reduce(parts / limits, axis=1)
    if not rows.folded:  # as it will be scored: whole windows; a fold is too short to do without its first rows
        largest[~complete(present(rows.held_values), model.window_steps)] = np.nan
    if regimes is not None:
        regimes = regimes.with_factors(regimes.series_states(rows.values, model.window_steps), largest)
        largest = regimes.divided(largest, rows.values, model.window_steps)
    limit = _with_common(calibrate(times, largest, alarming), float(common))
    judged = _finished(model, limits, regimes)
    return Limited(_finished(fit(rows.values), limits, regimes) if rows.folded else judged, judged, limit, largest)


def _finished(model: HealthModel, limits: Floats, regimes: Regimes | None) -> HealthModel:
    scaled = model.with_parts_scaled(limits)
    return scaled.with_parameters(replace(scaled.parameters, regimes=regimes))


def _with_common(limit: Limit, common: float) -> Limit:
    """Where time is too short for a tail of the largest part, the limit that each part has for its share of the budget.

    What the largest part remembers is neither the shortest nor the longest memory, so that too few or too many of its
    values would count as independent.
    """
    if limit.rule != "predicted":
        return limit
    value = max(common, limit.normal * (1.0 + 1e-3) + 1e-9)
    return replace(limit, value=value, low=limit.low * value / limit.value, high=limit.high * value / limit.value)


def _part_limit(rows: TrainingRows, distances: Floats, alarming: Alarming, model: HealthModel, number: int) -> float:
    """The limit of one part, never below its usual size where it was fitted; infinite for one that has none."""
    share = replace(alarming.budget, at_most=alarming.budget.at_most / FAMILIES)
    try:
        limit = calibrate(rows.frame.times, distances, replace(alarming, budget=share, memory=model.memories[number]))
    except TooLittleData:
        return np.inf
    unsure = number >= OF_VALUES and limit.rule == "predicted"
    value = limit.high * (CAUTION if rows.folded else 1.0) if unsure else limit.value
    return max(value, float(np.sqrt(model.sizes[number])))


def _out_of_fold(values: Floats, fit: FitRows, progress: Progress) -> Floats:
    """Parts of the distance of all rows, (steps, 5), each from a model of the other folds; NaN where not scored.

    What is smoothed over time is smoothed across folds: each row is told by a model that did not learn from it, and
    short folds lose no rows to their beginning.
    """
    parts, rows = np.full((len(values), 5), np.nan), np.full((len(values), 2 + values.shape[1]), np.nan)
    models = []
    for number, block in enumerate(_folds(values)):
        progress(number / 5, f"limit from blocked folds, {number + 1} of 5")
        models.append(fit(without(values, block)))
        first = max(int(block[0]) - models[-1].context_steps, 0)
        rows[block] = models[-1].unsmoothed(values[first : block[-1] + 1])[block[0] - first :]
    for model, block in zip(models, _folds(values), strict=True):
        first = max(int(block[0]) - model.window_steps, 0)
        parts[block] = model.smoothed(rows[first : block[-1] + 1])[block[0] - first :]
    return parts


def _folds(values: Floats) -> list[NDArray[np.intp]]:
    """Row numbers of each."""
    numbers = np.flatnonzero(present(values))
    return [np.arange(numbers[chosen[0]], numbers[chosen[-1]] + 1) for chosen in blocks(len(numbers))]


def further(rows: TrainingRows) -> list[Floats]:
    """The rows of each model that `health_limit` asks to be fitted, in that order: five folds, and all; or none."""
    if not rows.folded:
        return []
    return [*(without(rows.values, block) for block in _folds(rows.values)), rows.values]


def bands(model: HealthModel, rows: TrainingRows) -> Floats:
    """Half-width of the normal band of each role in residual spreads: held-out quantile, at least 2."""
    residuals = np.abs(model.residuals(rows.held_values))
    width: Floats = np.maximum(np.quantile(residuals[present(residuals)], BAND, axis=0), 2.0)
    return width


def compared(
    model: HealthModel, limit: Limit, rows: TrainingRows, alarming: Alarming, seed: int
) -> comparison.Comparison:
    """The model beside the simple statistics on its held-out time."""
    ours = comparison.Contestant(comparison.OURS, model.series_distance, limit.value)
    held = _part(rows, rows.held_values, held=True)
    learned = _part(rows, rows.learned, held=False)
    others = comparison.baselines(learned, alarming, held if rows.span_given else None)
    return comparison.compare(ours, others, held, alarming=alarming, seed=seed)


def _part(rows: TrainingRows, values: Floats, *, held: bool) -> comparison.NormalTime:
    numbers = np.flatnonzero(rows.held == held)
    part = slice(int(numbers[0]), int(numbers[-1]) + 1)
    return comparison.NormalTime(rows.frame.times[part], values[part])

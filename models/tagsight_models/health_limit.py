"""What a health model needs from normal time that it did not learn from: its limit, its bands, and its comparison.

Where the engineer names that time, the limit comes from it alone, and so do those of the simple statistics. Where
nobody does, the last quarter is held out; if the rest is short, a quarter of it is too short for a tail, and the
distances of five blocked folds of the rest are added: each fold is scored by a model that was fitted to the other four.

Each part of the distance first gets a limit of its own from that time, and the means are scaled so that theirs is that
of the quick part. They wander most and have the fewest independent values: where normal time is too short for a tail,
theirs is the upper end of the limit's 80 % interval, and they count less. The distance is then the largest part, and
its limit, by the same rule, lies near that of the quick part: a part that wanders in normal time takes nothing from it.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeAlias

import numpy as np

from tagsight_models import comparison
from tagsight_models.calibration import Alarming, Limit, calibrate
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Times
from tagsight_models.health import HealthModel
from tagsight_models.statistics.out_of_fold import blocks, without
from tagsight_models.statistics.statistic import present
from tagsight_models.training import Progress
from tagsight_models.training_rows import TrainingRows

BAND: Final = 0.995  # share of normal time that lies inside a role's band

FitRows: TypeAlias = Callable[[Floats], HealthModel]


def health_limit(
    model: HealthModel, rows: TrainingRows, alarming: Alarming, fit: FitRows, progress: Progress
) -> tuple[HealthModel, Limit]:
    """The model with its parts scaled to one limit, and its limit; `fit` makes the models of the folds, if any."""
    parts = model.series_parts(rows.held_values)
    if rows.folded:
        parts = np.where(np.isfinite(parts), parts, _out_of_fold(rows, fit, progress))
    parts[~rows.frame.usable] = np.nan
    times, statistic = rows.frame.times, model.parameters.statistic
    found = zip(parts.T, statistic.sizes, (False, True, True), strict=True)
    limits = np.array([_part_limit(times, part, alarming, size, mean=mean) for part, size, mean in found])
    limits /= limits[0]
    scaled = replace(model.parameters, statistic=statistic.scaled(limits))
    return model.with_parameters(scaled), calibrate(times, np.fmax.reduce(parts / limits, axis=1), alarming)


def _part_limit(times: Times, distances: Floats, alarming: Alarming, size: int, *, mean: bool) -> float:
    """The limit of one part, never below its usual size where it was fitted; infinite for a mean that has none."""
    try:
        limit = calibrate(times, distances, alarming)
    except TooLittleData:
        if not mean:
            raise
        return np.inf
    return max(limit.high if mean and limit.rule == "predicted" else limit.value, float(np.sqrt(size)))


def _out_of_fold(rows: TrainingRows, fit: FitRows, progress: Progress) -> Floats:
    """Parts of the distance of the rows to learn from, (steps, 3); NaN elsewhere."""
    learned = rows.learned
    parts = np.full((len(learned), 3), np.nan)
    numbers = np.flatnonzero(present(learned))
    for number, chosen in enumerate(blocks(len(numbers))):
        block = np.arange(numbers[chosen[0]], numbers[chosen[-1]] + 1)
        progress(number / 5, f"limit from blocked folds, {number + 1} of 5")
        parts[block] = fit(without(learned, block)).series_parts(learned[block])
    return parts


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

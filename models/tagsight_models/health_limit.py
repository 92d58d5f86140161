"""What a health model needs from normal time that it did not learn from: its limit, its bands, and its comparison.

Where the engineer names that time, the limit comes from it alone, and so do those of the simple statistics. Where
nobody does, the last quarter is held out; if the rest is short, a quarter of it is too short for a tail, and the
distances of five blocked folds of the rest are added: each fold is scored by a model that was fitted to the other four.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import numpy as np

from tagsight_models import comparison
from tagsight_models.calibration import Alarming, Limit, calibrate
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.statistics.out_of_fold import blocks, without
from tagsight_models.statistics.statistic import present
from tagsight_models.training import Progress
from tagsight_models.training_rows import TrainingRows

BAND: Final = 0.995  # share of normal time that lies inside a role's band

FitRows: TypeAlias = Callable[[Floats], HealthModel]


def health_limit(model: HealthModel, rows: TrainingRows, alarming: Alarming, fit: FitRows, progress: Progress) -> Limit:
    """The limit of a model on its held-out time; `fit` makes the models of the folds, where folds are needed."""
    distances = model.series_distance(rows.held_values)
    if rows.folded:
        distances = np.where(np.isfinite(distances), distances, _out_of_fold(rows, fit, progress))
    return calibrate(rows.frame.times, np.where(rows.frame.usable, distances, np.nan), alarming)


def _out_of_fold(rows: TrainingRows, fit: FitRows, progress: Progress) -> Floats:
    """Distances of the rows to learn from; NaN elsewhere."""
    learned = rows.learned
    distances = np.full(len(learned), np.nan)
    numbers = np.flatnonzero(present(learned))
    for number, chosen in enumerate(blocks(len(numbers))):
        block = np.arange(numbers[chosen[0]], numbers[chosen[-1]] + 1)
        progress(number / 5, f"limit from blocked folds, {number + 1} of 5")
        distances[block] = fit(without(learned, block)).series_distance(learned[block])
    return distances


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

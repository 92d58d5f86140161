"""The training of the job `health`: from normal rows to a model with limit, bands, comparison and card."""

import time
from dataclasses import replace
from typing import Final

from tagsight_models.card_writing import Origin, Outcome, card_of
from tagsight_models.drift_reference import drift_facts
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import fit_health
from tagsight_models.health_limit import bands, compared, health_limit
from tagsight_models.health_start import FITS, Start, chosen_start
from tagsight_models.regimes import Regimes
from tagsight_models.trained import Trained
from tagsight_models.training import FitSettings, Fitted, Progress, part_of, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.unlike import without_unlike

FOLD_EPOCHS: Final = 40  # at most, and at most the epoch that was the best of the whole


def train_health(data: TrainingData, settings: TrainingSettings, origin: Origin, progress: Progress) -> Trained:
    """The job `health`: normal behaviour, without labels."""
    started = time.monotonic()
    rows = without_unlike(TrainingRows.of(data.frame, settings), settings.window_steps)
    alarming = settings.alarming(data.frame.grid_ns)
    regimes = Regimes.of(rows.values, rows.frame.roles, settings.regime, settings.window_steps)
    start = chosen_start(rows.learned, rows.frame.roles, settings, data.frame.grid_ns, part_of(progress, 0.0, 0.2))
    share = part_of(progress, 0.2, 0.5)
    model, fitted = _fit(rows, settings, start, rows.learned, epochs=FitSettings().epochs, progress=share)

    def fold(values: Floats) -> HealthModel:
        return _fit(rows, settings, start, values, epochs=min(fitted.best_epoch, FOLD_EPOCHS), progress=silent)[0]

    limited = health_limit(model, rows, alarming, fold, part_of(progress, 0.5, 0.7), regimes=regimes)
    limit = limited.limit
    model = limited.model.with_limit(limit.normal, limit.value, bands(limited.judged, rows))
    progress(0.75, "comparing with simple statistics")
    judged = compared(limited.judged, limit, rows, alarming, settings.seed)
    progress(1.0, judged.verdict)
    outcome = Outcome(model, rows, fitted, limit, judged, time.monotonic() - started)
    card = card_of(outcome, settings, origin)
    comparison = {**card.comparison, "remarks": list(start.remarks)}
    facts = {**card.facts, **drift_facts(model, rows.values, settings.every_ns)}
    return Trained(model, replace(card, comparison=comparison, metrics={**card.metrics, **start.metrics}, facts=facts))


def _fit(
    rows: TrainingRows, settings: TrainingSettings, start: Start, values: Floats, *, epochs: int, progress: Progress
) -> tuple[HealthModel, Fitted]:
    """A health model of these rows, within its share of the time budget."""
    budget = replace(start.network.fit, epochs=epochs, at_most_seconds=settings.share_seconds(FITS))
    return fit_health(
        values,
        rows.frame.roles,
        replace(start.network, fit=budget),
        progress,
        grid_ns=rows.frame.grid_ns,
        window_steps=settings.window_steps,
    )

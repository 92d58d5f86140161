"""The cost of limits of a health model: how high injected and known faults get with the model that did not see them."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tagsight_models.calibration import Alarming, held_levels
from tagsight_models.comparison import NormalTime, faulty_episodes
from tagsight_models.cost import Cost, Peaks, Priced, priced
from tagsight_models.frame import Floats, Times
from tagsight_models.health import HealthModel
from tagsight_models.health_limit import Limited
from tagsight_models.training_data import NORMAL, LabelledPeriod
from tagsight_models.training_rows import TrainingRows

NEVER: Final = -np.inf
"""Level of a fault in which no alarm can stand: no limit finds it."""


def priced_limit(
    limited: Limited,
    rows: TrainingRows,
    alarming: Alarming,
    cost: Cost,
    *,
    seed: int,
    faults: Sequence[LabelledPeriod],
) -> Priced:
    """The limit that costs least; `faults` are periods of which somebody said what they were."""
    held = np.flatnonzero(rows.held)
    part = slice(int(held[0]), int(held[-1]) + 1)
    normal = NormalTime(rows.frame.times[part], rows.held_values[part])
    peaks = Peaks(_injected(limited.judged, normal, alarming, seed), _known(limited.judged, rows, alarming, faults))
    return priced(limited.limit, rows.frame.times, limited.distances, alarming, peaks=peaks, cost=cost)


def _injected(model: HealthModel, held: NormalTime, alarming: Alarming, seed: int) -> Floats:
    """Of each injected fault, from its onset on."""
    onset = alarming.memory
    return np.array(
        [
            _peak(held.times[part][onset:], model.series_distance(episode)[onset:], alarming)
            for part, episode in faulty_episodes(held, alarming, seed)
        ]
    )


def _known(model: HealthModel, rows: TrainingRows, alarming: Alarming, faults: Sequence[LabelledPeriod]) -> Floats:
    """Of each known fault within the data, whatever else leaves it out of the training; not those without a score."""
    times, found = rows.frame.times, []
    for fault in faults:
        first, last = np.searchsorted(times, [fault.start_ns, fault.end_ns]).tolist()
        if fault.label == NORMAL or last <= first:
            continue
        begin = max(0, first - model.window_steps)
        distances = model.series_distance(rows.frame.values[begin:last])[first - begin :]
        if np.isfinite(distances).any():
            found.append(_peak(times[first:last], distances, alarming))
    return np.array(found, dtype=np.float64)


def _peak(times: Times, distances: Floats, alarming: Alarming) -> float:
    """Highest level that is held for the whole on-delay, at due times."""
    due = alarming.due(times)
    levels = held_levels(times[due], distances[due], alarming.step_ns, alarming.delays.on_ns)
    finite = levels[np.isfinite(levels)]
    return float(finite.max()) if finite.size else NEVER

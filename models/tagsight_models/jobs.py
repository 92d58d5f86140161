"""What a model is for: one typed registry of jobs, and the training of each from data to a model and its card."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from tagsight_models.card_writing import Origin, card_of_job
from tagsight_models.diagnosis.fit import train_diagnosis
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.drift_reference import drift_facts, rows_of
from tagsight_models.errors import ModelError, UnusableInput
from tagsight_models.findings import Findings
from tagsight_models.health_training import health_training, train_health, trained_together
from tagsight_models.production.fit import train_production
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.settings import PrognosisSettings
from tagsight_models.quality.fit import train_quality
from tagsight_models.quality.settings import QualitySettings
from tagsight_models.trained import Trained
from tagsight_models.training import Progress, silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings

JobSettings: TypeAlias = DiagnosisSettings | PrognosisSettings | QualitySettings | ProductionSettings

LAB_VALUES: Final = 60
"""Laboratory values that count for the correction of a soft sensor: older ones tell nothing any more."""

DRIVERS: Final = 10
"""Drivers of production that the card names."""

Find: TypeAlias = Callable[[TrainingData, TrainingSettings, Any, Progress], Findings]


def train(
    job: str,
    data: TrainingData,
    settings: TrainingSettings,
    of_job: JobSettings | None = None,
    *,
    gates: Mapping[str, Any] | None = None,
    hashes: Mapping[str, str] | None = None,
    progress: Progress = silent,
) -> Trained:
    """Train the model of a job.

    Args:
        job: `health`, or a key of `FIND`.
        data: the training history, aligned and gated, with the labels, target or lives that the job needs.
        settings: what the plan says.
        of_job: what it says of this job; None for its defaults, and for `health`.
        gates: what the caller needs to gate live data as in training (JSON values); kept in the card.
        hashes: `plan` (and `data`, else computed from the frame), kept in the card.
        progress: called with the share done, 0 to 1, and words.

    Raises:
        ModelError: data that this job cannot learn from, with what is missing and how much would do; an unknown job.
    """
    origin = Origin(gates or {}, hashes or {})
    if job == "health":
        return train_health(data, settings, origin, progress)
    if job not in FIND:
        raise UnusableInput("job", f"{job!r} is not one of health, {', '.join(FIND)}")
    find, kind = FIND[job]
    found = find(data, settings, kind() if of_job is None else of_job, progress)
    card = card_of_job(job, found, data.frame, settings, origin)
    known = drift_facts(found.model, rows_of(data.frame, found.model.roles), settings.every_ns)
    return Trained(found.model, replace(card, facts={**card.facts, **known}))


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """One training among several: what `train` takes."""

    job: str
    data: TrainingData
    settings: TrainingSettings
    of_job: JobSettings | None = None
    gates: Mapping[str, Any] = field(default_factory=dict)
    hashes: Mapping[str, str] = field(default_factory=dict)
    progress: Progress = silent


def train_together(orders: Sequence[Order]) -> list[Trained | ModelError]:
    """What `train` gives for each; the networks of health models of one shape are fitted side by side.

    One that cannot be trained has its error in its place, and the others are trained.
    """
    found: dict[int, Trained | ModelError] = {}
    health = [number for number, one in enumerate(orders) if one.job == "health"]
    begun = [
        health_training(one.data, one.settings, Origin(one.gates, one.hashes), one.progress)
        for one in (orders[number] for number in health)
    ]
    found |= zip(health, trained_together(begun), strict=True)
    for number, one in enumerate(orders):
        if number not in found:
            try:
                found[number] = train(
                    one.job,
                    one.data,
                    one.settings,
                    one.of_job,
                    gates=one.gates,
                    hashes=one.hashes,
                    progress=one.progress,
                )
            except ModelError as error:
                found[number] = error
    return [found[number] for number in range(len(orders))]


def _diagnosis(
    data: TrainingData, settings: TrainingSettings, of_job: DiagnosisSettings, progress: Progress
) -> Findings:
    found = train_diagnosis(data, settings, of_job, progress)
    return Findings(
        model=found.model,
        dropped=found.dropped,
        used_steps=_usable(data),
        limit="1.0 where the probability of any fault reaches its limit",
        verdict=found.verdict,
        lines=found.lines,
        trial=found.trial,
        metrics=found.metrics,
        facts={**found.calibration, **found.fitted},
        cannot_see=found.cannot_see,
        stopped_by_time=bool(found.fitted.get("stopped_by_time", False)),
        seconds=found.seconds,
    )


def _prognosis(
    data: TrainingData, settings: TrainingSettings, of_job: PrognosisSettings, progress: Progress
) -> Findings:
    found = train_prognosis(data, settings, of_job, progress)
    return Findings(
        model=found.model,
        dropped=found.dropped,
        used_steps=_usable(data),
        limit="1.0 where the remaining life has fallen to the horizon",
        verdict=found.verdict,
        lines=found.compared,
        trial=found.trial,
        metrics=found.metrics,
        facts=found.calibration,
        cannot_see=found.cannot_see,
        stopped_by_time=any(one.stopped_by_time for one in found.fitted),
        seconds=found.seconds,
    )


def _quality(data: TrainingData, settings: TrainingSettings, of_job: QualitySettings, progress: Progress) -> Findings:
    found = train_quality(data, settings, of_job, progress)
    back_ns = LAB_VALUES * found.model.parts.lab_every_ns + of_job.known_after_ns
    return Findings(
        model=found.model,
        dropped=found.dropped,
        used_steps=_usable(data),
        limit="1.0 where the prediction is at one of its limits",
        verdict=found.compared.verdict,
        lines=found.compared.lines,
        trial=found.compared.trial,
        metrics=found.metrics,
        facts=found.calibration,
        cannot_see=found.cannot_see,
        stopped_by_time=found.fitted.stopped_by_time,
        seconds=found.seconds,
        asks={
            "target_back_ns": back_ns,
            "target_known_after_ns": of_job.known_after_ns,
            "target_values": LAB_VALUES,
        },
    )


def _production(
    data: TrainingData, settings: TrainingSettings, of_job: ProductionSettings, progress: Progress
) -> Findings:
    found = train_production(data, settings, of_job, progress)
    return Findings(
        model=found.model,
        dropped=found.dropped,
        used_steps=_usable(data),
        limit=f"1.0 where the loss that inputs explain is seldom exceeded: {found.limit.words}",
        verdict=found.compared.verdict,
        lines=(*found.compared.lines, *(f"driver {name}: {size:.3g}" for name, size in found.drivers[:DRIVERS])),
        trial=found.compared.trial,
        metrics=found.metrics,
        facts=found.calibration,
        cannot_see=found.cannot_see,
        stopped_by_time=found.fitted.stopped_by_time,
        seconds=found.seconds,
    )


def _usable(data: TrainingData) -> int:
    return int(np.count_nonzero(data.frame.usable))


FIND: Final[Mapping[str, tuple[Find, type[Any]]]] = MappingProxyType(
    {
        "diagnosis": (_diagnosis, DiagnosisSettings),
        "prognosis": (_prognosis, PrognosisSettings),
        "quality": (_quality, QualitySettings),
        "production": (_production, ProductionSettings),
    }
)

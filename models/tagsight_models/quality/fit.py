"""The training of the job `quality`: from laboratory values and inputs to a soft sensor."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats, Frame, Times
from tagsight_models.quality.comparison import Compared, compared
from tagsight_models.quality.delay import find_delay
from tagsight_models.quality.inner_time import Calibrated, calibrated, chosen_shares, quarters
from tagsight_models.quality.lab_samples import LabSamples, enough, lab_values, samples
from tagsight_models.quality.limits import Limits
from tagsight_models.quality.mistakes import mistaken
from tagsight_models.quality.sensor_parts import SensorParts, usual_range
from tagsight_models.quality.settings import QualitySettings, Service
from tagsight_models.quality.soft_sensor import SoftSensor
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import SHARES, Regressor, RegressorSettings
from tagsight_models.regression.window_features import taps, window_features
from tagsight_models.training import Fitted, Progress, part_of
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import narrowed, unusable

FITS: Final = 3
"""Of two quarters and of everything; each keeps to a third of the time budget."""

ROUNDS: Final = 3
"""Of looking for mistakes, at most."""

CANNOT_SEE: Final = (
    "what moves the laboratory value and none of the inputs: it shows only in later laboratory values",
    "states that the training data does not hold: the prediction stays near the edge of what was seen",
    "what other roles do when an adjustable one is moved: advice takes them to stay where they are",
)


@dataclass(frozen=True, slots=True)
class QualityTrained:
    """A soft sensor, and what its training found.

    Attributes:
        model: the sensor.
        dropped: roles that were left out, with the cause.
        metrics: on the last quarter of the training time, from regressions of the time before.
        compared: with the last laboratory value and with a line.
        calibration: facts about delay, interval and field.
        cannot_see: sentences.
        fitted: of the networks.
        seconds: of all.
    """

    model: SoftSensor
    dropped: Mapping[str, str]
    metrics: Mapping[str, float]
    compared: Compared
    calibration: Mapping[str, Any]
    cannot_see: tuple[str, ...]
    fitted: Fitted
    seconds: float


def train_quality(
    data: TrainingData, settings: TrainingSettings, job_settings: QualitySettings, progress: Progress
) -> QualityTrained:
    """Train a soft sensor.

    Args:
        data: inputs, and the target with the times of its samples.
        settings: `window_steps` is what the regression looks back on; the delay is added to it in the model.
        job_settings: of the soft sensor.
        progress: told the share done.

    Raises:
        UnusableInput: no target, or one that is no measurement; an input that does not vary; a wrong adjustable role.
        TooLittleData: too few laboratory values with usable inputs.
    """
    started = time.monotonic()
    times, values = lab_values(data)
    causes = unusable(data.frame)
    frame = narrowed(data.frame, causes, drop=settings.drop_constant)
    check_adjustable(frame, job_settings.adjustable)
    delay_steps, delays = _delay(frame, times, values, settings.window_steps, job_settings)
    regressor = _settings(settings, job_settings.regressor)
    every = samples(frame, times, values, settings.window_steps, delay_steps)
    found = enough(_without_mistakes(enough(every, len(times)), regressor), len(times))
    features = window_features(found.windows, taps(settings.window_steps))
    held = quarters(found, features, regressor, part_of(progress, 0.0, 0.6))
    shares = chosen_shares(held)
    region = Region.fit(found.windows[:, -1])
    service = _service(found.times, job_settings)
    fields = calibrated(held, shares, region, service)
    judged = compared(held, shares, region, service, data.target_unit)
    whole, fitted = Regressor.fit(features, found.values, regressor, part_of(progress, 0.6, 1.0))
    model = SoftSensor(
        SensorParts(
            roles=frame.roles,
            grid_ns=frame.grid_ns,
            lengths=taps(settings.window_steps),
            delay_steps=delay_steps,
            lab_every_ns=service.every_ns,
            target_name=data.target_name,
            target_unit=data.target_unit,
            coverage=job_settings.coverage,
            adjustable=dict(job_settings.adjustable),
            limits=Limits.of(found.values, job_settings.low, job_settings.high),
            regressor=replace(whole, shares=shares),
            noise=fields.noise,
            field=fields.field,
            region=region,
            usual=usual_range(found.windows[:, -1]),
            quantile_alone=fields.quantile_alone,
            quantile_following=fields.quantile_following,
            widening=fields.widening,
        )
    )
    progress(1.0, judged.verdict)
    said = _facts(found, fields, shares, delays) | {
        "delay_ns": delay_steps * frame.grid_ns,
        "left_out_as_mistakes": len(every) - len(found),
    }
    seconds = time.monotonic() - started
    return QualityTrained(model, causes, judged.metrics, judged, said, CANNOT_SEE, fitted, seconds)


def check_adjustable(frame: Frame, adjustable: Mapping[str, tuple[float, float]]) -> None:
    """Raise UnusableInput for an adjustable role that is no input, or whose bounds hold nothing."""
    names = {role.name for role in frame.roles}
    for role, (low, high) in adjustable.items():
        if role not in names:
            inputs = ", ".join(sorted(names))
            raise UnusableInput(role, "it is adjustable, but no usable input", f"Inputs are {inputs}.")
        if not low < high:
            raise UnusableInput(role, f"its lower bound {low:g} is not below {high:g}", "Correct its bounds.")


def _without_mistakes(every: LabSamples, regressor: RegressorSettings) -> LabSamples:
    """Looked for again where some were found: what they pulled along is seen then."""
    kept = every
    for _ in range(ROUNDS):
        features = window_features(kept.windows, taps(kept.windows.shape[1]))
        wrong = mistaken(features, kept.values, regressor.trees)
        kept = kept.at(np.flatnonzero(~wrong))
        if not wrong.any():
            break
    return kept


def _delay(
    frame: Frame, times: Times, values: Floats, lookback: int, job_settings: QualitySettings
) -> tuple[int, tuple[tuple[int, float], ...]]:
    """In steps, and the errors that it was found by."""
    if job_settings.delay_ns is not None:
        return round(job_settings.delay_ns / frame.grid_ns), ()
    most = lookback if job_settings.most_delay_ns is None else job_settings.most_delay_ns // frame.grid_ns
    found = find_delay(frame, times, values, lookback, int(most))
    return found.steps, found.errors


def _settings(settings: TrainingSettings, regressor: RegressorSettings) -> RegressorSettings:
    """With the seed and the share of the time budget."""
    budget = min(regressor.fit.at_most_seconds * regressor.networks, settings.at_most_seconds / FITS)
    own = replace(regressor.fit, seed=settings.seed, at_most_seconds=budget, kept_in=settings.kept_in)
    return replace(regressor, fit=own, trees=replace(regressor.trees, seed=settings.seed))


def _service(times: Times, job_settings: QualitySettings) -> Service:
    """Distance of laboratory values in service, how late they are known, coverage."""
    usual = int(np.median(np.diff(times)))
    return Service(job_settings.lab_every_ns or usual, job_settings.known_after_ns, job_settings.coverage)


def _facts(
    found: LabSamples,
    fields: Calibrated,
    shares: tuple[float, float],
    delays: tuple[tuple[int, float], ...],
) -> dict[str, Any]:
    """For the card, as JSON values."""
    return {
        "laboratory_values": len(found),
        "regression": next(name for name, each in SHARES.items() if each == shares),
        "usual_error": fields.noise.overall,
        "quantile_alone": fields.quantile_alone,
        "quantile_following": fields.quantile_following,
        "widening": fields.widening,
        "field": np.exp(fields.field.logs).tolist(),
        "delays_tried": [list(one) for one in delays],
    }

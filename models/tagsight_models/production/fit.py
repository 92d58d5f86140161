"""The training of the job `production`: expectation, best, limits, gains and a comparison."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from tagsight_models.calibration import Limit, calibrate
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Frame
from tagsight_models.production.columns import Columns, check_roles
from tagsight_models.production.comparison import Compared, compared
from tagsight_models.production.drivers import drivers
from tagsight_models.production.estimate import Estimated, estimated
from tagsight_models.production.gain_error import FEWEST, GainError, like_pairs
from tagsight_models.production.limits_reached import LimitsReached
from tagsight_models.production.model import ProductionModel
from tagsight_models.production.production_parts import ProductionParts
from tagsight_models.production.samples import Samples, samples, target_values
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.production.support import Support
from tagsight_models.regression.conformal import quantile
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.regression.window_features import taps
from tagsight_models.training import Fitted, Progress, part_of
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.usable_inputs import narrowed, unusable
from tagsight_models.windows import between, windows

FITS: Final = 8
"""Of networks, each keeps to its share of the time budget."""

SMALLEST: Final = 0.05
"""The limit of the loss is at least this share of the target's spread."""

CANNOT_SEE: Final = (
    "causes: a gain is what went with such settings in the past, which need not be what moving them does",
    "what a move costs elsewhere (energy, wear, quality), unless it is in the target",
    "settings under conditions that the training data does not hold: no advice leads there",
    "losses that no input explains: they are not in the score",
    "a limit that held all the time, or never, in the training data: what is lost by it cannot be told",
)


@dataclass(frozen=True, slots=True)
class ProductionTrained:
    """A model of production, and what its training found.

    Attributes:
        model: of the target.
        dropped: roles that were left out, with the cause.
        metrics: on the last quarter of the training time, from regressions of the time before.
        compared: with the mean and with a line.
        drivers: roles with the mean size of their Shapley values in units of the target, greatest first.
        limit: of the loss, at which the score is 1.0.
        calibration: facts, as JSON values.
        cannot_see: sentences.
        fitted: of the networks.
        seconds: of all.
    """

    model: ProductionModel
    dropped: Mapping[str, str]
    metrics: Mapping[str, float]
    compared: Compared
    drivers: tuple[tuple[str, float], ...]
    limit: Limit
    calibration: Mapping[str, Any]
    cannot_see: tuple[str, ...]
    fitted: Fitted
    seconds: float


@dataclass(frozen=True, slots=True, eq=False)
class Regressions:
    """The target from all inputs, from settings and conditions (None: the same), and from conditions (None: none)."""

    expected: Estimated
    steering: Estimated | None
    under: Estimated | None


def train_production(
    data: TrainingData, settings: TrainingSettings, job_settings: ProductionSettings, progress: Progress
) -> ProductionTrained:
    """Train a model of production.

    Args:
        data: inputs, and the target: a series, or the input of the target's name.
        settings: `window_steps` is what the regression looks back on, and what shares of time are of.
        job_settings: of production.
        progress: told the share done.

    Raises:
        UnusableInput: no target, or one that is no quantity; an input that does not vary; settings that name no input.
        TooLittleData: too few values of the target with usable inputs.
    """
    started = time.monotonic()
    times, values = target_values(data)
    causes = _causes(data.frame, job_settings)
    frame = narrowed(data.frame, causes, drop=settings.drop_constant)
    check_roles(frame.roles, _seen(frame), data.target_name, job_settings)
    found = samples(frame, times, values, settings.window_steps)
    names = [role.name for role in frame.roles]
    waits = [role for roles in job_settings.stations.values() for role in roles]
    columns = Columns.of(names, data.target_name, job_settings.adjustable, job_settings.conditions, waits)
    fits = _regressions(found, columns, settings, job_settings, part_of(progress, 0.0, 0.9))
    parts = _parts(data, frame, found, columns, fits, job_settings)
    limit = _limit(frame, found, fits, parts, settings)
    model = ProductionModel(replace(parts, limit=_at_least(limit.value, found.values)))
    judged = compared(
        fits.expected.held, float(found.values[: fits.expected.held.begin].mean()), parts.coverage, data.target_unit
    )
    held = found.windows[fits.expected.held.begin :]
    sizes = drivers(model.predict, held, model.reference, settings.seed)
    ranked = sorted(zip(names, sizes.tolist(), strict=True), key=lambda pair: -pair[1])
    progress(1.0, judged.verdict)
    said = _facts(model, found, limit, ranked)
    seconds = time.monotonic() - started
    return ProductionTrained(
        model,
        causes,
        judged.metrics,
        judged,
        tuple((name, size) for name, size in ranked if name != data.target_name),
        limit,
        said,
        CANNOT_SEE,
        fits.expected.fitted,
        seconds,
    )


def _causes(frame: Frame, job: ProductionSettings) -> dict[str, str]:
    """Roles that cannot be inputs; a station that never waited is no reason to leave out the role that says so."""
    waits = {role for roles in job.stations.values() for role in roles}
    return {role: cause for role, cause in unusable(frame).items() if role not in waits or "usable" in cause}


def _seen(frame: Frame) -> Floats:
    """Rows of steps that count."""
    rows = frame.values[frame.usable]
    if not len(rows):
        raise TooLittleData("training a model of production", 0, 1)
    return rows


def _regressions(
    found: Samples, columns: Columns, settings: TrainingSettings, job: ProductionSettings, progress: Progress
) -> Regressions:
    lengths, regressor = taps(settings.window_steps), _settings(settings, job.regressor)
    expected = estimated(found, columns.seen, lengths, regressor, part_of(progress, 0.0, 0.5))
    steering, under = None, None
    if columns.adjustable and columns.steering != columns.seen:
        steering = estimated(found, columns.steering, lengths, regressor, part_of(progress, 0.5, 0.8))
    if columns.conditions:
        plain = replace(regressor, networks=0)
        under = estimated(found, columns.conditions, lengths, plain, part_of(progress, 0.8, 1.0))
    return Regressions(expected, steering, under)


def _settings(settings: TrainingSettings, regressor: RegressorSettings) -> RegressorSettings:
    """With the seed and the share of the time budget."""
    budget = min(regressor.fit.at_most_seconds * regressor.networks, settings.at_most_seconds / FITS)
    own = replace(regressor.fit, seed=settings.seed, at_most_seconds=budget, kept_in=settings.kept_in)
    return replace(regressor, fit=own, trees=replace(regressor.trees, seed=settings.seed))


def _parts(  # noqa: PLR0917 - all of a training
    data: TrainingData, frame: Frame, found: Samples, columns: Columns, fits: Regressions, job: ProductionSettings
) -> ProductionParts:
    """Everything but the limit of the loss."""
    rows = found.windows[:, -1]
    waits = {role for roles in job.stations.values() for role in roles}
    excluded = {n for n, role in enumerate(frame.roles) if role.name in waits}
    excluded |= {*columns.adjustable, *([] if columns.target is None else [columns.target])}
    if job.conditions:
        excluded |= set(columns.conditions)
    drivers_of = columns.steering if job.conditions else [n for n in columns.seen if frame.roles[n].name not in waits]
    region = Region.fit(rows[:, list(columns.steering)]) if columns.adjustable else None
    return ProductionParts(
        roles=frame.roles,
        grid_ns=frame.grid_ns,
        target_name=data.target_name,
        target_unit=data.target_unit,
        rising=job.rising,
        coverage=job.coverage,
        adjustable=dict(job.adjustable),
        conditions=job.conditions,
        stations=dict(job.stations),
        expected=fits.expected.estimate,
        quantile=fits.expected.half_quantile(job.coverage),
        steering=None if fits.steering is None else fits.steering.estimate,
        under=None if fits.under is None else fits.under.estimate,
        best_level=_best_level(found.values, fits.under, job),
        error=_gain_error(rows, columns, fits, job.coverage) if columns.adjustable else None,
        region=region,
        support=None
        if region is None
        else Support.fit((rows[:, list(columns.steering)] - region.centre) / region.scale),
        limits=LimitsReached.fit(
            frame.roles, found.windows, -found.values if job.rising else found.values, drivers_of, excluded
        ),
        limit=1.0,
        reference=np.median(rows, axis=0),
        usual=np.asarray(np.quantile(rows, [0.005, 0.995], axis=0)),
    )


def _best_level(values: Floats, under: Estimated | None, job: ProductionSettings) -> float:
    """How far the best lies above what conditions tell, in usual errors; the best itself where there are none."""
    sign = 1.0 if job.rising else -1.0
    return sign * quantile(sign * (values if under is None else under.held.scaled()), job.best)


def _gain_error(rows: Floats, columns: Columns, fits: Regressions, coverage: float) -> GainError:
    """From like times within each half of the data, predicted by the regression of the other half."""
    crossed = (fits.steering or fits.expected).crossed
    steering = list(columns.steering)
    region = Region.fit(rows[:, steering])
    spread = region.standardised(rows[:, steering])
    places = {column: place for place, column in enumerate(steering)}
    conditions = spread[:, [places[column] for column in columns.conditions]]
    if not conditions.shape[1]:
        conditions = np.arange(len(spread), dtype=np.float64)[:, None]  # times near each other are the most alike
    moves = spread[:, [places[column] for column in columns.adjustable]]
    pairs = [like_pairs(moves[part], conditions[part], crossed.errors[part]) for part in crossed.parts]
    found = sum(len(sizes) for sizes, _ in pairs)
    if found < FEWEST:
        raise TooLittleData("like times in held-out data, for the interval of gains", found, FEWEST)
    return GainError.fit(pairs, coverage)


def _limit(
    frame: Frame, found: Samples, fits: Regressions, parts: ProductionParts, settings: TrainingSettings
) -> Limit:
    """Of the loss in the last quarter as regressions of the time before tell it."""
    held = fits.expected.held
    start = int(found.times[held.begin + held.parts[0].stop])
    span = (settings.window_steps - 1) * frame.grid_ns
    cut = windows(between(frame, start - span - 1, int(frame.times[-1])), settings.window_steps)
    alarming = settings.alarming(frame.grid_ns)
    rows = np.flatnonzero(cut.usable & alarming.due(cut.ends))
    losses = np.full(len(cut), np.nan)
    earlier = ProductionModel(
        replace(parts, expected=held.last, under=None if fits.under is None else fits.under.held.last)
    )
    for begin in range(0, len(rows), 4096):
        part = rows[begin : begin + 4096]
        losses[part] = np.maximum(earlier.loss(np.array(cut.values[part])), 0.0)
    return calibrate(cut.ends, losses, alarming)


def _at_least(limit: float, values: Floats) -> float:
    return max(limit, SMALLEST * float(values.std()))


def _facts(model: ProductionModel, found: Samples, limit: Limit, ranked: list[tuple[str, float]]) -> dict[str, Any]:
    """For the card, as JSON values."""
    parts = model.parts
    losses = {
        parts.roles[n].name: {
            "limits": [float(at) if np.isfinite(at) else None for at in parts.limits.at[:, n]],
            "lost": parts.limits.loss[:, n].tolist(),
        }
        for n in parts.limits.limited
    }
    facts: dict[str, Any] = {
        "values": len(found),
        "usual_error": parts.expected.noise.overall,
        "quantile": parts.quantile,
        "limit_of_loss": parts.limit,
        "limit_words": limit.words,
        "provisional": limit.provisional,
        "drivers": [[name, size] for name, size in ranked],
        "limits_reached": losses,
    }
    if parts.error is not None:
        facts["gain_error"] = parts.error.quantile * parts.error.noise.overall
    return facts

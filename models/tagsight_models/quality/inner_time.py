"""Time inside the training that a regression did not see: settings, interval and comparison come from it.

The first half of the samples predicts the third quarter, the first three quarters the last: always forwards, as in
service. The two halves of that time are followed each by its own regression and from no laboratory value on.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.quality.lab_following import Known, Tracking, follow
from tagsight_models.quality.lab_samples import LabSamples
from tagsight_models.quality.residual_field import Points, ResidualField
from tagsight_models.quality.settings import Service
from tagsight_models.regression.conformal import quantile
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import SHARES, Regressor, RegressorSettings
from tagsight_models.training import Progress, part_of

QUARTERS: Final = (0.5, 0.75, 1.0)
PREFERRED: Final = 0.05
"""All parts count unless fewer have an error this share lower: two quarters are little to judge by."""

WIDENING: Final = (0.9, 1.5)
"""Least and most widening."""


@dataclass(frozen=True, slots=True, eq=False)
class Quarter:
    """One quarter that its regression did not see: its samples, and what each part of that regression says of them."""

    samples: LabSamples
    regressor: Regressor
    parts: Floats

    def predictions(self, shares: tuple[float, float]) -> Floats:
        """With these parts counting."""
        return replace(self.regressor, shares=shares).of_parts(self.parts)


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated:
    """What the held-out time says of errors: their level, their field, and quantiles in spreads.

    Laboratory values often come at one time of day, so an interval that follows them may be too narrow for the rest
    of the day: `widening` is what makes it cover all samples of the held-out time.
    """

    noise: NoiseLevel
    field: ResidualField
    quantile_alone: float
    quantile_following: float
    widening: float = 1.0


def quarters(
    samples: LabSamples, features: Floats, settings: RegressorSettings, progress: Progress
) -> tuple[Quarter, ...]:
    """The third quarter and the last, each with a regression of all before it."""
    ends = [int(share * len(samples)) for share in QUARTERS]
    found = []
    for number, (begin, end) in enumerate(pairwise(ends)):
        share = part_of(progress, number / 2, (number + 1) / 2)
        regressor, _ = Regressor.fit(features[:begin], samples.values[:begin], settings, share)
        rows = slice(begin, end)
        found.append(Quarter(samples.at(rows), regressor, regressor.parts(features[rows])))
    return tuple(found)


def chosen_shares(held: Sequence[Quarter]) -> tuple[float, float]:
    """Which parts of the regression count."""
    errors = {
        name: sum(float(((each.samples.values - each.predictions(shares)) ** 2).sum()) for each in held)
        for name, shares in SHARES.items()
    }
    best = min(errors, key=lambda name: errors[name])
    return SHARES[best] if errors[best] < (1.0 - PREFERRED) * errors["all"] else SHARES["all"]


def calibrated(held: Sequence[Quarter], shares: tuple[float, float], region: Region, service: Service) -> Calibrated:
    """Level, field and quantiles of the errors; for laboratory values as in `service`."""
    every_ns, coverage = service.every_ns, service.coverage
    predictions = np.concatenate([each.predictions(shares) for each in held])
    errors = np.concatenate([each.samples.values for each in held]) - predictions
    noise = NoiseLevel.fit(predictions, errors)
    points = _points([each.samples for each in held], predictions, noise, region, every_ns)
    field = ResidualField.fit(points, errors / noise.overall)
    spread = np.sqrt(field.prior + field.noise * points.noise) * noise.overall
    parts = np.split(np.abs(errors) / spread, np.cumsum([len(each.samples) for each in held])[:-1])
    plain = Calibrated(noise, field, max(quantile(part, coverage) for part in parts), 1.0)
    got = [followed(each, shares, plain, region, service) for each in held]
    away = np.concatenate([scores(each, one) for each, one in zip(held, got, strict=True)])
    plain = replace(plain, quantile_following=quantile(away, coverage))
    got = [followed(each, shares, plain, region, service) for each in held]
    beyond = [np.abs(each.samples.values - one.predictions) / one.half for each, one in zip(held, got, strict=True)]
    return replace(plain, widening=float(np.clip(quantile(np.concatenate(beyond), coverage), *WIDENING)))


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """A quarter as in service: predictions, spreads of their errors, half-widths of the intervals, each (n,)."""

    predictions: Floats
    spread: Floats
    half: Floats


def followed(
    quarter: Quarter, shares: tuple[float, float], found: Calibrated, region: Region, service: Service
) -> Followed:
    """Predictions with the bias, and half-widths of their intervals, with laboratory values as in service."""
    every_ns = service.every_ns
    samples, predictions = quarter.samples, quarter.predictions(shares)
    errors = (samples.values - predictions) / found.noise.overall
    at = _points([samples], predictions, found.noise, region, every_ns)
    lab = np.flatnonzero(np.diff(samples.times // every_ns, prepend=-1) > 0)
    known = Known(
        samples.times[lab],
        samples.times[lab] + service.known_after_ns,
        Points(at.times[lab], at.inputs[lab], at.noise[lab]),
        errors[lab],
    )
    # A value never corrects the prediction that it is compared with, however soon it is known.
    tracking = Tracking(found.quantile_following, service.coverage)
    got = follow(found.field, known, at, samples.times - 1, tracking)
    unit = found.noise.overall
    half = found.widening * unit * got.quantile * got.spread
    return Followed(predictions + unit * got.bias, unit * got.spread, half)


def scores(quarter: Quarter, got: Followed) -> Floats:
    """Errors in spreads."""
    return np.asarray(np.abs(quarter.samples.values - got.predictions) / got.spread)


def _points(
    samples: Sequence[LabSamples], predictions: Floats, noise: NoiseLevel, region: Region, every_ns: int
) -> Points:
    times = np.concatenate([each.times for each in samples]) / every_ns
    inputs = region.standardised(np.concatenate([each.windows[:, -1] for each in samples]))
    return Points(times, inputs, noise.factor(predictions))

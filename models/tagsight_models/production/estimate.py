"""A regression of the target on some columns, with how far it is wrong on time that it did not see.

The first half of the samples predicts the third quarter, the first three quarters the last: always forwards. Intervals
come from both halves, each as the regression of the other predicts it: what changes between such times is in them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.production.samples import Samples
from tagsight_models.regression.conformal import quantile
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.regressor import SHARES, Regressor, RegressorSettings
from tagsight_models.regression.window_features import window_features
from tagsight_models.training import Fitted, Progress, part_of

QUARTERS: Final = (0.5, 0.75, 1.0)
PREFERRED: Final = 0.05
"""All parts of the regression count unless fewer have an error this share lower."""


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """Columns of the window that it sees, lengths of their means, and the regression with its usual error."""

    columns: tuple[int, ...]
    lengths: tuple[int, ...]
    regressor: Regressor
    noise: NoiseLevel

    def features(self, windows: Floats) -> Floats:
        """Windows (n, steps, roles) -> (n, lengths * columns), last values first."""
        return window_features(windows[:, :, list(self.columns)], self.lengths)

    def predict(self, windows: Floats) -> Floats:
        """Shape (n,), engineering units of the target."""
        return self.regressor.predict(self.features(windows))

    def size(self, predictions: Floats) -> Floats:
        """Usual error there, shape (n,)."""
        return np.asarray(self.noise.overall * np.sqrt(self.noise.factor(predictions)))

    def description(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "columns": list(self.columns),
            "lengths": list(self.lengths),
            "regressor": self.regressor.description(),
        }

    def tensors(self, prefix: str) -> dict[str, Floats]:
        """The arrays, by names that start with the prefix."""
        own = self.regressor.tensors() | {"noise.levels": self.noise.levels, "noise.sizes": self.noise.sizes}
        return {f"{prefix}.{name}": array for name, array in own.items()}

    @classmethod
    def from_parts(cls, said: Mapping[str, Any], prefix: str, tensors: Mapping[str, Floats]) -> "Estimate":
        """The inverse; ValueError or KeyError where something does not fit."""
        own = {
            name.removeprefix(f"{prefix}."): array for name, array in tensors.items() if name.startswith(f"{prefix}.")
        }
        noise = NoiseLevel(own.pop("noise.levels"), own.pop("noise.sizes"))
        regressor = Regressor.from_parts(said["regressor"], own)
        made = cls(tuple(said["columns"]), tuple(said["lengths"]), regressor, noise)
        if len(regressor.centre) != len(made.columns) * len(made.lengths) or noise.levels.shape != noise.sizes.shape:
            msg = f"{prefix}: parts that do not fit each other"
            raise ValueError(msg)
        return made


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """The second half of the samples as regressions of the time before predict it.

    Attributes:
        begin: first sample of it.
        predictions: shape (n,).
        line: shape (n,), by the line alone.
        values: shape (n,).
        parts: the two quarters, as rows of these arrays.
        last: the estimate that predicted the last quarter.
    """

    begin: int
    predictions: Floats
    line: Floats
    values: Floats
    parts: tuple[slice, slice]
    last: Estimate

    @property
    def errors(self) -> Floats:
        """Value less prediction."""
        return self.values - self.predictions

    def scaled(self, part: int | None = None) -> Floats:
        """Errors in usual errors, of one quarter or of both."""
        rows = slice(None) if part is None else self.parts[part]
        return np.asarray(self.errors[rows] / self.last.size(self.predictions[rows]))


@dataclass(frozen=True, slots=True, eq=False)
class Crossed:
    """All samples, each half as the regression of the other half predicts it; shapes (n,)."""

    predictions: Floats
    values: Floats

    @property
    def errors(self) -> Floats:
        """Value less prediction."""
        return self.values - self.predictions

    @property
    def parts(self) -> tuple[slice, slice]:
        """The halves."""
        return slice(0, len(self.values) // 2), slice(len(self.values) // 2, None)


@dataclass(frozen=True, slots=True, eq=False)
class Estimated:
    """The estimate of all samples, how it was on held-out time, and what the fit of its networks did."""

    estimate: Estimate
    held: Held
    crossed: Crossed
    fitted: Fitted

    def half_quantile(self, coverage: float) -> float:
        """Usual errors to either side of the prediction that hold this share of the worse half."""
        scaled = np.abs(self.crossed.errors) / self.estimate.size(self.crossed.predictions)
        return max(quantile(scaled[part], coverage) for part in self.crossed.parts)


def estimated(
    samples: Samples,
    columns: tuple[int, ...],
    lengths: tuple[int, ...],
    settings: RegressorSettings,
    progress: Progress,
) -> Estimated:
    """Fit on all samples, and on either half and three quarters of them for the errors."""
    features = window_features(samples.windows[:, :, list(columns)], lengths)
    ends = [int(share * len(samples)) for share in QUARTERS]
    tries, parts = [], []
    for number, (begin, end) in enumerate(pairwise(ends)):
        share = part_of(progress, number / 4, (number + 1) / 4)
        regressor, _ = Regressor.fit(features[:begin], samples.values[:begin], settings, share)
        tries.append(regressor)
        parts.append(regressor.parts(features[begin:end]))
    values, where = samples.values[ends[0] :], (slice(0, ends[1] - ends[0]), slice(ends[1] - ends[0], None))
    shares = _shares(tries, parts, values)
    said = _said(tries, parts, shares)
    noise = NoiseLevel.fit(said, values - said)
    late, _ = Regressor.fit(features[ends[0] :], samples.values[ends[0] :], settings, part_of(progress, 0.5, 0.75))
    across = [late.parts(features[: ends[0]]), tries[0].parts(features[ends[0] :])]
    crossed = Crossed(_said([late, tries[0]], across, shares), samples.values)
    whole, fitted = Regressor.fit(features, samples.values, settings, part_of(progress, 0.75, 1.0))
    last = Estimate(columns, lengths, replace(tries[-1], shares=shares), noise)
    held = Held(ends[0], said, _said(tries, parts, SHARES["line"]), values, where, last)
    return Estimated(replace(last, regressor=replace(whole, shares=shares)), held, crossed, fitted)


def _shares(tries: Sequence[Regressor], parts: Sequence[Floats], values: Floats) -> tuple[float, float]:
    """Which parts of the regression count."""
    errors = {name: float(((values - _said(tries, parts, each)) ** 2).sum()) for name, each in SHARES.items()}
    best = min(errors, key=lambda name: errors[name])
    return SHARES[best] if errors[best] < (1.0 - PREFERRED) * errors["all"] else SHARES["all"]


def _said(tries: Sequence[Regressor], parts: Sequence[Floats], shares: tuple[float, float]) -> Floats:
    return np.concatenate(
        [replace(each, shares=shares).of_parts(part) for each, part in zip(tries, parts, strict=True)]
    )

"""What the soft sensor is worth: against the last laboratory value, and against a line, on the last quarter.

A soft sensor that tells less than the last value that the laboratory said is `trial`. Coverage is measured with an
interval that was calibrated on the quarter before, so on data that its calibration did not see.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.quality.inner_time import Quarter, calibrated, followed
from tagsight_models.quality.lab_samples import LabSamples
from tagsight_models.quality.settings import Service
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import SHARES


@dataclass(frozen=True, slots=True)
class Compared:
    """Lines in plain words, the verdict, whether the model is on trial, and the figures behind them."""

    lines: tuple[str, ...]
    verdict: str
    trial: bool
    metrics: Mapping[str, float]


def compared(
    held: Sequence[Quarter], shares: tuple[float, float], region: Region, service: Service, unit: str
) -> Compared:
    """Judge on the last quarter."""
    last = held[-1]
    values = last.samples.values
    earlier = calibrated(held[:-1], shares, region, service)
    ours = followed(last, shares, earlier, region, service)
    errors = {
        "last laboratory value": values - last_known(last.samples, service.every_ns, service.known_after_ns),
        "line": values - last.predictions(SHARES["line"]),
        "TagSight without laboratory values": values - last.predictions(shares),
        "TagSight": values - ours.predictions,
    }
    rooted = {name: float(np.sqrt(np.nanmean(error**2))) for name, error in errors.items()}
    covered = float((np.abs(values - ours.predictions) <= ours.half).mean())
    lines = [f"{name}: usual error {value:.3g} {unit}".rstrip() for name, value in rooted.items()]
    lines.append(f"interval: {covered:.0%} of the values of a quarter that its calibration did not see")
    best = min(("last laboratory value", "line"), key=lambda name: rooted[name])
    trial = rooted["TagSight"] >= rooted["last laboratory value"]
    gain = 1.0 - rooted["TagSight"] / rooted[best]
    verdict = f"TagSight's error is {abs(gain):.0%} {'below' if gain > 0 else 'above'} that of the {best}"
    metrics = {f"error, {name}": value for name, value in rooted.items()} | {
        "coverage": covered,
        "width": float(2.0 * ours.half.mean()),
        "r2": 1.0 - rooted["TagSight"] ** 2 / max(float(values.var()), 1e-300),
    }
    return Compared(tuple(lines), verdict + (": it is on trial" if trial else ""), trial, metrics)


def last_known(samples: LabSamples, every_ns: int, known_after_ns: int) -> Floats:
    """At each sample, the value that the laboratory said last; NaN before the first."""
    lab = np.flatnonzero(np.diff(samples.times // every_ns, prepend=-1) > 0)
    number = np.searchsorted(samples.times[lab] + known_after_ns, samples.times - 1, side="right") - 1
    return np.where(number >= 0, samples.values[lab[np.maximum(number, 0)]], np.nan)

"""What the model of the target is worth: against its mean so far, and against a line, on the last quarter.

A model that tells less than the mean is `trial`. Coverage is measured with an interval calibrated on the quarter
before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tagsight_models.production.estimate import Held
from tagsight_models.regression.conformal import quantile


@dataclass(frozen=True, slots=True)
class Compared:
    """Lines in plain words, the verdict, whether the model is on trial, and the figures behind them."""

    lines: tuple[str, ...]
    verdict: str
    trial: bool
    metrics: Mapping[str, float]


def compared(held: Held, mean: float, coverage: float, unit: str) -> Compared:
    """Judge on the last quarter; `mean` is that of the time before."""
    last = held.parts[1]
    values = held.values[last]
    errors = {"mean": values - mean, "line": values - held.line[last], "TagSight": held.errors[last]}
    rooted = {name: float(np.sqrt(np.mean(error**2))) for name, error in errors.items()}
    covered = float((np.abs(held.scaled(1)) <= quantile(np.abs(held.scaled(0)), coverage)).mean())
    lines = [f"{name}: usual error {value:.3g} {unit}".rstrip() for name, value in rooted.items()]
    lines.append(f"interval: {covered:.0%} of the values of a quarter that its calibration did not see")
    trial = rooted["TagSight"] >= rooted["mean"]
    best = min(("mean", "line"), key=lambda name: rooted[name])
    gain = 1.0 - rooted["TagSight"] / max(rooted[best], 1e-300)
    verdict = f"TagSight's error is {abs(gain):.0%} {'below' if gain > 0 else 'above'} that of the {best}"
    metrics = {f"error, {name}": value for name, value in rooted.items()} | {
        "coverage": covered,
        "r2": 1.0 - rooted["TagSight"] ** 2 / max(float(values.var()), 1e-300),
    }
    return Compared(tuple(lines), verdict + (": it is on trial" if trial else ""), trial, metrics)

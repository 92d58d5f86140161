"""What the plan says about a soft sensor."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tagsight_models.regression.regressor import RegressorSettings


@dataclass(frozen=True, slots=True)
class QualitySettings:
    """Settings of the job `quality`.

    Attributes:
        delay_ns: how much later than the inputs the sample shows what they did; None: found in the data.
        most_delay_ns: the longest delay that is looked for; None: as long as the window.
        known_after_ns: how long after the sample its value is known.
        lab_every_ns: distance of laboratory values in service; None: as in the training data.
        low: lower limit of the target, None for none.
        high: upper limit.
        coverage: share of laboratory values that lie in the interval.
        adjustable: roles that operators may move, each with its bounds.
        regressor: of the regression.
    """

    delay_ns: int | None = None
    most_delay_ns: int | None = None
    known_after_ns: int = 0
    lab_every_ns: int | None = None
    low: float | None = None
    high: float | None = None
    coverage: float = 0.9
    adjustable: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    regressor: RegressorSettings = field(default_factory=RegressorSettings)


@dataclass(frozen=True, slots=True)
class Service:
    """What laboratory values are like in service: their distance, how late each is known, and the coverage wanted."""

    every_ns: int
    known_after_ns: int
    coverage: float

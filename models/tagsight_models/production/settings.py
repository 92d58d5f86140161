"""What the plan says about production."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings


@dataclass(frozen=True, slots=True)
class ProductionSettings:
    """Settings of the job `production`.

    Attributes:
        rising: more of the target is better; False: less.
        coverage: share of cases in which the target, and a gain, lie in their intervals.
        adjustable: roles that operators may move, each with its bounds.
        conditions: roles that no such move changes (weather, feed, order); none named: all that are not adjustable.
            Roles that are neither follow the moves: they help to predict, and say nothing of gains.
        stations: of a line, in the order of the flow, each with the roles that are 1 while it is starved, and while it
            is blocked; or with one role, 1 while it waits for whatever reason.
        best: what this share of times under the same conditions does not exceed is the best that was reached.
        regressor: of all regressions.
    """

    rising: bool = True
    coverage: float = 0.9
    adjustable: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    stations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    best: float = 0.9
    regressor: RegressorSettings = field(default_factory=lambda: RegressorSettings(trees=TreeSettings(trees=200)))

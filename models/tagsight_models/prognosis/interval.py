"""An interval that covers as stated: conformal, by groups of alike predictions, counted in lives.

Within a group of predictions the errors of lives that the predicting network never saw are taken, each life with the
same weight, and their quantiles (with the correction for a finite number of lives) are put round the prediction. So the
interval covers among machines that are nearly worn as it does among new ones, whatever the mixture met later.
V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a Random World", 2005 (Mondrian conformal prediction);
R. Dunn, L. Wasserman, A. Ramdas, "Distribution-free prediction sets for two-layer hierarchical models", 2022.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Times
from tagsight_models.prognosis.settings import least_cases

GROUPS: Final = 8


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Errors below and above predictions, by group.

    Attributes:
        edges: shape (groups - 1,), predictions that part the groups.
        below: shape (groups,), added to a prediction for the lower end.
        above: shape (groups,), for the upper end.
    """

    edges: Floats
    below: Floats
    above: Floats

    def of(self, predicted: Floats, cap: float) -> tuple[Floats, Floats]:
        """Lower and upper end for each prediction, between 0 and the cap; the prediction lies between them."""
        group = np.searchsorted(self.edges, predicted, side="right")
        lower = np.clip(np.minimum(predicted + self.below[group], predicted), 0.0, cap)
        return lower, np.clip(np.maximum(predicted + self.above[group], predicted), 0.0, cap)


def calibrate(predicted: Floats, truth: Floats, life: Times, covered: float) -> Interval:
    """From predictions for lives that the predicting network did not see.

    Args:
        predicted: shape (rows,).
        truth: shape (rows,), capped likewise.
        life: shape (rows,), which life each row belongs to.
        covered: share that the interval is to hold; each tail misses half of the rest.
    """
    tail = (1.0 - covered) / 2.0
    least = least_cases(covered)
    groups = max(1, min(GROUPS, len(np.unique(life)) // (2 * least)))
    edges = np.unique(np.quantile(predicted, np.arange(1, groups) / groups))
    group = np.searchsorted(edges, predicted, side="right")
    errors = truth - predicted
    below, above = [], []
    for number in range(len(edges) + 1):
        chosen = group == number
        if len(np.unique(life[chosen])) < least:  # too few lives: all of them count
            chosen = np.ones(len(group), dtype=np.bool_)
        below.append(-_quantile(-errors[chosen], life[chosen], 1.0 - tail))
        above.append(_quantile(errors[chosen], life[chosen], 1.0 - tail))
    return Interval(np.asarray(edges), np.array(below), np.array(above))


def _quantile(errors: Floats, life: Times, level: float) -> float:
    """Each life with the same weight; the level raised as for one more life than there are."""
    _, own, rows = np.unique(life, return_inverse=True, return_counts=True)
    weight = 1.0 / rows[own]
    order = np.argsort(errors, kind="stable")
    reached = np.cumsum(weight[order]) / len(rows)
    raised = min(1.0, level * (1.0 + 1.0 / len(rows)))
    return float(errors[order][min(int(np.searchsorted(reached, raised - 1e-9)), len(order) - 1)])

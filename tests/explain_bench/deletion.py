"""What the score becomes when the roles that are blamed are restored to what the model expects of them.

Two expectations: that of the model's own network from all other roles (`restored`), which no ranking here uses; and
that of what an operator is told, from the present roles as explanations impute absent ones (`imputed`).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tagsight_models.estimates import estimated
from tagsight_models.frame import Floats
from tests.explain_bench.cases import TOP, Cases, ranked

COUNTS: Final = (1, 2, 3, 5, 8, 12)
RANDOM: Final = 5


def restored(cases: Cases, contributions: Sequence[Floats], count: int = TOP) -> Floats:
    """Score of each case with its `count` most suspect roles restored."""
    roles = len(cases.model.roles)
    found = []
    for window, numbers in zip(cases.windows, contributions, strict=True):
        absent = np.zeros(roles, dtype=np.bool_)
        absent[ranked(numbers)[:count]] = True
        found.append(cases.model.score(estimated(cases.model, window[None], absent).windows)[0])
    return np.array(found)


def imputed(cases: Cases, contributions: Sequence[Floats], count: int = TOP) -> Floats:
    """Score of each case with its `count` most suspect roles as an explanation imputes absent ones."""
    present = np.ones((len(cases.cases), len(cases.model.roles)), dtype=np.bool_)
    for row, numbers in zip(present, contributions, strict=True):
        row[ranked(numbers)[:count]] = False
    return cases.model.score(cases.model.given(cases.windows, present))


def area(cases: Cases, contributions: Sequence[Floats]) -> float:
    """Under the curve of score / first score over the number of restored roles, up to 12; mean over the cases."""
    roles = len(cases.model.roles)
    counts = [count for count in COUNTS if count < roles]
    curve = np.stack(
        [np.ones(len(cases.cases)), *(restored(cases, contributions, count) / cases.scores for count in counts)]
    )
    return float(np.trapezoid(curve, [0, *counts], axis=0).mean() / counts[-1])


def random_rankings(cases: Cases, seed: int) -> list[Floats]:
    """For comparison."""
    random = np.random.default_rng(seed)
    return [random.permutation(len(cases.model.roles)).astype(np.float64) for _ in cases.cases]

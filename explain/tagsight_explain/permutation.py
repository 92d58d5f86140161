"""Sampled Shapley values by pairs of a random permutation and its reverse.

A pair gives the exact values of every game without interactions of three or more roles, so on statistics that are
nearly quadratic most of the variance is gone at once. (A quadratic proxy as control variate therefore adds nothing
here: the pair already integrates it exactly.) Each permutation telescopes, so base and contributions add up to the
value of the full coalition whatever was drawn. Pairs are independent: their spread gives the standard errors.
Source: Mitchell, Cooper, Frank, Holmes, "Sampling Permutations for Shapley Value Estimation", JMLR 23 (2022).
"""

from contextlib import suppress
from math import ceil

import numpy as np
from numpy.typing import NDArray

from tagsight_explain.attribution import Algorithm, Attribution
from tagsight_explain.errors import BudgetSpent
from tagsight_models.frame import Flags, Floats

FIRST_PAIRS = 4
MOST_PAIRS_A_ROUND = 32
ROUNDS_TO_SPARE = 4  # pairs that must be affordable before a few evaluations go to what the score would be without one
INDISTINCT = 0.05  # of the sum of positive contributions: neighbours known this well may swap places


def sampled(
    roles: int, at_most_evaluations: int, seed: int, *, relative_error: float = 0.05, top: int = 5
) -> Algorithm:
    """Draw pairs until the top of the ranking is stable and the error small, or the budget ends.

    `at_most_evaluations` bounds what is asked for. At least two pairs are needed, 4 x roles - 2 evaluations.
    What the score would be without each of the `top` roles is asked for at the end.
    `relative_error` is a share of the Euclidean norm of the contributions: half of the error that is promised.
    """
    asked_last = min(top, roles) if at_most_evaluations > 2 * ROUNDS_TO_SPARE * roles else 0
    affordable = (at_most_evaluations - 2 - asked_last) // (2 * (roles - 1)) if roles > 1 else 2
    if affordable < 2:
        raise BudgetSpent(at_most_evaluations, "evaluations")
    random = np.random.default_rng(seed)
    base, full = (yield np.array([[False] * roles, [True] * roles])).tolist()
    pairs = np.empty((0, roles))
    more = FIRST_PAIRS
    while (more := min(more, affordable - len(pairs))) > 0:
        orders = random.permuted(np.tile(np.arange(roles), (more, 1)), axis=1)
        both = np.concatenate([orders, orders[:, ::-1]])
        try:
            values = yield _prefixes(both)
        except BudgetSpent:
            if len(pairs) < 2:
                raise
            asked_last = 0
            break
        gains = _gains(both, values, base, full)
        pairs = np.concatenate([pairs, (gains[:more] + gains[more:]) / 2])
        more = _wanted(pairs, max(1.0, abs(full)), relative_error, top)
    mean = pairs.mean(axis=0)
    leading = np.argsort(-mean, kind="stable")[:asked_last]
    without = np.full(roles, np.nan)
    with suppress(BudgetSpent):
        if asked_last:
            without[leading] = yield ~np.eye(roles, dtype=np.bool_)[leading]
    return Attribution(base, mean, _standard_error(pairs), without)


def _prefixes(orders: NDArray[np.int64]) -> Flags:
    """The coalitions that grow along each order, without the empty and the full one: (orders x (roles-1), roles)."""
    place = np.argsort(orders, axis=1)
    roles = orders.shape[1]
    return (place[:, None, :] < np.arange(1, roles)[:, None]).reshape(-1, roles)


def _gains(orders: NDArray[np.int64], values: Floats, base: float, full: float) -> Floats:
    """What each role added when it joined, shape (orders, roles)."""
    count, roles = orders.shape
    inner = values.reshape(count, roles - 1)
    ends = np.full((count, 1), base), np.full((count, 1), full)
    gains = np.empty((count, roles))
    np.put_along_axis(gains, orders, np.diff(np.concatenate([ends[0], inner, ends[1]], axis=1), axis=1), axis=1)
    return gains


def _standard_error(pairs: Floats) -> Floats:
    return np.asarray(pairs.std(axis=0, ddof=1) / np.sqrt(len(pairs)))


def _wanted(pairs: Floats, scale: float, relative_error: float, top: int) -> int:
    """How many more pairs to draw: 0 when precise and stable, else by the error that is left."""
    allowed = relative_error * max(float(np.linalg.norm(pairs.mean(axis=0))), 1e-9 * scale)
    error = float(np.linalg.norm(_standard_error(pairs)))
    if error <= allowed:
        return 0 if _stable(pairs, top) else FIRST_PAIRS
    missing = len(pairs) * ((error / allowed) ** 2 - 1)
    return max(FIRST_PAIRS, ceil(min(missing, MOST_PAIRS_A_ROUND)))


def _stable(pairs: Floats, top: int) -> bool:
    """Each neighbouring two of the top are apart by two standard errors, or too well known for it to matter."""
    mean = pairs.mean(axis=0)
    ranking = np.argsort(-mean, kind="stable")[: top + 1]
    ranking = ranking[mean[ranking] > 0.0]
    if len(ranking) < 2:
        return True
    differences = pairs[:, ranking[:-1]] - pairs[:, ranking[1:]]
    doubt = 2.0 * _standard_error(differences)
    gaps = differences.mean(axis=0)
    return bool(((gaps >= doubt) | (doubt <= INDISTINCT * mean.clip(min=0.0).sum())).all())

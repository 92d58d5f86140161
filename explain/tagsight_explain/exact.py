"""Exact Shapley values by all 2^R coalitions."""

from functools import lru_cache
from math import factorial
from typing import TypeVar

import numpy as np

from tagsight_explain.attribution import Algorithm, Attribution
from tagsight_models.frame import Flags, Floats

A = TypeVar("A", Flags, Floats)

MOST_ROLES = 16  # 65,536 evaluations and 8 MB of weights; beyond, sampling is better than waiting


def exact(roles: int) -> Algorithm:
    """Ask for every coalition once; the values follow by one product with a matrix of weights."""
    values = yield coalitions(roles)
    base = float(values[0])
    without = values[len(values) - 1 - 2 ** np.arange(roles)]
    return Attribution(base, weights(roles) @ (values - base), np.zeros(roles), without)


@lru_cache(maxsize=4)
def coalitions(roles: int) -> Flags:
    """All coalitions, shape (2^roles, roles); the empty one first, the full one last. Read-only."""
    bits = (np.arange(2**roles)[:, None] >> np.arange(roles)) & 1
    return _frozen(bits.astype(np.bool_))


@lru_cache(maxsize=4)
def weights(roles: int) -> Floats:
    """Shapley values are `weights @ values`: shape (roles, 2^roles), in the order of `coalitions`. Read-only.

    A coalition of s roles counts (s-1)! (R-s)! / R! for each of its members and -s! (R-s-1)! / R! for the others.
    """
    inside = np.array([0.0] + [factorial(s - 1) * factorial(roles - s) / factorial(roles) for s in range(1, roles + 1)])
    outside = np.append(inside[1:], 0.0)
    members = coalitions(roles)
    size = members.sum(axis=1)
    return _frozen(np.where(members, inside[size][:, None], -outside[size][:, None]).T.copy())


def _frozen(array: A) -> A:
    array.setflags(write=False)
    return array

"""The seam of a statistic: fitted on normal rows, then one number for each row, causal."""

from collections.abc import Callable
from typing import Protocol, TypeAlias

import numpy as np

from tagsight_models.frame import Flags, Floats


class Statistic(Protocol):
    """A fitted statistic.

    Laws: `rows` is causal (row t depends on rows up to t only) and remembers nothing between calls; it is NaN where
    the row, or a row that its lags need, holds NaN. Large means abnormal.
    """

    def rows(self, values: Floats) -> Floats:
        """Rows of shape (steps, roles) on one grid, engineering units -> statistic, shape (steps,)."""


Fit: TypeAlias = Callable[[Floats], Statistic]


def present(values: Floats) -> Flags:
    """Shape (steps,): rows that hold a number for every role."""
    return np.asarray(np.isfinite(values).all(axis=1), dtype=np.bool_)


def complete(whole: Flags, steps: int) -> Flags:
    """Where this and the `steps - 1` rows before are all whole."""
    holes = np.cumsum(~whole)
    before = np.concatenate([np.zeros(steps, dtype=holes.dtype), holes[:-steps]]) if len(whole) > steps else 0 * holes
    found = holes == before
    found[: steps - 1] = False
    return np.asarray(found, dtype=np.bool_)

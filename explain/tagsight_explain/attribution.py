"""What an algorithm finds out about one window, and how it asks for what it needs.

An algorithm is a generator: it yields coalitions, shape (k, roles), True where a role is present, is sent their
values, shape (k,), and returns an Attribution. Whoever drives it may throw `BudgetSpent` instead of sending values:
the algorithm then returns what it has, or lets the error through. An algorithm bounds by itself how many coalitions it
asks for; the driver bounds the time. So algorithms know nothing of models, windows, clocks or batches, and one driver
can serve many of them from one batch.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from tagsight_models.frame import Flags, Floats


@dataclass(frozen=True, slots=True)
class Attribution:
    """Shapley values of one game.

    Attributes:
        base: value of the empty coalition.
        contributions: shape (roles,); base and contributions add up to the value of the full coalition.
        standard_error: shape (roles,); zeros where exact.
        without: shape (roles,), value of the coalition of all others; NaN where it was not asked for.
    """

    base: float
    contributions: Floats
    standard_error: Floats
    without: Floats


Algorithm: TypeAlias = Generator[Flags, Floats, Attribution]

"""Why a score is what it is."""

from dataclasses import dataclass

import numpy as np

from tagsight_models.frame import Floats


@dataclass(frozen=True, slots=True)
class Explanation:
    """Shapley values of one score; roles are the players.

    Attributes:
        roles: names, in the order of `contributions`.
        base: the score of the normal reference window (no role present).
        contributions: shape (roles,); `base + contributions.sum()` is the score, within 1e-4 * max(1, |score|).
        standard_error: shape (roles,); 0 where the computation was exact.
        evaluations: how many windows the model scored for it.
        without: shape (roles,), what the score would be with that role absent and all others as they are; NaN where it
            is not known (sampled values know it of the leading roles), None where there is no result.
        failure: "" when it holds; else why not, in words: then it is Uncertain and must not be acted on. Where there
            is no result at all, base, contributions and standard errors are NaN.
    """

    roles: tuple[str, ...]
    base: float
    contributions: Floats
    standard_error: Floats
    evaluations: int
    failure: str = ""
    without: Floats | None = None

    @property
    def total(self) -> float:
        """Base and contributions added up in float64."""
        return float(self.base + self.contributions.sum())

    def shares(self) -> Floats:
        """Per cent of the excess: 100 x max(contribution, 0) / sum of the positive ones; zeros if none is."""
        positive = np.nan_to_num(self.contributions, nan=0.0).clip(min=0.0)
        largest = float(positive.max(initial=0.0))
        if largest == 0.0:
            return positive
        scaled = positive / largest  # neither overflows nor vanishes in the sum
        return np.asarray(100.0 * scaled / scaled.sum())

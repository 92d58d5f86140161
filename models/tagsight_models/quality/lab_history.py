"""Recent laboratory values as data: a correction recomputes from them all that it needs, so no state survives."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tagsight_models.frame import Floats, Times


@dataclass(frozen=True, slots=True, eq=False)
class LabHistory:
    """Laboratory values and the window of the model at each sample time.

    Attributes:
        sampled_ns: shape (n,), UTC ns, when the sample was taken.
        known_ns: shape (n,), when its value was known; nothing uses a value before that.
        values: shape (n,), engineering units of the target.
        windows: shape (n, window_steps, roles): the window that ends at the sample time.
    """

    sampled_ns: Times
    known_ns: Times
    values: Floats
    windows: Floats

    @classmethod
    def none(cls, window_steps: int, roles: int) -> Self:
        """No value yet."""
        nothing = np.zeros(0, dtype=np.int64)
        return cls(nothing, nothing, np.zeros(0), np.zeros((0, window_steps, roles)))

    def __len__(self) -> int:
        return len(self.sampled_ns)

    def in_order(self) -> Self:
        """By the time at which they were known; without those that are no numbers."""
        order = np.lexsort((self.sampled_ns, self.known_ns))
        order = order[np.isfinite(self.values[order])]
        kept = self.sampled_ns[order], self.known_ns[order], self.values[order], self.windows[order]
        return type(self)(*kept)

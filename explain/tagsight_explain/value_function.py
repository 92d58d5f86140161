"""The game that is explained: v(S) is the score of the window in which the roles outside S are at their normal.

What an absent role's normal is depends on the model. A `ConditionalModel` says what the present roles make expect of it
(its own values play no part), so that two roles that belong together do not look abnormal for being apart; a role that
the model ignores may then get a share through the others. For any other model it is the model's reference, whatever
the present roles are: a role that the model ignores then gets exactly 0, and so does one that equals its reference.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight_explain.errors import BudgetSpent, NotFinite
from tagsight_models.frame import Flags, Floats
from tagsight_models.scoring_model import ConditionalModel, ScoringModel

Clock: TypeAlias = Callable[[], float]
"""Monotonic seconds."""

CHUNK_BYTES = 2**19  # windows given to the model at once: beyond it they leave the cache and cost twice as much


class ValueFunction:
    """Values of coalitions of several windows of one model: batched, bounded, counted and cached.

    Memory: at most `chunk_bytes` of windows at once, and one number per distinct coalition of a window that has not
    been forgotten. Time: the clock is looked at before every chunk.
    """

    def __init__(
        self, model: ScoringModel, windows: Floats, *, seconds: float, clock: Clock, chunk_bytes: int = CHUNK_BYTES
    ) -> None:
        """Windows of shape (n, window_steps, roles); `seconds` for all of them, counted from now."""
        self._model = model
        self._windows = np.ascontiguousarray(windows, dtype=np.float64)
        self._reference = np.asarray(model.reference, dtype=np.float64)
        self._seconds = seconds
        self._clock = clock
        self._deadline = clock() + seconds
        self._chunk = max(1, chunk_bytes // max(1, self._reference.nbytes))
        self._known: list[dict[bytes, float]] = [{} for _ in range(len(self._windows))]
        self.evaluations: NDArray[np.int64] = np.zeros(len(self._windows), dtype=np.int64)

    def many(self, requests: Mapping[int, Flags]) -> dict[int, Floats]:
        """Values of the coalitions, shape (k, roles), asked for each window.

        Raises:
            BudgetSpent: the deadline has come. What was evaluated until then is kept.
        """
        keys = {window: _bitmasks(coalitions) for window, coalitions in requests.items()}
        missing = [(window, self._unknown(window, keys[window])) for window in requests]
        self._evaluate([(window, list(rows), requests[window][list(rows.values())]) for window, rows in missing])
        return {
            window: np.fromiter(map(self._known[window].__getitem__, asked), np.float64, len(asked))
            for window, asked in keys.items()
        }

    def within(self, window: int, coalitions: Flags, at_most: int) -> Floats:
        """Finite values of coalitions of one window.

        Raises:
            BudgetSpent: the deadline has come, or the window would need more than `at_most` evaluations altogether.
            NotFinite: the model gave NaN or infinity.
        """
        new = len(self._unknown(window, _bitmasks(coalitions)))
        if self.evaluations[window] + new > at_most:
            raise BudgetSpent(at_most, "evaluations")
        return finite(self.many({window: coalitions})[window])

    def forget(self, window: int) -> None:
        """Free the values of a window that has been explained."""
        self._known[window].clear()

    def _unknown(self, window: int, keys: list[bytes]) -> dict[bytes, int]:
        """Distinct bitmasks without a value, each with a row that has it."""
        known = self._known[window]
        return {key: row for row, key in enumerate(keys) if key not in known}

    def _evaluate(self, wanted: list[tuple[int, list[bytes], Flags]]) -> None:
        """Score all wanted coalitions in chunks that may span windows."""
        keys = [key for _, part, _ in wanted for key in part]
        if not keys:
            return
        index = np.repeat([window for window, _, _ in wanted], [len(part) for _, part, _ in wanted])
        coalitions = np.concatenate([part for _, _, part in wanted])
        for start in range(0, len(keys), self._chunk):
            self._check_time()
            chunk = slice(start, start + self._chunk)
            scores = self._score(index[chunk], coalitions[chunk])
            for window, key, score in zip(index[chunk].tolist(), keys[chunk], scores.tolist(), strict=True):
                self._known[window][key] = score
            self.evaluations += np.bincount(index[chunk], minlength=len(self._windows))

    def _score(self, index: NDArray[np.int64], coalitions: Flags) -> Floats:
        if isinstance(self._model, ConditionalModel):
            masked = self._model.given(self._windows[index], coalitions)
        else:
            present = self._windows[index[0]] if index[0] == index[-1] else self._windows[index]
            masked = np.where(coalitions[:, None, :], present, self._reference)
        return np.asarray(self._model.score(masked), dtype=np.float64)

    def _check_time(self) -> None:
        if self._clock() >= self._deadline:
            raise BudgetSpent(self._seconds, "s")


def finite(values: Floats) -> Floats:
    """The values, or NotFinite."""
    if np.isfinite(values).all():
        return values
    raise NotFinite("the score of a partly replaced window")


def _bitmasks(coalitions: Flags) -> list[bytes]:
    """One bit per role."""
    packed = np.packbits(coalitions, axis=1)
    width = packed.shape[1]
    return packed.view(f"V{width}").ravel().tolist() if width else [b""] * len(packed)

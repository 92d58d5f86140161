"""The game that is explained: values of coalitions of players, batched, bounded, counted and cached.

What an absent role is, `absence` says; who plays, roles or groups of them, `players`.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight_explain.absence import Absence, absence
from tagsight_explain.errors import BudgetSpent, NotFinite
from tagsight_explain.players import Players
from tagsight_models.frame import Flags, Floats
from tagsight_models.scoring_model import ScoringModel

Clock: TypeAlias = Callable[[], float]
"""Monotonic seconds."""

CHUNK_BYTES = 2**19  # windows given to the model at once: beyond it they leave the cache and cost twice as much


class ValueFunction:
    """Values of coalitions of several windows of one model: batched, bounded, counted and cached.

    Memory: at most `chunk_bytes` of windows at once, and one number per distinct coalition of a window that has not
    been forgotten. Time: the clock is looked at before every chunk.
    """

    def __init__(
        self,
        model: ScoringModel,
        windows: Floats,
        *,
        seconds: float,
        clock: Clock,
        chunk_bytes: int = CHUNK_BYTES,
        players: Players | None = None,
        absent: Absence | None = None,
    ) -> None:
        """Windows of shape (n, window_steps, roles); `seconds` for all of them, counted from now.

        Without `players` every role plays; without `absent` it is what the model has by default.
        """
        self._players = Players.of([role.name for role in model.roles]) if players is None else players
        self._absence = absence(model, "", None) if absent is None else absent
        self._windows = np.ascontiguousarray(windows, dtype=np.float64)
        self._seconds = seconds
        self._clock = clock
        self._deadline = clock() + seconds
        each = max(1, self._windows.itemsize * model.window_steps * len(model.roles)) * self._absence.windows_each
        self._chunk = max(1, chunk_bytes // each)
        self._known: list[dict[bytes, float]] = [{} for _ in range(len(self._windows))]
        self.evaluations: NDArray[np.int64] = np.zeros(len(self._windows), dtype=np.int64)

    @property
    def windows_each(self) -> int:
        """Windows that the model scores for one coalition."""
        return self._absence.windows_each

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
        new = len(self._unknown(window, _bitmasks(coalitions))) * self._absence.windows_each
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
        """Score all wanted coalitions in chunks; these may span windows where that is as quick."""
        if self._absence.together > 1:
            for window, keys, coalitions in wanted:
                self._evaluate_window(window, keys, coalitions)
            return
        keys = [key for _, part, _ in wanted for key in part]
        if not keys:
            return
        index = np.repeat([window for window, _, _ in wanted], [len(part) for _, part, _ in wanted])
        coalitions = np.concatenate([part for _, _, part in wanted])
        for start in range(0, len(keys), self._chunk):
            self._check_time()
            chunk = slice(start, start + self._chunk)
            scores = self._score(index[chunk], self._players.present(coalitions[chunk]))
            for window, key, score in zip(index[chunk].tolist(), keys[chunk], scores.tolist(), strict=True):
                self._known[window][key] = score
            self.evaluations += self._absence.windows_each * np.bincount(index[chunk], minlength=len(self._windows))

    def _evaluate_window(self, window: int, keys: list[bytes], coalitions: Flags) -> None:
        together = self._absence.together
        for start in range(0, len(keys), together):
            self._check_time()
            present = self._players.present(coalitions[start : start + together])
            scores = self._absence.of_window(self._windows[window], present)
            self._known[window].update(zip(keys[start : start + together], scores.tolist(), strict=True))
            self.evaluations[window] += len(present)

    def _score(self, index: NDArray[np.int64], present: Flags) -> Floats:
        if index[0] == index[-1]:
            return self._absence.of_window(self._windows[index[0]], present)
        return self._absence.values(self._windows[index], present)

    def _check_time(self) -> None:
        if self._clock() >= self._deadline:
            raise BudgetSpent(self._seconds, "s")


def finite(values: Floats) -> Floats:
    """The values, or NotFinite."""
    if np.isfinite(values).all():
        return values
    raise NotFinite("the score of a partly replaced window")


def _bitmasks(coalitions: Flags) -> list[bytes]:
    """One bit per player."""
    packed = np.packbits(coalitions, axis=1)
    width = packed.shape[1]
    return packed.view(f"V{width}").ravel().tolist() if width else [b""] * len(packed)

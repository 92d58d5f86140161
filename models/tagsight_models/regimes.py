"""Operating regimes: grades, recipes, loads that a machine is set to, each with a limit of its own.

A regime is a combination of levels of the roles that say what the machine is set to: one that the engineer names, or
those that hold their values nearly always and come back to few of them. A window has a state: the number of the regime
that it lies in from end to end; CHANGED where it holds a change; UNSEEN where its last step is in no regime of the
training. All of it is a pure function of the window.

The distance in each state is divided by a factor, what is usual in it as a share of what is usual overall, so that one
limit holds in all. A change has a factor of its own, from the changes in the training data; where these were too few, a
window with a change is not judged, as one in an unseen regime is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats, Role
from tagsight_models.statistics.statistic import present

FOUND: Final = "found"
"""Instead of a role's name: look for regimes."""

NEW: Final = "operating regime that the training did not hold"
CHANGE: Final = "the operating regime has just changed"
CHANGED: Final = -1
UNSEEN: Final = -2
HELD: Final = 0.95  # share of steps at which a role that says a regime keeps its value
MOST: Final = 12  # regimes; more are no grades but a range
COVERED: Final = 0.9  # share of the training data that regimes must explain
GAP: Final = 0.05  # of a role's range between two levels
WIDEST: Final = 0.3  # of it that a level may take: a load that is set and wavers
FEWEST_CHANGES: Final = 3
QUANTILE: Final = 0.99
SMALLEST: Final = 0.5  # factor: a quiet regime does not make the limit tighter than this
LARGEST: Final = 20.0
MEND: Final = "Name an input that has few levels, such as the grade or a set point, or remove `regime`."

States = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Regimes:
    """What regimes there are, and how far from normal each usually is.

    Attributes:
        columns: of the roles that say the regime.
        centres: for each regime, a level of each of these roles.
        tolerance: how far from its level each role may be.
        factors: for each regime, what its distances are divided by.
        changed: likewise for windows with a change; None: they are not judged.
    """

    columns: tuple[int, ...]
    centres: tuple[tuple[float, ...], ...]
    tolerance: tuple[float, ...]
    factors: tuple[float, ...]
    changed: float | None = None

    @classmethod
    def of(cls, values: Floats, roles: Sequence[Role], named: str, window_steps: int) -> "Regimes | None":
        """From the rows of training, (steps, roles) with NaN rows; None where nothing was named or found.

        Raises:
            UnusableInput: the named role is no input, or has no levels that it stays at.
        """
        if not named:
            return None
        rows = values[present(values)]
        names = [role.name for role in roles]
        if named != FOUND and named not in names:
            raise UnusableInput(named, "it is to say the operating regime, and is no input of the model", mend=MEND)
        chosen = [column for column in range(len(names)) if _holds(rows[:, column])]
        found = _regimes(rows, chosen if named == FOUND else [names.index(named)], window_steps)
        if found is None and named != FOUND:
            raise UnusableInput(named, "its values are no levels that the machine stays at", mend=MEND)
        return found

    def states(self, windows: Floats) -> States:
        """Windows of shape (n, steps, roles) -> state of each."""
        return _state(self._labels(windows))

    def series_states(self, values: Floats, window_steps: int) -> States:
        """State of the window that ends at each row of a series; UNSEEN where there is none."""
        labels = np.where(present(values), self._labels(values), UNSEEN)
        found = np.full(len(values), UNSEEN)
        if len(values) >= window_steps:
            found[window_steps - 1 :] = _state(np.lib.stride_tricks.sliding_window_view(labels, window_steps))
        return found

    def divisors(self, states: States) -> Floats:
        """What the distance in each state is divided by; infinite where it is not judged."""
        known = np.append(self.factors, [np.inf, np.inf if self.changed is None else self.changed])
        return np.asarray(known[states])  # CHANGED is -1: the last; UNSEEN is -2: the one before

    def with_factors(self, states: States, distances: Floats) -> "Regimes":
        """With the factors that distances of normal time, NaN where not scored, tell."""
        finite = np.isfinite(distances)
        within = finite & (states >= 0)
        if not within.any():
            return self
        overall = float(np.quantile(distances[within], QUANTILE))
        factors = []
        for number in range(len(self.centres)):
            own = distances[finite & (states == number)]
            share = float(np.quantile(own, QUANTILE)) / overall if len(own) >= 1.0 / (1.0 - QUANTILE) else 1.0
            factors.append(float(np.clip(share, SMALLEST, LARGEST)))
        inside = finite & (states == CHANGED)
        changes = int((np.diff(inside.astype(np.int8), prepend=0) == 1).sum())
        enough = changes >= FEWEST_CHANGES
        changed = float(np.clip(distances[inside].max() / overall, 1.0, LARGEST)) if enough else None
        return replace(self, factors=tuple(factors), changed=changed)

    def divided(self, distances: Floats, values: Floats, window_steps: int) -> Floats:
        """Distances of the windows of a series in units of what is usual in their states; NaN where not judged."""
        divisors = self.divisors(self.series_states(values, window_steps))
        return np.where(np.isfinite(divisors), distances / divisors, np.nan)

    def unjudged(self, windows: Floats) -> list[str]:
        """For each window, why it is not judged, "" where it is."""
        states = self.states(windows)
        missed = np.isinf(self.divisors(states))
        return [(NEW if state == UNSEEN else CHANGE) if one else "" for state, one in zip(states, missed, strict=True)]

    def to_json(self) -> dict[str, Any]:
        """JSON values."""
        return {name: getattr(self, name) for name in ("columns", "centres", "tolerance", "factors", "changed")}

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Regimes":
        """The inverse of `to_json`, also after JSON made lists of tuples."""
        tuples = {name: tuple(said[name]) for name in ("columns", "tolerance", "factors")}
        return cls(**tuples, centres=tuple(map(tuple, said["centres"])), changed=said["changed"])

    def _labels(self, values: Floats) -> States:
        """Number of the regime of each step, (..., roles) -> (...); UNSEEN where it is in none."""
        own, tolerance = values[..., list(self.columns)], np.array(self.tolerance)
        found = np.full(own.shape[:-1], UNSEEN)
        for number, centre in enumerate(self.centres):
            found[(np.abs(own - np.array(centre)) <= tolerance).all(axis=-1)] = number
        return found


def _state(labels: States) -> States:
    """(n, steps) -> (n,)."""
    last = labels[:, -1]
    return np.where(last == UNSEEN, UNSEEN, np.where((labels == last[:, None]).all(axis=1), last, CHANGED))


def _holds(column: Floats) -> bool:
    return bool((np.diff(column) == 0.0).mean() >= HELD and np.ptp(column) > 0.0)


def _regimes(rows: Floats, columns: Sequence[int], window_steps: int) -> Regimes | None:
    ranges = np.ptp(rows[:, list(columns)], axis=0)
    groups = [_groups(rows[:, column]) for column in columns]
    widest = np.array([max((high - low for low, high in one), default=0.0) for one in groups])
    if not columns or any(len(one) > MOST for one in groups) or (widest > WIDEST * ranges).any():
        return None
    starts = [np.array([low for low, _ in one]) for one in groups]
    codes = np.column_stack(
        [np.searchsorted(one, rows[:, column], side="right") - 1 for column, one in zip(columns, starts, strict=True)]
    )
    found, counts = np.unique(codes, axis=0, return_counts=True)
    kept = found[counts >= window_steps]
    if not 2 <= len(kept) <= MOST or counts[counts >= window_steps].sum() < COVERED * len(rows):
        return None
    centres = tuple(tuple(sum(groups[k][code]) / 2.0 for k, code in enumerate(one)) for one in kept)
    tolerance = tuple((np.maximum(widest, GAP * ranges) / 2.0 * (1.0 + 1e-9)).tolist())
    return Regimes(tuple(columns), centres, tolerance, (1.0,) * len(kept))


def _groups(column: Floats) -> list[tuple[float, float]]:
    """Lowest and highest value of each group of values, with gaps between the groups."""
    ordered = np.unique(column)
    parts = np.split(ordered, np.flatnonzero(np.diff(ordered) > GAP * np.ptp(ordered)) + 1)
    return [(float(part[0]), float(part[-1])) for part in parts]

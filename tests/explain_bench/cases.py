"""What is explained: windows above the limit of a trained health model, and the roles that are to blame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from tagsight_models.delays import activations
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.jobs import train
from tagsight_models.training_data import TrainingData
from tests.accuracy.health_methods import frame_of, settings_of

TOP: Final = 3


@dataclass(frozen=True)
class Case:
    """One window with a known cause.

    Attributes:
        name: of the event, for the table that lists each.
        group: kind of fault.
        window: shape (window_steps, roles).
        truth: columns of the roles to blame; any of them counts.
        later: grid steps after the first confirmed alarm.
    """

    name: str
    group: str
    window: Floats
    truth: frozenset[int]
    later: int = 0


@dataclass(frozen=True)
class Cases:
    """Cases of one model.

    Attributes:
        model: as `tagsight train` makes it.
        normal: the rows that it learned from, shape (rows, roles of the model).
        cases: windows above the limit.
    """

    model: HealthModel
    normal: Floats
    cases: Sequence[Case]

    @cached_property
    def windows(self) -> Floats:
        """Shape (cases, window_steps, roles)."""
        return np.array([case.window for case in self.cases])

    @cached_property
    def scores(self) -> Floats:
        """As the scoring path writes them, shape (cases,)."""
        return self.model.score(self.windows)

    def of(self, chosen: Sequence[int]) -> "Cases":
        """Some of the cases."""
        return Cases(self.model, self.normal, [self.cases[number] for number in chosen])


@dataclass(frozen=True)
class Learned:
    """A health model and which columns of the data it uses."""

    model: HealthModel
    normal: Floats
    kept: list[int]
    names: list[str]

    def columns(self, names: Iterator[str] | Sequence[str]) -> frozenset[int]:
        """Columns of the model's roles of these names; what it does not use is left out."""
        return frozenset(self.names.index(name) for name in names if name in self.names)

    def score(self, values: Floats) -> Floats:
        """Of every row of a series with all columns; NaN where there is no whole window."""
        return self.model.score_of_distance(self.model.series_distance(values[:, self.kept]))

    def window(self, values: Floats, row: int) -> Floats:
        """The window that ends with this row."""
        return values[row - self.model.window_steps + 1 : row + 1, self.kept]


def learned(normal: Floats, names: Sequence[str], grid_ns: int, seed: int) -> Learned:
    """A health model by the defaults of `tagsight train`."""
    data = TrainingData(frame_of(normal, grid_ns, tuple(names)))
    model = train("health", data, settings_of(grid_ns, seed)).model
    assert isinstance(model, HealthModel)
    used = [role.name for role in model.roles]
    kept = [list(names).index(name) for name in used]
    return Learned(model, normal[:, kept], kept, used)


def first_confirmed(scores: Floats, start: int, grid_ns: int) -> int | None:
    """Row of the first alarm announced that began at `start` or later, by the delays of the model; None: none."""
    times = np.arange(len(scores) - start, dtype=np.int64) * grid_ns
    raised = activations(times, scores[start:], 1.0, settings_of(grid_ns, 0).delays)
    return start + raised[0].announced_ns // grid_ns if raised else None


def hits(contributions: Sequence[Floats], cases: Sequence[Case], top: int = TOP) -> list[bool]:
    """Whether a role to blame is among the first `top` of each case."""
    return [
        bool(case.truth & set(ranked(found)[:top].tolist())) for found, case in zip(contributions, cases, strict=True)
    ]


def ranked(contributions: Floats) -> Floats:
    """Columns, the largest contribution first; NaN last."""
    return np.argsort(-np.nan_to_num(contributions, nan=-np.inf), kind="stable")


def wilson(found: int, count: int) -> tuple[float, float]:
    """95 % interval of a share, in per cent (Wilson)."""
    if count == 0:
        return float("nan"), float("nan")
    z, share = 1.959964, found / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return 100.0 * float(middle - half), 100.0 * float(middle + half)

"""Drift: how far recent time is from everything that a model learned from, role by role. Not an alarm, a hint.

Two things can move. The inputs: the machine runs where it never did. The relations: what is left of a role when the
others are known has moved, by wear, fouling or a season. Both are given relative to a limit of 1.0.

The time of training is cut into parts as long as the time that is looked at later. How far two parts are from each
other in a role is the mean distance of their quantiles, in spreads of the training data. What counts is the distance to
the nearest part: time in a regime of which the training held a part is no drift, and time between two of them is. A
role's limit is thrice how far parts of the training usually were from all others that are not their neighbours.

A drift goes step by step, a fault comes at once: `at_once` says that most of the way was gone within the recent time.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
LOOKS: Final = 8  # of recent time, to see whether a change came at once
FEWEST: Final = 20  # moments below which nothing can be said
SUDDEN: Final = 0.7  # share of the way that is gone within two looks
STEEP: Final = 0.5  # of the drift: a role whose way within the recent time is shorter had moved before
TARGET: Final = ""
"""Name under which the drift of a model's own result stands, which is no role."""


@dataclass(frozen=True, slots=True)
class RoleReference:
    """What one role was like in the training data.

    Attributes:
        role: name.
        mean: engineering units.
        spread: standard deviation, engineering units.
        parts: for each part that stands for others like it, its quantiles in spreads from the mean.
        limit: distance to the nearest of them that is a drift of 1.0.
        residual: middle of the parts' mean residuals, half bands; None: the model expects nothing of this role.
        residual_limit: distance from it that is a drift of 1.0.
    """

    role: str
    mean: float
    spread: float
    parts: tuple[tuple[float, ...], ...]
    limit: float
    residual: float | None = None
    residual_limit: float = 1.0

    def inputs(self, values: Floats) -> float:
        """Drift of recent values, shape (moments,), engineering units."""
        found = quantiles((values - self.mean) / self.spread)
        return float(np.abs(found - np.array(self.parts)).mean(axis=1).min()) / self.limit

    def relation(self, residuals: Floats) -> float:
        """Drift of recent residuals, shape (moments,), half bands; 0 where the model expects nothing."""
        if self.residual is None or not np.isfinite(residuals).all():
            return 0.0
        return abs(float(residuals.mean()) - self.residual) / self.residual_limit


@dataclass(frozen=True, slots=True)
class DriftReference:
    """What the training data was like.

    Attributes:
        window_ns: how much recent time is compared with it: as long as its parts.
        roles: in the order of the model.
    """

    window_ns: int
    roles: tuple[RoleReference, ...]

    def to_json(self) -> dict[str, Any]:
        """For a card: lists, as JSON gives them back."""
        said: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "DriftReference":
        """The inverse of `to_json`.

        Raises:
            TypeError, KeyError: it is of another form.
        """
        roles = tuple(RoleReference(**{**one, "parts": tuple(map(tuple, one["parts"]))}) for one in said["roles"])
        return cls(int(said["window_ns"]), roles)


@dataclass(frozen=True, slots=True, eq=False)
class Recent:
    """Recent moments at which a model scored, the oldest first.

    Attributes:
        values: shape (moments, roles), engineering units, in the order of the model.
        residuals: shape (moments, roles), half bands; see `residuals_of`.
        target: shape (moments,), by how much the model's own result was off, in units of its interval; None for a
            model that learns nothing of it.
    """

    values: Floats
    residuals: Floats
    target: Floats | None = None


@dataclass(frozen=True, slots=True)
class RoleDrift:
    """How one role moved.

    Attributes:
        role: name; `TARGET` for the model's own result.
        inputs: of its values; above 1.0 the machine runs where it never did.
        relation: of what is left of it when the others are known.
        up: the values, or what is left of them, whichever moved more, are higher than they were.
        at_once: most of the way was gone within the recent time.
    """

    role: str
    inputs: float
    relation: float
    up: bool
    at_once: bool

    @property
    def size(self) -> float:
        """The larger of both."""
        return max(self.inputs, self.relation)


@dataclass(frozen=True, slots=True)
class Drift:
    """How a machine moved; the roles in the order of the model."""

    roles: tuple[RoleDrift, ...]

    @property
    def inputs(self) -> float:
        """The largest of a role."""
        return max((role.inputs for role in self.roles), default=0.0)

    @property
    def relations(self) -> float:
        """The largest of a role."""
        return max((role.relation for role in self.roles), default=0.0)

    @property
    def moved(self) -> tuple[RoleDrift, ...]:
        """Those beyond their limit, the farthest first."""
        return tuple(sorted((role for role in self.roles if role.size > 1.0), key=lambda role: -role.size))


def drift(reference: DriftReference, recent: Recent) -> Drift:
    """Of recent moments.

    Raises:
        TooLittleData: fewer moments than would do.
    """
    count = len(recent.values)
    if count < FEWEST:
        raise TooLittleData("the drift of a model: scores", count, FEWEST)
    found = [
        _moved(role, recent.values[:, column], recent.residuals[:, column])
        for column, role in enumerate(reference.roles)
    ]
    if recent.target is not None:
        off = recent.target
        mean = float(off.mean())
        found.append(RoleDrift(TARGET, 0.0, abs(mean), mean > 0.0, _at_once(off, abs(mean))))
    return Drift(tuple(found))


def quantiles(values: Floats) -> Floats:
    """Of each column, shape (quantiles, ...)."""
    return np.asarray(np.quantile(values, QUANTILES, axis=0))


def residuals_of(values: Floats, expected: Floats, half: Floats) -> Floats:
    """What is left of each role, in half bands; shapes alike. 0 where the band has no width."""
    return np.asarray(np.where(half > 0.0, (values - expected) / np.where(half > 0.0, half, 1.0), 0.0))


def even(count: int, most: int) -> Sequence[int]:
    """Numbers of at most `most` of `count` things, evenly spread."""
    return [int(one) for one in np.unique(np.linspace(0, count - 1, min(count, most)).round())] if count else []


def _moved(role: RoleReference, values: Floats, residuals: Floats) -> RoleDrift:
    inputs, relation = role.inputs(values), role.relation(residuals)
    if role.residual is None or inputs > relation:
        up = bool(np.median(values) > role.mean)
        return RoleDrift(role.role, inputs, relation, up, _at_once(values / role.spread, inputs * role.limit))
    up = bool(residuals.mean() > role.residual)
    return RoleDrift(role.role, inputs, relation, up, _at_once(residuals, relation * role.residual_limit))


def _at_once(course: Floats, moved: float) -> bool:
    """Whether most of what it `moved` was gone within two of the looks: one of them may lie across it."""
    looks = np.array([float(np.median(part)) for part in np.array_split(course, LOOKS)])
    way = float(np.ptp(looks))
    return way > STEEP * moved and float(np.abs(looks[2:] - looks[:-2]).max()) > SUDDEN * way

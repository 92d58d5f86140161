"""Slow drift, told apart from a fault: how far recent time is from the training data, role by role, over days.

Two things can move. The inputs: the machine runs elsewhere than it used to (population stability index over the tenths
of the training data). The residuals: the relations themselves have moved, by wear, fouling or a season (their mean, in
usual spreads). Both are given in units of what the parts of the training time themselves moved, so that 1.0 is as far
as the machine ever was while it was learned from.

A drift goes step by step, a fault comes at once: `suddenness` is the share of a role's largest way between two parts of
the recent time that it went within two of them.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.statistics.statistic import present

PARTS: Final = 10  # of training time, to see how far it moved by itself
LOOKS: Final = 8  # of recent time, to see whether a change came at once
TENTHS: Final = 10
FEWEST: Final = 200  # steps below which nothing can be said
LEAST_STABILITY: Final = 0.1  # an index below this is no change of the population, whatever the training was like
LEAST_RESIDUAL: Final = 0.25  # residual spreads: likewise
SUDDEN: Final = 0.7


@dataclass(frozen=True, slots=True)
class DriftReference:
    """What the training data was like; JSON values, one entry for each role.

    Attributes:
        roles: names.
        mean: engineering units.
        spread: standard deviation, engineering units.
        edges: nine limits between the tenths.
        shares: of the training data in each tenth; not all equal where a role has few different values.
        residual: mean residual, usual spreads.
        stability_usual: largest index of a part of the training time.
        residual_usual: largest distance of a part's mean residual from `residual`.
    """

    roles: tuple[str, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    edges: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]
    residual: tuple[float, ...]
    stability_usual: tuple[float, ...]
    residual_usual: tuple[float, ...]

    @classmethod
    def of(cls, model: HealthModel, values: Floats) -> "DriftReference":
        """From the rows that a model learned from, (steps, roles) with NaN rows.

        Raises:
            TooLittleData: fewer rows than would do.
        """
        rows, residuals = _counted(model, values)
        edges = np.quantile(rows, np.arange(1, TENTHS) / TENTHS, axis=0).T
        shares, level = _shares(rows, edges), residuals.mean(axis=0)
        indices = [_index(shares, _shares(part, edges)) for part in np.array_split(rows, PARTS)]
        levels = [np.abs(part.mean(axis=0) - level) for part in np.array_split(residuals, PARTS)]
        return cls(
            tuple(role.name for role in model.roles),
            _told(rows.mean(axis=0)),
            _told(rows.std(axis=0)),
            tuple(_told(one) for one in edges),
            tuple(_told(one) for one in shares),
            _told(level),
            _told(np.maximum(np.max(indices, axis=0), LEAST_STABILITY)),
            _told(np.maximum(np.max(levels, axis=0), LEAST_RESIDUAL)),
        )

    def to_json(self) -> dict[str, Any]:
        """For a card: lists, as JSON gives them back."""
        said: dict[str, Any] = json.loads(json.dumps(asdict(self)))
        return said

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "DriftReference":
        """The inverse of `to_json`, also after JSON made lists of tuples."""
        given = {name: tuple(value) for name, value in said.items()}
        return cls(**{**given, **{name: tuple(map(tuple, given[name])) for name in ("edges", "shares")}})


@dataclass(frozen=True, slots=True)
class RoleDrift:
    """How one role moved.

    Attributes:
        role: name.
        stability: population stability index against the training data; 0 is the same.
        shift: of the mean, in standard deviations of the training data.
        residual: mean residual less that of the training, usual spreads, signed.
        inputs: `stability` in units of what the training time itself moved.
        relation: size of `residual` in such units.
        suddenness: 0 step by step to 1 at once.
    """

    role: str
    stability: float
    shift: float
    residual: float
    inputs: float
    relation: float
    suddenness: float

    @property
    def kind(self) -> str:
        """`fault` or `drift` where the relation moved, `elsewhere` where only the input did, "" where neither."""
        if self.relation > 1.0:
            return "fault" if self.suddenness > SUDDEN else "drift"
        return "elsewhere" if self.inputs > 1.0 else ""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a machine moved.

    Attributes:
        inputs: the largest `inputs` of a role.
        residuals: the largest `relation` of a role: 1.0 is as far as parts of the training time ever were.
        roles: in the order of the model.
    """

    inputs: float
    residuals: float
    roles: tuple[RoleDrift, ...]

    @property
    def moved(self) -> tuple[str, ...]:
        """The roles that are farther than any part of the training time, the farthest first."""
        ranked = sorted(self.roles, key=lambda role: -max(role.relation, role.inputs))
        return tuple(role.role for role in ranked if role.kind)


def drift_facts(model: HealthModel, values: Floats) -> dict[str, Any]:
    """What a card keeps under `drift`; nothing where the training data are too few to say."""
    try:
        return {"drift": DriftReference.of(model, values).to_json()}
    except TooLittleData:
        return {}


def drift(reference: DriftReference, model: HealthModel, values: Floats) -> Drift:
    """Of recent rows, (steps, roles) with NaN rows where nothing counts: some days of them.

    Raises:
        TooLittleData: fewer rows than would do.
    """
    rows, residuals = _counted(model, values)
    edges = np.array(reference.edges)
    stability = _index(np.array(reference.shares), _shares(rows, edges))
    shift = (rows.mean(axis=0) - reference.mean) / np.maximum(reference.spread, 1e-300)
    residual = residuals.mean(axis=0) - reference.residual
    inputs, relation = stability / reference.stability_usual, np.abs(residual) / reference.residual_usual
    sudden = _suddenness(residuals)
    numbers = np.column_stack([stability, shift, residual, inputs, relation, sudden])
    roles = tuple(RoleDrift(name, *row) for name, row in zip(reference.roles, numbers.tolist(), strict=True))
    return Drift(float(inputs.max()), float(relation.max()), roles)


def _counted(model: HealthModel, values: Floats) -> tuple[Floats, Floats]:
    residuals = model.residuals(values)
    whole = present(residuals)
    if int(whole.sum()) < FEWEST:
        raise TooLittleData("the drift of a model", int(whole.sum()), FEWEST)
    return values[whole], residuals[whole]


def _shares(rows: Floats, edges: Floats) -> Floats:
    """Share of the rows in each tenth, (roles, tenths); a role with few different values fills some of them only."""
    pairs = zip(edges, rows.T, strict=True)
    counts = [np.bincount(np.searchsorted(edge, column), minlength=TENTHS) for edge, column in pairs]
    return np.asarray(np.array(counts) / len(rows))


def _index(usual: Floats, found: Floats) -> Floats:
    """Population stability index of each role; a tenth never counts as less than a thousandth."""
    one, other = np.maximum(usual, 1e-3), np.maximum(found, 1e-3)
    return np.asarray(((other - one) * np.log(other / one)).sum(axis=1))


def _suddenness(residuals: Floats) -> Floats:
    """Share of the largest way between any two looks that was gone within two looks: one may lie across it."""
    looks = np.stack([np.median(part, axis=0) for part in np.array_split(residuals, LOOKS)])
    way = np.ptp(looks, axis=0)
    return np.asarray(np.abs(looks[2:] - looks[:-2]).max(axis=0) / np.maximum(way, 1e-12))


def _told(numbers: Floats) -> tuple[float, ...]:
    return tuple(float(number) for number in numbers)

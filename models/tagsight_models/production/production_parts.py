"""Everything that a model of production consists of, and its travel as JSON values and arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from tagsight_models.frame import Floats, Role
from tagsight_models.parts import only, roles_of, said_of_roles
from tagsight_models.production.columns import Columns
from tagsight_models.production.estimate import Estimate
from tagsight_models.production.gain_error import GainError
from tagsight_models.production.limits_reached import LimitsReached
from tagsight_models.production.support import Support
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.region import Region

PLAIN = ("grid_ns", "target_name", "target_unit", "rising", "coverage", "quantile", "best_level", "limit")


@dataclass(frozen=True, slots=True, eq=False)
class ProductionParts:
    """All of it.

    Attributes:
        roles: in the order of the columns.
        grid_ns: distance of the steps.
        target_name: of what is to be raised or lowered.
        target_unit: of it.
        rising: more is better.
        coverage: of the intervals.
        adjustable: roles with their bounds.
        conditions: roles that no move changes, as configured.
        stations: with the roles that tell when they wait, in the order of flow.
        expected: the target from all inputs.
        quantile: half-width of its interval in usual errors.
        steering: the target from settings and conditions alone; None where that is `expected`.
        under: the target from the conditions alone; None where there are none.
        best_level: usual errors by which the best reached is above `under`; the best itself where that is None.
        error: of gains; None where nothing is adjustable.
        region: where settings and conditions lay in training; None where nothing is adjustable.
        support: where they lay together; None likewise.
        limits: of roles, and what is lost by them.
        limit: loss at which the score is 1.0.
        reference: shape (roles,), the median of training.
        usual: shape (2, roles), the 0.5 % and 99.5 % quantiles of training.
    """

    roles: tuple[Role, ...]
    grid_ns: int
    target_name: str
    target_unit: str
    rising: bool
    coverage: float
    adjustable: Mapping[str, tuple[float, float]]
    conditions: tuple[str, ...]
    stations: Mapping[str, tuple[str, ...]]
    expected: Estimate
    quantile: float
    steering: Estimate | None
    under: Estimate | None
    best_level: float
    error: GainError | None
    region: Region | None
    support: Support | None
    limits: LimitsReached
    limit: float
    reference: Floats
    usual: Floats

    @property
    def columns(self) -> Columns:
        """What is what."""
        names = [role.name for role in self.roles]
        waits = [role for roles in self.stations.values() for role in roles]
        return Columns.of(names, self.target_name, self.adjustable, self.conditions, waits)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {
            **{name: getattr(self, name) for name in PLAIN},
            "roles": said_of_roles(self.roles),
            "adjustable": {role: list(bounds) for role, bounds in self.adjustable.items()},
            "conditions": list(self.conditions),
            "stations": [[station, list(roles)] for station, roles in self.stations.items()],
            "expected": self.expected.description(),
            "steering": None if self.steering is None else self.steering.description(),
            "under": None if self.under is None else self.under.description(),
            "error": None if self.error is None else self.error.quantile,
            "region": None if self.region is None else self.region.limit,
            "support": None if self.support is None else self.support.limit,
        }

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        found = {"limits.at": self.limits.at, "limits.loss": self.limits.loss}
        found |= {"reference": self.reference, "usual": self.usual}
        for prefix in ("expected", "steering", "under"):
            estimate: Estimate | None = getattr(self, prefix)
            found |= {} if estimate is None else estimate.tensors(prefix)
        if self.error is not None:
            found |= {"error.levels": self.error.noise.levels, "error.sizes": self.error.noise.sizes}
        if self.region is not None:
            found |= {f"region.{name}": getattr(self.region, name) for name in _REGION}
        if self.support is not None:
            found |= {"support": self.support.rows}
        return found

    @classmethod
    def from_parts(cls, said: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse; ValueError or KeyError where something does not fit."""
        steering, under = (
            None if said[name] is None else Estimate.from_parts(said[name], name, tensors)
            for name in ("steering", "under")
        )
        region, error = None, None
        if said["region"] is not None:
            centre, scale, whitening = (tensors[f"region.{name}"] for name in _REGION)
            region = Region(centre, scale, whitening, said["region"])
        if said["error"] is not None:
            error = GainError(NoiseLevel(tensors["error.levels"], tensors["error.sizes"]), said["error"])
        made = cls(
            roles=roles_of(said["roles"]),
            adjustable={role: (low, high) for role, (low, high) in said["adjustable"].items()},
            conditions=tuple(said["conditions"]),
            stations={station: tuple(roles) for station, roles in said["stations"]},
            expected=Estimate.from_parts(said["expected"], "expected", tensors),
            error=error,
            region=region,
            support=None if said["support"] is None else Support(tensors["support"], said["support"]),
            limits=LimitsReached(tensors["limits.at"], tensors["limits.loss"]),
            reference=tensors["reference"],
            usual=tensors["usual"],
            steering=steering,
            under=under,
            **{name: said[name] for name in PLAIN},
        )
        made.check(tensors)
        return made

    def check(self, tensors: Mapping[str, Floats]) -> None:
        """Raise ValueError where parts do not fit each other."""
        only(self.tensors(), tensors)
        count, columns = len(self.roles), self.columns
        steering = self.expected if self.steering is None else self.steering
        fits = [
            self.reference.shape == (count,),
            all(array.shape == (2, count) for array in (self.usual, self.limits.at, self.limits.loss)),
            self.expected.columns == columns.seen,
            self.under is None or self.under.columns == columns.conditions,
            self.region is None or self.region.whitening.shape == (len(columns.steering),) * 2,
            self.support is None or self.support.rows.shape[1:] == (len(columns.steering),),
            (self.region is None) == (self.support is None),
            bool(self.adjustable) == (self.region is not None) == (self.error is not None),
            not self.adjustable or steering.columns == columns.steering,
            self.limit > 0.0,
        ]
        if not all(fits):
            msg = "parts that do not fit each other"
            raise ValueError(msg)


_REGION = ("centre", "scale", "whitening")

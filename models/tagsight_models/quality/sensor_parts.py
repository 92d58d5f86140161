"""Everything that a soft sensor consists of, and its travel as JSON values and arrays."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from tagsight_models.frame import Floats, Role
from tagsight_models.parts import only, roles_of, said_of_roles
from tagsight_models.quality.limits import Limits
from tagsight_models.quality.residual_field import USUAL, ResidualField
from tagsight_models.regression.noise_level import NoiseLevel
from tagsight_models.regression.region import Region
from tagsight_models.regression.regressor import Regressor

PLAIN = ("grid_ns", "delay_steps", "lab_every_ns", "target_name", "target_unit", "coverage")
NUMBERS = ("quantile_alone", "quantile_following", "widening")


@dataclass(frozen=True, slots=True, eq=False)
class SensorParts:
    """All of it.

    Attributes:
        roles: in the order of the columns.
        grid_ns: distance of the steps.
        lengths: of the means that the regression sees; the last is its lookback.
        delay_steps: how much later than the inputs the sample shows what they did.
        lab_every_ns: unit of time of the field.
        target_name: of the laboratory value.
        target_unit: of it.
        coverage: of the interval.
        adjustable: roles with their bounds.
        limits: of the target.
        regressor: gives predictions.
        noise: usual error against the prediction.
        field: of the errors.
        region: where the training data lies.
        usual: shape (2, roles): the 0.5 % and 99.5 % quantiles of the inputs.
        quantile_alone: half-width of the interval in spreads where no laboratory value is known.
        quantile_following: the same where there are some, before any of them moves it.
        widening: of the half-width, for samples at all times of the day.
    """

    roles: tuple[Role, ...]
    grid_ns: int
    lengths: tuple[int, ...]
    delay_steps: int
    lab_every_ns: int
    target_name: str
    target_unit: str
    coverage: float
    adjustable: Mapping[str, tuple[float, float]]
    limits: Limits
    regressor: Regressor
    noise: NoiseLevel
    field: ResidualField
    region: Region
    usual: Floats
    quantile_alone: float
    quantile_following: float
    widening: float

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {
            **{name: getattr(self, name) for name in (*PLAIN, *NUMBERS)},
            "roles": said_of_roles(self.roles),
            "lengths": list(self.lengths),
            "adjustable": {role: list(bounds) for role, bounds in self.adjustable.items()},
            "limits": asdict(self.limits),
            "region": self.region.limit,
            "regressor": self.regressor.description(),
        }

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        return {f"regressor.{name}": array for name, array in self.regressor.tensors().items()} | {
            "noise.levels": self.noise.levels,
            "noise.sizes": self.noise.sizes,
            "field": self.field.logs,
            "region.centre": self.region.centre,
            "region.scale": self.region.scale,
            "region.whitening": self.region.whitening,
            "usual": self.usual,
        }

    @classmethod
    def from_parts(cls, said: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse; ValueError or KeyError where something does not fit."""
        own = {
            name.removeprefix("regressor."): array for name, array in tensors.items() if name.startswith("regressor.")
        }
        roles, count = roles_of(said["roles"]), len(said["roles"])
        for name, shape in _shapes(count).items():
            if tensors[name].shape != shape:
                msg = f"shape of {name}"
                raise ValueError(msg)
        region = Region(
            tensors["region.centre"], tensors["region.scale"], tensors["region.whitening"], float(said["region"])
        )
        made = cls(
            roles=roles,
            lengths=tuple(said["lengths"]),
            adjustable={role: (low, high) for role, (low, high) in said["adjustable"].items()},
            limits=Limits(**said["limits"]),
            regressor=Regressor.from_parts(said["regressor"], own),
            noise=NoiseLevel(tensors["noise.levels"], tensors["noise.sizes"]),
            field=ResidualField(tensors["field"]),
            region=region,
            usual=tensors["usual"],
            **{name: said[name] for name in (*PLAIN, *NUMBERS)},
        )
        made.check(tensors)
        return made

    def check(self, tensors: Mapping[str, Floats]) -> None:
        """Raise ValueError where parts do not fit each other."""
        only(self.tensors(), tensors)
        fits = len(self.regressor.centre) == len(self.roles) * len(self.lengths)
        if not fits or self.noise.levels.shape != self.noise.sizes.shape or self.lab_every_ns <= 0:
            msg = "parts that do not fit each other"
            raise ValueError(msg)


def _shapes(roles: int) -> dict[str, tuple[int, ...]]:
    row = (roles,)
    return {
        "field": USUAL.shape,
        "region.centre": row,
        "region.scale": row,
        "region.whitening": (roles, roles),
        "usual": (2, roles),
    }


def usual_range(rows: Floats) -> Floats:
    """The 0.5 % and 99.5 % quantiles of rows (n, roles), shape (2, roles)."""
    return np.asarray(np.quantile(rows, [0.005, 0.995], axis=0))

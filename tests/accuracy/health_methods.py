"""The methods of the health suites: TagSight's model as `tagsight train` makes it, and the baselines, limits alike."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.calibration import calibrate
from tagsight_models.card_writing import Origin
from tagsight_models.delays import Delays, activations
from tagsight_models.frame import Flags, Floats, Frame, Role
from tagsight_models.health import HealthModel
from tagsight_models.health_training import train_health
from tagsight_models.reasons import Reason
from tagsight_models.statistics.cva import Cva
from tagsight_models.statistics.ewma import Smoothed
from tagsight_models.statistics.largest_z import LargestZ
from tagsight_models.statistics.mahalanobis import Mahalanobis
from tagsight_models.statistics.out_of_fold import out_of_fold
from tagsight_models.statistics.pca import PcaSpe
from tagsight_models.statistics.statistic import Fit, Statistic
from tagsight_models.training import silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.accuracy.dpca import DpcaSpe

OURS: Final = "TagSight"
SECOND: Final = 1_000_000_000
DELAY_STEPS: Final = 2  # an alarm is announced, and cleared, when the score has stayed there for two intervals
BUDGET_ROWS: Final = 7200  # rows in which one false activation is allowed: 5 days at 1 minute, 15 at 3 minutes
MONTH_NS: Final = 30 * 86400 * SECOND


def _ewma_cva(values: Floats) -> Statistic:
    return Smoothed(Cva.fit(values), 0.1)


def _ewma_mahalanobis(values: Floats) -> Statistic:
    return Smoothed(Mahalanobis.fit(values), 0.2)


BASELINES: Final[Mapping[str, Fit]] = {
    "EWMA(0.1) of CVA Tr2": _ewma_cva,
    "CVA Tr2": Cva.fit,
    "EWMA(0.2) of Mahalanobis": _ewma_mahalanobis,
    "DPCA-SPE": DpcaSpe.fit,
    "PCA-SPE": PcaSpe.fit,
    "smoothed largest z": LargestZ.fit,
}


@dataclass(frozen=True, slots=True)
class Method:
    """A fitted method: a causal number for each row of a series (NaN: not scored), above 1 where it is abnormal."""

    name: str
    rows: Callable[[Floats], Floats]

    def flags(self, values: Floats) -> Flags:
        """Which rows are abnormal."""
        return np.asarray(self.rows(values) > 1.0, dtype=np.bool_)

    def with_limit(self, limit: float) -> "Method":
        """The same with another limit, in units of the present one."""
        return Method(self.name, lambda values: self.rows(values) / limit)


def settings_of(grid_ns: int, seed: int) -> TrainingSettings:
    """The defaults of `tagsight train`, with time counted in rows: scored at every row, a budget for 7200 of them."""
    delays = Delays(DELAY_STEPS * grid_ns, DELAY_STEPS * grid_ns)
    return TrainingSettings(
        at_most=1.0, per_ns=BUDGET_ROWS * grid_ns, delays=delays, every_ns=grid_ns, seed=seed, drop_constant=True
    )


def tagsight(normal: Floats, grid_ns: int, seed: int) -> Method:
    """TagSight's health model."""
    frame = frame_of(normal, grid_ns)
    model = train_health(TrainingData(frame), settings_of(grid_ns, seed), Origin({}, {}), silent).model
    if not isinstance(model, HealthModel):
        raise TypeError(type(model))
    names = [role.name for role in frame.roles]
    kept = [names.index(role.name) for role in model.roles]
    return Method(OURS, lambda values: model.score_of_distance(model.series_distance(values[:, kept])))


def baselines(normal: Floats, share: float = 0.99, factor: float = 1.0) -> Iterator[Method]:
    """Fitted to all normal rows; limit: a multiple of a quantile of five blocked folds."""
    for name, fit in BASELINES.items():
        limit = factor * float(np.nanquantile(out_of_fold(fit, normal), share))
        yield Method(name, _divided(fit(normal), limit))


def budgeted(normal: Floats, grid_ns: int) -> Iterator[Method]:
    """The baselines with limits by the rule of ours: the same budget, from five blocked folds."""
    times = np.arange(1, len(normal) + 1, dtype=np.int64) * grid_ns
    alarming = settings_of(grid_ns, 0).alarming(grid_ns)
    for name, fit in BASELINES.items():
        limit = calibrate(times, np.sqrt(out_of_fold(fit, normal)), alarming).value
        yield Method(name, _divided(fit(normal), limit**2))


def _divided(statistic: Statistic, limit: float) -> Callable[[Floats], Floats]:
    return lambda values: np.asarray(statistic.rows(values) / limit)


def frame_of(values: Floats, grid_ns: int, names: tuple[str, ...] = ()) -> Frame:
    """Every sample used that is a number."""
    times = np.arange(1, len(values) + 1, dtype=np.int64) * grid_ns
    roles = tuple(Role(name) for name in names or [f"tag{number:03d}" for number in range(values.shape[1])])
    reasons = np.where(np.isfinite(values), Reason.USED, Reason.GAP).astype(np.uint8)
    return Frame(times, values, reasons, np.zeros(values.shape, np.bool_), roles, grid_ns)


def raised(rows: Floats, grid_ns: int) -> int:
    """Activations at the configured delay."""
    times = np.arange(1, len(rows) + 1, dtype=np.int64) * grid_ns
    return len(activations(times, rows, 1.0, Delays(DELAY_STEPS * grid_ns, DELAY_STEPS * grid_ns)))


def per_month(count: float, steps: int, grid_ns: int) -> float:
    """Activations per 30 days."""
    return count * MONTH_NS / (steps * grid_ns)

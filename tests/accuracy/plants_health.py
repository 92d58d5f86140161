"""Health on drawn plants with grades, drift and decay, where linear statistics must fail."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tagsight_models.delays import Activation, Delays, activations
from tagsight_models.frame import Floats, Times
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.drawn_plants import GRID_MINUTES, PLANTS, DrawnPlant, drawn
from tests.accuracy.health_methods import DELAY_STEPS, OURS, SECOND, Method, budgeted, per_month, tagsight
from tests.accuracy.result import Result, Suite

GRID: Final = GRID_MINUTES * 60 * SECOND


@dataclass
class Tally:
    """What one method did over all plants."""

    delays: list[float] = field(default_factory=list)
    shares: list[float] = field(default_factory=list)
    wrong: int = 0
    wrong_rows: int = 0
    at_changes: int = 0
    changes: int = 0
    rows: int = 0

    def add(self, method: Method, plant: DrawnPlant) -> None:
        """Count one plant: normal time after what was learned, and a day of its fault."""
        normal = method.rows(plant.normal)[plant.learned :]
        changing = plant.changing[plant.learned :]
        raised = _raised(normal)
        self.wrong += len(raised)
        self.wrong_rows += int((normal > 1.0).sum())
        self.rows += len(normal)
        self.at_changes += sum(bool(changing[_row(one.since_ns)]) for one in raised)
        self.changes += int((np.diff(changing.astype(np.int8)) > 0).sum())
        if plant.detectable:
            faulty = method.rows(plant.faulty)[plant.onset :]
            found = _raised(faulty)
            self.delays.append(_row(found[0].announced_ns) * GRID / (60 * SECOND) if found else float("inf"))
            self.shares.append(float((faulty > 1.0).mean()))

    def metrics(self) -> dict[str, float]:
        """Of all plants."""
        found = np.isfinite(self.delays)
        return {
            "events found, %": 100.0 * float(found.mean()),
            "events missed": float((~found).sum()),
            "events": float(len(found)),
            "rows of the first day found, %": 100.0 * float(np.mean(self.shares)),
            "median delay, min": float(np.median(np.where(found, self.delays, 1440.0))),
            "activations per 30 days": per_month(self.wrong, self.rows, GRID),
            "rows false, %": 100.0 * self.wrong_rows / self.rows,
            "activations per 100 changes of grade": 100.0 * self.at_changes / max(self.changes, 1),
        }


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Ours for every seed, the baselines once, over forty plants."""
    return measured(PLANTS, seeds)


def measured(count: int, seeds: Sequence[int]) -> list[Result]:
    """Over so many plants."""
    tallies: dict[str, list[Tally]] = {}
    for plant in drawn(count):
        for number, method in _methods(plant.normal[: plant.learned], seeds):
            kept = tallies.setdefault(method.name, [])
            if number == len(kept):
                kept.append(Tally())
            kept[number].add(method, plant)
    return [_result(name, kept) for name, kept in tallies.items()]


def _methods(learned: Floats, seeds: Sequence[int]) -> Iterator[tuple[int, Method]]:
    for number, seed in enumerate(seeds):
        yield number, tagsight(learned, GRID, seed)
    for method in budgeted(learned, GRID):
        yield 0, method


def _result(name: str, tallies: Sequence[Tally]) -> Result:
    found = [tally.metrics() for tally in tallies]
    return Result("drawn plants", name, name == OURS, {metric: [one[metric] for one in found] for metric in found[0]})


def _raised(rows: Floats) -> list[Activation]:
    times: Times = np.arange(len(rows), dtype=np.int64) * GRID
    return activations(times, rows, 1.0, Delays(DELAY_STEPS * GRID, DELAY_STEPS * GRID))


def _row(time_ns: int) -> int:
    return time_ns // GRID


SUITE: Final = Suite(
    name="plants-health",
    job="health",
    protocol=(
        "Forty plants drawn with homeostat: a flow into a heat exchanger and a reactor, three grades that follow each "
        "other every few hours, inlet temperatures that drift for days, a catalyst that decays; rows of 2 minutes. "
        "Trained on the first four days, in which every change of grade is seen; the next two days without a fault "
        "give the false alarms, and the same day with one the events. Every plant has one fault, of any kind of the "
        "catalogue in any loop; those that homeostat's labels call detectable count. All limits are for one activation "
        "in 7200 rows (10 days), from five blocked folds; delay until the alarm is announced, a day where it is not."
    ),
    needs=(),
    run=run,
    aims={"events found, %": "ahead of the best baseline", "activations per 100 changes of grade": "0"},
)

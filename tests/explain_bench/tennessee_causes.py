"""Root cause and deletion on the Tennessee Eastman process, where faults spread over the plant."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite
from tests.explain_bench.cases import TOP, Cases, hits, ranked
from tests.explain_bench.deletion import RANDOM, area, random_rankings
from tests.explain_bench.methods import OURS, all_methods
from tests.explain_bench.tennessee import LATER, tennessee_cases

EVALUATIONS: Final = 640
"""For each explanation, whatever the value function: a sixth of the default, for the sake of time."""
EACH: Final = "Tennessee Eastman, each fault by TagSight (1: a role to blame is among the first three)"


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Every method on the same windows, for each seed of the training."""
    plants = [tennessee_cases(data, seed) for seed in seeds]
    found = [all_methods(plant, EVALUATIONS) for plant in plants]
    return [*_causes(plants, found), *_each(plants[0], found[0][OURS]), *_deleted(plants, found)]


def _causes(plants: Sequence[Cases], found: Sequence[Mapping[str, list[Floats]]]) -> Iterator[Result]:
    for name in found[0]:
        counted = [_counted(plant, method[name]) for plant, method in zip(plants, found, strict=True)]
        metrics = {metric: [one[metric] for one in counted] for metric in counted[0]}
        yield Result("Tennessee Eastman, faults of 11 with a role to blame in the top 3", name, name == OURS, metrics)


def _counted(plant: Cases, numbers: Sequence[Floats]) -> dict[str, float]:
    hit = {(case.group, case.later): one for case, one in zip(plant.cases, hits(numbers, plant.cases), strict=True)}
    faults = sorted({case.group for case in plant.cases})
    first = hits(numbers, plant.cases, 1)
    return {
        "at the alarm or 10 rows later": float(sum(hit[fault, 0] or hit[fault, 10] for fault in faults)),
        "at the alarm": float(sum(hit[fault, 0] for fault in faults)),
        "10 rows later": float(sum(hit[fault, 10] for fault in faults)),
        "30 rows later": float(sum(hit[fault, 30] for fault in faults)),
        "first of all, 10 rows later": float(
            sum(one for one, case in zip(first, plant.cases, strict=True) if case.later == 10)
        ),
        "faults read": float(len(faults)),
    }


def _each(plant: Cases, numbers: Sequence[Floats]) -> Iterator[Result]:
    names = [role.name for role in plant.model.roles]
    said = hits(numbers, plant.cases)
    for fault in sorted({case.group for case in plant.cases}):
        rows = [number for number, case in enumerate(plant.cases) if case.group == fault]
        top = {
            plant.cases[row].later: ", ".join(names[column] for column in ranked(numbers[row])[:TOP]) for row in rows
        }
        metrics = {f"{later} rows after the alarm": [float(said[row])] for later, row in zip(LATER, rows, strict=True)}
        note = "; ".join(
            f"{later} rows later {words}" if later else f"at the alarm {words}" for later, words in top.items()
        )
        yield Result(EACH, f"fault {fault}", True, metrics, note)


def _deleted(plants: Sequence[Cases], found: Sequence[Mapping[str, list[Floats]]]) -> Iterator[Result]:
    """Ten rows after the alarm, when a fault has spread."""
    chosen = [[number for number, case in enumerate(plant.cases) if case.later == 10] for plant in plants]
    data = "Tennessee Eastman, area under the deletion curve (smaller is better)"
    for name in found[0]:
        areas = [
            area(plant.of(rows), [method[name][row] for row in rows])
            for plant, method, rows in zip(plants, found, chosen, strict=True)
        ]
        yield Result(data, name, name == OURS, {"area": areas})
    random = [
        float(np.mean([area(plant.of(rows), random_rankings(plant.of(rows), number)) for number in range(RANDOM)]))
        for plant, rows in zip(plants, chosen, strict=True)
    ]
    yield Result(data, "random", False, {"area": random})


SUITE: Final = Suite(
    name="tennessee",
    job="Root cause and deletion: Tennessee Eastman",
    protocol=(
        "A health model by the defaults of `tagsight train` learns from `d00`. Each fault with a known cause is read "
        "at the first alarm that is confirmed by the model's delays after its onset, and 10 and 30 rows later. Faults "
        "04, 07 and 11 come from their training files after 60 rows of `d00_te`; the 10 rows after that seam raise no "
        "alarm. Any role of the truth counts. "
        f"Each explanation may ask for {EVALUATIONS} evaluations. Settings were chosen on other data "
        "(single-faults); these files confirm. "
        "Deletion: 1, 2, 3, 5, 8, 12 roles restored to what the model's network expects of them from the others, 10 "
        "rows after the alarm."
    ),
    needs=("tep/d00.csv", "tep/d00_te.csv"),
    run=run,
    aims={"at the alarm or 10 rows later": ">= 9"},
)

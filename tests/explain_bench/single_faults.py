"""Root cause, deletion and stability on faults of one tag and of one loop, in drawn plants."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite
from tests.explain_bench.cases import TOP, Case, Cases, hits, ranked, wilson
from tests.explain_bench.deletion import imputed, random_rankings, restored
from tests.explain_bench.loops import plant_cases
from tests.explain_bench.methods import OURS, all_methods, ours

EVALUATIONS: Final = 600
"""For each explanation, whatever the value function: a seventh of the default, for the sake of time."""
DELETION: Final = "Deletion: score below the limit once the top 3 are as expected"
STABILITY: Final = "Stability: half as much sensor noise added as each role has from step to step"
REPLACED: Final = {"imputed": imputed, "by the network": restored}
NOISE: Final = 0.5
"""Added sensor noise, in shares of the noise that each role has from step to step in normal time."""
STABLE_WINDOWS: Final = 1000


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Each seed is a plant of its own."""
    plants = [plant_cases(seed) for seed in seeds]
    found = [all_methods(plant, EVALUATIONS) for plant in plants]
    return [*_causes(plants, found), *_deleted(plants, found), _stable(plants)]


def _causes(plants: Sequence[Cases], found: Sequence[Mapping[str, list[Floats]]]) -> Iterator[Result]:
    cases = [case for plant in plants for case in plant.cases]
    events = np.array([case.group.startswith("event") for case in cases])
    for name in found[0]:
        numbers = [one for method in found for one in method[name]]
        top, first = np.array(hits(numbers, cases, TOP)), np.array(hits(numbers, cases, 1))
        low, high = wilson(int(top.sum()), len(top))
        metrics = {
            "in the top 3, %": [_share(top)],
            "from": [low],
            "to": [high],
            "first, %": [_share(first)],
            "events in a loop: top 3, %": [_share(top[events])],
            "first, %, of events": [_share(first[events])],
            "faults of one tag: top 3, %": [_share(top[~events])],
            "first, %, of tags": [_share(first[~events])],
            "cases": [float(len(cases))],
        }
        yield Result("Root cause: one tag or one loop", name, name == OURS, metrics, _by_kind(cases, top, name))
    yield _chance(plants)


def _by_kind(cases: Sequence[Case], top: Floats, name: str) -> str:
    if name != OURS:
        return ""
    groups = dict.fromkeys(case.group for case in cases)
    counted = {group: [hit for hit, case in zip(top, cases, strict=True) if case.group == group] for group in groups}
    return "; ".join(f"{group} {sum(counted[group])} of {len(counted[group])}" for group in sorted(groups))


def _chance(plants: Sequence[Cases]) -> Result:
    """Three roles drawn at random."""
    missed = []
    for plant in plants:
        roles = len(plant.model.roles)
        for case in plant.cases:
            others = roles - len(case.truth)
            missed.append(np.prod([(others - drawn) / (roles - drawn) for drawn in range(TOP)]))
    return Result(
        "Root cause: one tag or one loop",
        "three roles at random",
        False,
        {"in the top 3, %": [100.0 * (1.0 - float(np.mean(missed)))]},
    )


def _deleted(plants: Sequence[Cases], found: Sequence[Mapping[str, list[Floats]]]) -> Iterator[Result]:
    random = [random_rankings(plant, number) for number, plant in enumerate(plants)]
    rankings = {name: [method[name] for method in found] for name in found[0]} | {"random": random}
    for name, each in rankings.items():
        metrics: dict[str, list[float]] = {}
        for how, replaced in REPLACED.items():
            below = np.concatenate([replaced(plant, one) < 1.0 for plant, one in zip(plants, each, strict=True)])
            low, high = wilson(int(below.sum()), len(below))
            metrics |= {f"below the limit, {how}, %": [_share(below)], f"from ({how})": [low], f"to ({how})": [high]}
        yield Result(DELETION, name, name == OURS, metrics)


def _stable(plants: Sequence[Cases]) -> Result:
    """Every case in several copies with noise added."""
    copies = -(-STABLE_WINDOWS // sum(len(plant.cases) for plant in plants))
    same = [hit for number, plant in enumerate(plants) for hit in _same_top(plant, copies, number)][:STABLE_WINDOWS]
    low, high = wilson(sum(same), len(same))
    metrics = {
        "same first role, %": [_share(np.array(same))],
        "from": [low],
        "to": [high],
        "windows": [float(len(same))],
    }
    return Result(STABILITY, OURS, True, metrics)


def _same_top(plant: Cases, copies: int, seed: int) -> Iterator[bool]:
    random = np.random.default_rng(seed)
    noise = NOISE * 1.4826 * np.median(np.abs(np.diff(plant.normal, axis=0)), axis=0) / np.sqrt(2.0)
    before = [ranked(one)[0] for one in ours(plant, evaluations=EVALUATIONS)]
    for _ in range(copies):
        noisy = [
            Case(case.name, case.group, case.window + noise * random.normal(size=case.window.shape), case.truth)
            for case in plant.cases
        ]
        after = ours(Cases(plant.model, plant.normal, noisy), evaluations=EVALUATIONS)
        yield from (ranked(one)[0] == first for one, first in zip(after, before, strict=True))


def _share(flags: Floats) -> float:
    return 100.0 * float(np.mean(flags)) if len(flags) else float("nan")


SUITE: Final = Suite(
    name="single-faults",
    job="Root cause, deletion, stability: faults of one tag or one loop",
    protocol=(
        "Plants of eight loops by `homeostat`, one for each seed, three loads that change every few hours. A health "
        "model by the defaults of `tagsight train` learns from three days of one episode. Events: one of 46 faults "
        "of sensors, valves and heating surfaces in one loop, each in an episode of its own, read at the first "
        "confirmed alarm; to blame is any tag of the loop. Faults of one tag: bias, drift, stuck, noise of 4 and 8 "
        "spreads injected into normal time, read 8 to 55 steps later; to blame is the tag. Windows above the limit "
        f"alone count. Each explanation may ask for {EVALUATIONS} evaluations. This is the set that the "
        "value function was chosen on. Rivals see the same windows, learn from the same rows, and are read at the "
        "last row and as the mean of ten. Deletion: the top 3 are replaced by what the present roles make expect of "
        "them, as explanations impute absent ones and as operators are told (imputed), or by what the model's network "
        "expects of them, step by step."
    ),
    needs=(),
    run=run,
    aims={
        "in the top 3, %": ">= 90",
        "below the limit, imputed, %": ">= 80",
        "same first role, %": ">= 95",
    },
)

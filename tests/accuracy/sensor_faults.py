"""Sensor faults told apart from process faults: how many are named rightly, how often a process fault is called one.

Windows above the alarm limit alone are judged, since only they are shown to anybody.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import homeostat
import numpy as np

from tagsight.demo import make_plant
from tagsight_models.estimates import expected_everywhere
from tagsight_models.faults import KINDS, InjectedFault, drawn_faults, inject
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.jobs import train
from tagsight_models.sensor_fault import sensor_faults
from tagsight_models.training_data import TrainingData
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.health_methods import OURS, SECOND, frame_of, settings_of
from tests.accuracy.result import Result, Suite
from tests.accuracy.tep_health import GRID, ONSET, rows_of

BASELINE: Final = "one role has half of the squared residuals"
SIZES: Final = (3.0, 6.0, 12.0)
DRAWN: Final = 192
DAY: Final = 1440
LEARNED: Final = 5 * DAY
AFTER: Final = (10, 30, 60, 120, 360)  # minutes after a process fault
EPISODES: Final[Sequence[dict[str, Any]]] = (
    {"target": "TIC-201", "fault": "fouling", "magnitude": 0.7},
    {"target": "TIC-202", "fault": "fouling", "magnitude": 0.8},
    {"target": "FIC-101", "fault": "valve_stiction", "magnitude": 6.0},
    {"target": "TIC-202", "fault": "valve_stiction", "magnitude": 6.0},
    {"target": "FIC-101", "fault": "valve_stuck"},
    {"target": "FIC-103", "fault": "valve_stuck"},
    {"target": "TIC-201", "fault": "valve_stuck"},
    {"target": "LIC-102", "fault": "valve_stuck"},
)


@dataclass(frozen=True, slots=True)
class Judged:
    """One window above the limit.

    Attributes:
        group: which fault was in it.
        root: column of the faulty sensor, -1 for a fault of the process or of several roles.
        column: column that was blamed, -1 for none.
        proven: the blamed one behaves as a sensor alone does.
    """

    group: str
    root: int
    column: int
    proven: bool


def run(data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """Ours and the baseline on the same windows."""
    found: list[Result] = []
    if data.matching("tep/d00.csv"):
        found += _results("Tennessee Eastman", [_tennessee(data, seed) for seed in seeds])
    return found + _results("homeostat, five loops", [_loops(seed) for seed in seeds])


def _tennessee(data: DataFolder, seed: int) -> tuple[list[Judged], list[Judged]]:
    model = _trained(rows_of(data, "tep/d00.csv", "train"), GRID, seed)
    normal = rows_of(data, "tep/d00_te.csv", "test")
    tests = [name for name in data.matching("tep/d[0-9][0-9]_te.csv") if name != "tep/d00_te.csv"]
    windows = list(_injected(model, normal, seed))
    for name in tests:
        rows = rows_of(data, name, "test")
        ends = range(ONSET + model.window_steps, len(rows) + 1, model.window_steps)
        windows += [("process", -1, rows[end - model.window_steps : end]) for end in ends]
    return _both(model, windows)


def _loops(seed: int) -> tuple[list[Judged], list[Judged]]:
    normal = _recorded(seed, [])
    model = _trained(normal[:LEARNED], 60 * SECOND, seed)
    windows = list(_injected(model, normal[LEARNED:], seed))
    onset = LEARNED + 2 * 60
    for episode in EPISODES:
        rows = _recorded(seed, [{"at": f"{onset}min", "profile": "step", **episode}])
        windows += [("process", -1, rows[onset + end - model.window_steps : onset + end]) for end in AFTER]
    return _both(model, windows)


def _recorded(seed: int, faults: list[dict[str, Any]]) -> Floats:
    plant = make_plant.scenario()
    usual = [one for one in plant["interventions"] if int(one["at"].removesuffix("min")) < LEARNED + DAY]
    plan = {**plant, "seed": seed + 11, "duration": f"{LEARNED + DAY}min", "interventions": [*usual, *faults]}
    table = homeostat.simulate(plan).observed[[tag.source for tag in make_plant.TAGS]]
    noise = np.random.default_rng(seed).normal(0.0, make_plant.POSITION_NOISE, table.shape)
    valves = np.array([tag.source.endswith(".out") for tag in make_plant.TAGS])
    return np.asarray(table.to_numpy(dtype=np.float64) + noise * valves)


def _trained(normal: Floats, grid_ns: int, seed: int) -> HealthModel:
    model = train("health", TrainingData(frame_of(normal, grid_ns)), settings_of(grid_ns, seed)).model
    assert isinstance(model, HealthModel)
    return model


def _injected(model: HealthModel, normal: Floats, seed: int) -> Iterator[tuple[str, int, Floats]]:
    """Windows with a fault in one role, or in a group of correlated ones, that began within the window or before it."""
    random, steps = np.random.default_rng(seed), model.window_steps
    for number, fault in enumerate(drawn_faults(np.corrcoef(normal.T), DRAWN, SIZES, seed)):
        end = int(random.integers(2 * steps, len(normal) + 1))
        age = int(random.integers(8, steps - 5))
        rows = inject(normal[end - 2 * steps : end], 2 * steps - age, fault, model.parameters.scale, number)
        yield _group(fault), fault.columns[0] if len(fault.columns) == 1 else -1, rows[-steps:]
        if fault.kind == "bias" and len(fault.columns) == 1:
            old = inject(normal[end - 2 * steps : end], 0, fault, model.parameters.scale, number)
            yield "old bias", fault.columns[0], old[-steps:]


def _group(fault: InjectedFault) -> str:
    return fault.kind if len(fault.columns) == 1 else "group"


def _both(model: HealthModel, windows: Sequence[tuple[str, int, Floats]]) -> tuple[list[Judged], list[Judged]]:
    """Ours and the baseline, on the windows above the limit."""
    block = np.array([window for _, _, window in windows])
    over = np.flatnonzero(model.score(block) > 1.0)
    ours = [
        Judged(*windows[n][:2], *((fault.column, fault.proven) if fault is not None else (-1, False)))
        for n, fault in zip(over, sensor_faults(model, block[over]), strict=True)
    ]
    scale = model.parameters.scale * model.parameters.spread
    size = (((block[over] - expected_everywhere(model, block[over])) / scale) ** 2).mean(axis=1)
    leading = size.argmax(axis=1)
    alone = size.max(axis=1) > 0.5 * size.sum(axis=1)
    simple = [
        Judged(*windows[n][:2], int(column) if one else -1, bool(one))
        for n, column, one in zip(over, leading, alone, strict=True)
    ]
    return ours, simple


def _results(data: str, runs: Sequence[tuple[list[Judged], list[Judged]]]) -> list[Result]:
    found = []
    for number, name in enumerate((OURS, BASELINE)):
        measured = [_shares(one[number]) for one in runs]
        shared = [key for key in measured[0] if all(key in one for one in measured)]
        found.append(Result(data, name, number == 0, {key: [one[key] for one in measured] for key in shared}))
    return found


def _shares(judged: Sequence[Judged]) -> dict[str, float]:
    """Per cent of the windows of each group."""
    count = Counter(one.group for one in judged)
    named = Counter(one.group for one in judged if one.column == one.root >= 0)
    proven = Counter(one.group for one in judged if one.column >= 0 and one.proven)
    blamed = Counter(one.group for one in judged if one.column >= 0)
    wrong = sum(one.column >= 0 and one.column != one.root for one in judged if one.root >= 0)
    shares = {
        f"{kind}: named rightly, %": 100.0 * named[kind] / count[kind] for kind in (*KINDS, "old bias") if count[kind]
    }
    for group in ("group", "process"):
        if count[group]:
            shares[f"{group}: called a sensor's, proven, %"] = 100.0 * proven[group] / count[group]
            shares[f"{group}: called a sensor's at all, %"] = 100.0 * blamed[group] / count[group]
    single = sum(count[kind] for kind in (*KINDS, "old bias"))
    return {
        **shares,
        "sensor faults with another named, %": 100.0 * wrong / max(single, 1),
        "windows": float(len(judged)),
    }


SUITE: Final = Suite(
    name="sensor-faults",
    job="health",
    protocol=(
        "Faults of one sensor (bias, drift, stuck, noise of 3, 6 and 12 spreads in one role; those that began within "
        "the window, and biases that are older) against faults of the process: groups of correlated roles that move "
        "together, the Tennessee Eastman process faults, and fouled, sticking and stuck valves of a simulated plant. "
        "Only windows above the limit are judged. Proven: the role also stands still, jumps, drifts or is noisy as no "
        "process is."
    ),
    needs=("tep/d00.csv", "tep/d00_te.csv"),
    run=run,
)

"""How long the health score stays above the limit while a machine stays abnormal, and how often it is wrong.

    python -m tests.benchmarks.persistent_faults [TEP]

Normal time of six plants: four synthetic ones, the recording of the demo (offsets in other loops than the demo's),
and, where TEP names the folder with d00.csv and d00_te.csv, the normal runs of the Tennessee Eastman process. Each
model is trained as `tagsight train` does. Offsets that last five hours are then added to later normal time, in one
tag or in several correlated ones, sized in robust spreads of the tag. "first hour" and "after it" are shares of due
times above the limit; what stays abnormal should stay above it. Activations are those of later normal time without
any fault.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from tagsight.demo.plant import FAULTED_LOOP, HISTORY_MINUTES, TAGS, Plant
from tagsight_models.delays import Delays, activations
from tagsight_models.faults import InjectedFault, drawn_faults, inject
from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.health import HealthModel
from tagsight_models.jobs import TrainingSettings, train
from tests.benchmarks.tennessee_eastman import read

MINUTE: Final = 60_000_000_000
DELAYS: Final = Delays(5 * MINUTE, 5 * MINUTE)
SIZES: Final = (0.5, 1.0, 2.0, 4.0)
EPISODES: Final = 24  # of each size, alternately in one tag and in a group
WINDOW: Final = 60
LEARNED: Final = 10 * 1440
LATER: Final = 20 * 1440


@dataclass(frozen=True, slots=True)
class NormalTime:
    """Normal time of one plant: to train on, and later. `spared`: columns that get no fault."""

    name: str
    learned: Floats
    later: Floats
    spared: tuple[int, ...] = ()
    grid_ns: int = MINUTE


def plants(tennessee_eastman: Path | None) -> Iterator[NormalTime]:
    """All plants."""
    for name, made in (
        ("pure noise", noise),
        ("drifting ambient", drifting),
        ("changing loads", loads),
        ("slow disturbances", disturbed),
    ):
        values = made(LEARNED + LATER, np.random.default_rng(11))
        yield NormalTime(name, values[:LEARNED], values[LEARNED:])
    recorded = Plant().normal
    values = np.stack([recorded[tag.name] for tag in TAGS], axis=1)
    spared = tuple(column for column, tag in enumerate(TAGS) if tag.loop == FAULTED_LOOP)
    yield NormalTime("demo", values[:HISTORY_MINUTES], values[HISTORY_MINUTES:], spared)
    if tennessee_eastman:
        normal = [read(tennessee_eastman, name) for name in ("d00", "d00_te")]
        yield NormalTime("Tennessee Eastman", normal[0], normal[1], grid_ns=3 * MINUTE)


def noise(steps: int, random: np.random.Generator) -> Floats:
    """Eight tags that have nothing to do with each other."""
    return random.normal(size=(steps, 8))


def drifting(steps: int, random: np.random.Generator) -> Floats:
    """Eight tags that follow two loads and the weather: a daily swing about a level that wanders for days."""
    drivers = _slow(steps, 0.97, random, 2)
    day = np.sin(2.0 * np.pi * np.arange(steps) / 1440.0)
    ambient = day * (1.0 + 0.3 * _slow(steps, 0.9995, random, 1)[:, 0]) + 1.5 * _slow(steps, 0.9998, random, 1)[:, 0]
    mixing = random.normal(size=(2, 8))
    clean = drivers @ mixing + np.outer(ambient, random.uniform(-0.8, 0.8, 8))
    clean[:, 3] += 0.1 * ambient**2
    return np.asarray(clean + 0.3 * random.normal(size=(steps, 8)))


def loads(steps: int, random: np.random.Generator) -> Floats:
    """A machine that runs at one of three loads for one to eight hours; tags follow it nonlinearly, some slowly."""
    changes = np.cumsum(random.integers(60, 480, steps // 60))
    chosen = random.choice([0.35, 0.6, 0.9], len(changes) + 1)
    load = chosen[np.searchsorted(changes, np.arange(steps), side="right")]
    load = lfilter([0.1], [1.0, -0.9], load - load[0] + 0.01 * random.normal(size=steps)) + load[0]
    warm = lfilter([0.02], [1.0, -0.98], load**2 - load[0] ** 2) + load[0] ** 2
    columns = [load, load**2, load**3, np.sqrt(load), 1.0 / load, warm, warm + 0.3 * load, np.sin(3.0 * load)]
    return np.asarray(np.stack(columns, axis=1) + 0.02 * random.normal(size=(steps, 8)))


def disturbed(steps: int, random: np.random.Generator) -> Floats:
    """Eight tags with one driver, each with a slow disturbance of its own that nothing else shows."""
    driver = _slow(steps, 0.95, random, 1)
    own = _slow(steps, 0.99, random, 8)
    return np.asarray(driver @ random.normal(size=(1, 8)) + 0.7 * own + 0.2 * random.normal(size=(steps, 8)))


def _slow(steps: int, memory: float, random: np.random.Generator, count: int) -> Floats:
    """Autoregressive, variance 1."""
    raw = random.normal(size=(steps + 2000, count))
    return np.asarray(lfilter([np.sqrt(1.0 - memory**2)], [1.0, -memory], raw, axis=0)[2000:])


def frame_of(plant: NormalTime, values: Floats) -> Frame:
    """Every sample used."""
    shape = values.shape
    times = plant.grid_ns * np.arange(1, shape[0] + 1, dtype=np.int64)
    roles = tuple(Role(f"tag{number:02d}") for number in range(shape[1]))
    return Frame(times, values, np.zeros(shape, np.uint8), np.zeros(shape, np.bool_), roles, plant.grid_ns)


@dataclass(frozen=True, slots=True)
class Episode:
    """Later normal time with one offset; rows before `onset` are normal."""

    size: float
    correlated: bool
    values: Floats
    onset: int


def episodes(plant: NormalTime) -> list[Episode]:
    """Offsets of all sizes, in one tag and in groups, spread over the later time."""
    rows = plant.learned
    spread = 1.4826 * np.median(np.abs(rows - np.median(rows, axis=0)), axis=0)
    spread = np.where(spread > 0.2 * rows.std(axis=0), spread, rows.std(axis=0))
    lasting = int(300 * MINUTE / plant.grid_ns)
    free = np.array([column for column in range(rows.shape[1]) if column not in plant.spared])
    biases = _biases(rows, free)
    starts = np.linspace(0, len(plant.later) - WINDOW - lasting, EPISODES, dtype=int)
    made = []
    for size in SIZES:
        for number, start in enumerate(starts):
            drawn = biases[number % len(biases)]
            fault = InjectedFault("bias", drawn.columns, tuple(size * gain for gain in drawn.gains))
            part = plant.later[start : start + WINDOW + lasting]
            made.append(Episode(size, len(fault.columns) > 1, inject(part, WINDOW, fault, spread, number), WINDOW))
    return made


def _biases(rows: Floats, free: NDArray[np.intp]) -> list[InjectedFault]:
    """Offsets of size 1, alternately in one tag and in a group."""
    correlation = np.corrcoef(rows[:, free].T)
    drawn = drawn_faults(correlation, 8 * EPISODES, (1.0,), seed=5)
    chosen = [fault for fault in drawn if fault.kind == "bias"]
    return [InjectedFault("bias", tuple(int(free[c]) for c in one.columns), one.gains) for one in chosen]


def held_above(model: HealthModel, plant: NormalTime) -> dict[tuple[float, bool], tuple[float, float]]:
    """By size and kind: share of the first hour, and of the time after it, above the limit."""
    hour = 60 * MINUTE // plant.grid_ns
    found: dict[tuple[float, bool], list[tuple[float, float]]] = {}
    for one in episodes(plant):
        above = (model.series_distance(one.values) > model.parameters.limit)[one.onset :]
        shares = float(above[:hour].mean()), float(above[hour:].mean())
        found.setdefault((one.size, one.correlated), []).append(shares)
    return {key: tuple(np.mean(shares, axis=0)) for key, shares in found.items()}


def report(plant: NormalTime) -> None:
    """Train, and print what it says."""
    started = time.monotonic()
    trained = train("health", frame_of(plant, plant.learned), TrainingSettings(delays=DELAYS))
    spent = time.monotonic() - started
    model = trained.model
    frame = frame_of(plant, plant.later)
    raised = activations(frame.times, model.series_distance(plant.later), model.parameters.limit, DELAYS)
    months = len(plant.later) * plant.grid_ns / (30 * 1440 * MINUTE)
    print(f"{plant.name}: {len(raised)} activations in {30 * months:.1f} later normal days; trained in {spent:.1f} s")
    found = held_above(model, plant)
    for correlated, words in ((False, "one tag"), (True, "several")):
        shares = "   ".join(
            f"{size:g}: {found[size, correlated][0]:4.0%} {found[size, correlated][1]:4.0%}" for size in SIZES
        )
        print(f"  {words:8s} size: first hour, after it   {shares}")


def main() -> None:
    """Report all plants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tep", type=Path, nargs="?")
    for plant in plants(parser.parse_args().tep):
        report(plant)


if __name__ == "__main__":
    main()

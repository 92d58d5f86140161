"""How soon and how long the health score is above the limit while a machine is abnormal, and how often it is wrong.

    python -m tests.benchmarks.persistent_faults [TEP]

Normal time of several plants: synthetic ones, the recording of the demo (faults in other loops than the demo's), some
of them with a short time to learn from, and, where TEP names the folder with d00.csv, two splits of the normal run of
the Tennessee Eastman process. Each model is trained as `tagsight train` does, without its comparison. Faults that last
five hours are then added to later normal time, in one tag or in several correlated ones, sized in robust spreads of the
tag: offsets, white noise, oscillations, slow wandering. "first hour" and "after it" are shares of due times above the
limit; what stays abnormal should stay above it. "delay" is the mean time until it is first above. Activations are those
of later normal time without any fault.
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
from tagsight_models.health_fit import NetworkSettings, fit_health
from tagsight_models.health_limit import health_limit
from tagsight_models.health_training import FITS, FOLD_EPOCHS
from tagsight_models.training import FitSettings, Fitted
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings

MINUTE: Final = 60_000_000_000
DELAYS: Final = Delays(5 * MINUTE, 5 * MINUTE)
SIZES: Final = (0.5, 1.0, 2.0, 4.0)
EPISODES: Final = 24  # offsets of each size, alternately in one tag and in a group
MOVING: Final = ("noise", "oscillation", "wandering")
MOVING_EPISODES: Final = 12  # of each kind and size
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
    yield NormalTime(
        "demo, half a day", values[HISTORY_MINUTES - 700 : HISTORY_MINUTES], values[HISTORY_MINUTES:], spared
    )
    values = disturbed(LEARNED + LATER, np.random.default_rng(11))
    yield NormalTime(
        "slow disturbances, half a day", values[LEARNED - 700 : LEARNED], values[LEARNED : LEARNED + 11520]
    )
    for seed in (1, 2):
        values = wide(5300, np.random.default_rng(seed))
        yield NormalTime(f"forty tags, one day, {seed}", values[:500], values[500:], grid_ns=3 * MINUTE)
    if tennessee_eastman:
        normal = np.genfromtxt(tennessee_eastman / "d00.csv", delimiter=",", skip_header=1, usecols=range(1, 53))
        yield NormalTime("Tennessee Eastman, first rows", normal[:340], normal[340:], grid_ns=3 * MINUTE)
        yield NormalTime("Tennessee Eastman, last rows", normal[160:], normal[:160], grid_ns=3 * MINUTE)


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


def wide(steps: int, random: np.random.Generator, tags: int = 40) -> Floats:
    """Many tags with ten drivers, quick and slow, each seen by a third of the tags."""
    memories = (0.3, 0.5, 0.7, 0.8, 0.9, 0.9, 0.95, 0.97, 0.98, 0.99)
    drivers = np.hstack([_slow(steps, memory, random, 1) for memory in memories])
    own = np.hstack([_slow(steps, memory, random, 1) for memory in random.uniform(0.0, 0.9, tags)])
    mixing = random.normal(size=(10, tags)) * (random.random((10, tags)) < 0.3)
    return np.asarray(drivers @ mixing + random.uniform(0.2, 1.0, tags) * own)


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
    """Later normal time with one fault; rows before `WINDOW` are normal."""

    kind: str
    size: float
    correlated: bool
    values: Floats


def episodes(plant: NormalTime) -> Iterator[Episode]:
    """Faults of all kinds and sizes, in one tag and in groups, spread over the later time."""
    rows = plant.learned
    spread = 1.4826 * np.median(np.abs(rows - np.median(rows, axis=0)), axis=0)
    spread = np.where(spread > 0.2 * rows.std(axis=0), spread, rows.std(axis=0))
    free = np.array([column for column in range(rows.shape[1]) if column not in plant.spared])
    biases = _biases(rows, free, 8 * EPISODES, seed=5)
    for size in SIZES:
        for number, part in enumerate(_later(plant, EPISODES)):
            drawn = biases[number % len(biases)]
            fault = InjectedFault("bias", drawn.columns, tuple(size * gain for gain in drawn.gains))
            yield Episode("bias", size, len(fault.columns) > 1, inject(part, WINDOW, fault, spread, number))
    biases = _biases(rows, free, 8 * MOVING_EPISODES, seed=9)
    for kind in MOVING:
        for size in SIZES:
            for number, part in enumerate(_later(plant, MOVING_EPISODES)):
                drawn = biases[number % len(biases)]
                moved = _moved(part, kind, drawn, size * spread, np.random.default_rng(number))
                yield Episode(kind, size, len(drawn.columns) > 1, moved)


def _later(plant: NormalTime, count: int) -> Iterator[Floats]:
    lasting = int(300 * MINUTE / plant.grid_ns)
    for start in np.linspace(0, len(plant.later) - WINDOW - lasting, count, dtype=int):
        yield plant.later[start : start + WINDOW + lasting]


def _moved(part: Floats, kind: str, fault: InjectedFault, scale: Floats, random: np.random.Generator) -> Floats:
    """The rows with movements of standard deviation 1 x gain x scale from `WINDOW` on."""
    moved, steps = part.copy(), len(part) - WINDOW
    if kind == "oscillation":
        period, phase = random.uniform(5, 30), random.uniform(0, 6)
        shape = np.sqrt(2.0) * np.sin(2.0 * np.pi * np.arange(steps) / period + phase)
    elif kind == "wandering":
        shape = _slow(steps, 0.9, random, 1)[:, 0]
    for column, gain in zip(fault.columns, fault.gains, strict=True):
        moved[WINDOW:, column] += gain * scale[column] * (random.normal(size=steps) if kind == "noise" else shape)
    return moved


def _biases(rows: Floats, free: NDArray[np.intp], count: int, seed: int) -> list[InjectedFault]:
    """Offsets of size 1, alternately in one tag and in a group."""
    drawn = drawn_faults(np.corrcoef(rows[:, free].T), count, (1.0,), seed)
    chosen = [fault for fault in drawn if fault.kind == "bias"]
    return [InjectedFault("bias", tuple(int(free[c]) for c in one.columns), one.gains) for one in chosen]


def held_above(model: HealthModel, plant: NormalTime) -> dict[tuple[str, bool, float], Floats]:
    """By kind, group and size: share of the first hour, and of the time after it, above the limit; minutes of delay."""
    hour = 60 * MINUTE // plant.grid_ns
    found: dict[tuple[str, bool, float], list[tuple[float, float, float]]] = {}
    for one in episodes(plant):
        above = (model.series_distance(one.values) > model.parameters.limit)[WINDOW:]
        delay = float(above.argmax()) * plant.grid_ns / MINUTE if above.any() else 300.0
        shares = float(above[:hour].mean()), float(above[hour:].mean()), delay
        found.setdefault((one.kind, one.correlated, one.size), []).append(shares)
    return {key: np.mean(shares, axis=0) for key, shares in found.items()}


def fitted(plant: NormalTime) -> HealthModel:
    """A model with its limit."""
    settings = TrainingSettings(delays=DELAYS)
    rows = TrainingRows.of(frame_of(plant, plant.learned), settings)

    def fit(values: Floats, epochs: int) -> tuple[HealthModel, Fitted]:
        network = NetworkSettings(fit=FitSettings(epochs=epochs, at_most_seconds=settings.at_most_seconds / FITS))
        return fit_health(values, rows.frame.roles, network, _silent, grid_ns=plant.grid_ns, window_steps=WINDOW)

    model, done = fit(rows.learned, FitSettings().epochs)
    epochs = min(done.best_epoch, FOLD_EPOCHS)
    alarming = settings.alarming(plant.grid_ns)
    found = health_limit(model, rows, alarming, lambda values: fit(values, epochs)[0], _silent)
    return found.model.with_limit(found.limit.normal, found.limit.value, model.parameters.band)


def _silent(_share: float, _words: str) -> None:
    """Tells nobody."""


def report(plant: NormalTime) -> None:
    """Train, and print what it says."""
    started = time.monotonic()
    model = fitted(plant)
    spent = time.monotonic() - started
    frame = frame_of(plant, plant.later)
    distances = model.series_distance(plant.later)
    raised = activations(frame.times, distances, model.parameters.limit, DELAYS)
    days = len(plant.later) * plant.grid_ns / (1440 * MINUTE)
    above = np.nanmean(distances > model.parameters.limit)
    print(
        f"{plant.name}: {len(raised)} activations in {days:.1f} later normal days, {above:.1%} of rows above; "
        f"trained in {spent:.1f} s"
    )
    found = held_above(model, plant)
    for kind in ("bias", *MOVING):
        hour, after, delay = np.mean([shares for key, shares in found.items() if key[0] == kind], axis=0)
        print(f"  {kind:12s} first hour {hour:4.0%}, after it {after:4.0%}, delay {delay:3.0f} min")
    for correlated, words in ((False, "one tag"), (True, "several")):
        shares = [found["bias", correlated, size] for size in SIZES]
        line = "   ".join(f"{size:g}: {one[0]:4.0%} {one[1]:4.0%}" for size, one in zip(SIZES, shares, strict=True))
        print(f"  bias, {words:8s} size: first hour, after it   {line}")


def main() -> None:
    """Report all plants."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tep", type=Path, nargs="?")
    for plant in plants(parser.parse_args().tep):
        report(plant)


if __name__ == "__main__":
    main()

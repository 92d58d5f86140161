"""Plants of eight loops with known events, and faults injected into their normal time.

Each plant is drawn: gains, time constants, set points, disturbances. All episodes of a plant are simulated together,
each with its own noise, its own changes of load and one event; the model learns from the first three days of one of
them. homeostat's numpy step is used, which needs no compiler.
"""

import os
from collections.abc import Iterator
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd

from tagsight_models.faults import KINDS, InjectedFault, inject
from tagsight_models.frame import Floats
from tests.accuracy.health_methods import SECOND
from tests.explain_bench.cases import Case, Cases, Learned, first_confirmed, learned

GRID: Final = 60 * SECOND
HOUR: Final = 60
LEARNED: Final = 72 * HOUR
END: Final = 84 * HOUR
ONSET: Final = (74 * HOUR, 78 * HOUR)
EPISODES: Final = 64
INJECTED: Final = 48
SIZES: Final = (4.0, 8.0)
FLOWS: Final = {"FIC-101": (12, 0.25), "FIC-103": (8, 0.2), "FIC-302": (6, 0.2)}
HEATERS: Final = {"TIC-201": 80, "TIC-202": 70, "TIC-203": 90}
LEVELS: Final = ("LIC-102", "LIC-301")
LOOPS: Final = (*FLOWS, *HEATERS, *LEVELS)


def plant_cases(seed: int, episodes: int = EPISODES, injected: int = INJECTED) -> Cases:
    """Windows above the limit, of events in a loop and of faults injected into one tag."""
    runs = list(_episodes(seed, episodes))
    names = list(runs[0][0].columns)
    values = [table.to_numpy(dtype=np.float64) for table, _, _ in runs]
    model = learned(values[0][:LEARNED], names, GRID, seed)
    cases = [*_events(model, runs, values), *_injections(model, values, injected, seed)]
    return Cases(model.model, model.normal, cases)


def _events(
    model: Learned, runs: list[tuple[pd.DataFrame, dict[str, Any], str]], values: list[Floats]
) -> Iterator[Case]:
    for (_, event, loop), rows in zip(runs, values, strict=True):
        onset = int(event["at"] // 60)
        first = first_confirmed(model.score(rows), onset, GRID)
        truth = model.columns([name for name in model.names if loop_of(name) == loop])
        if first is not None and truth:
            kind = event["label"].removeprefix("fault:")
            yield Case(f"{kind} in {loop}", f"event: {kind}", model.window(rows, first), truth)


def _injections(model: Learned, values: list[Floats], count: int, seed: int) -> Iterator[Case]:
    """Faults of one tag in the normal time after what was learned, read 8 to 55 steps after they began."""
    random, steps = np.random.default_rng(1000 + seed), model.model.window_steps
    for number in range(count):
        column, kind = int(random.integers(len(model.kept))), KINDS[number % len(KINDS)]
        rows = values[number % len(values)][LEARNED : ONSET[0], model.kept]
        size = float(random.choice([-1.0, 1.0])) * SIZES[number // len(KINDS) % len(SIZES)]
        fault = InjectedFault(kind, (column,), (size,))
        end = int(random.integers(steps, len(rows) + 1))
        age = int(random.integers(8, steps - 5))
        window = inject(rows[end - steps : end], steps - age, fault, model.model.parameters.scale, number)
        if model.model.score(window[None])[0] > 1.0:
            yield Case(f"{kind} in {model.names[column]}", f"injected: {kind}", window, frozenset({column}))


def loop_of(tag: str) -> str:
    """FT-101, FIC-101.sp and FIC-101.out belong to FIC-101."""
    number = tag.split(".", maxsplit=1)[0].split("-")[1]
    return next(loop for loop in LOOPS if loop.split("-")[1] == number and loop[0] == tag[0])


def _episodes(seed: int, count: int) -> Iterator[tuple[pd.DataFrame, dict[str, Any], str]]:
    os.environ["HOMEOSTAT_COMPILED_STEP"] = "0"
    family = import_module("homeostat").family(scenario(seed, count))
    noise = np.random.default_rng(seed)
    for number in range(count):
        run = family.run(number)
        event = next(one for one in run.meta["events"].to_dict("records") if one["label"].startswith("fault:"))
        table = run.observed[[tag for tag in run.observed.columns if not tag.endswith(".mode")]].ffill().bfill()
        valves = [tag for tag in table.columns if tag.endswith(".out")]
        table[valves] += noise.normal(0.0, 0.3, (len(table), len(valves)))  # measured positions
        yield table, event, event["origin"].split("@")[1]


def scenario(seed: int, count: int) -> dict[str, Any]:
    """One plant, so many episodes of it."""
    random = np.random.default_rng(seed)
    return {
        "seed": seed + 1,
        "dt": "1min",
        "duration": f"{END}min",
        "library": "process@1",
        "family": {"plants": count},
        "units": list(_units(random)),
        "exogenous": list(_surroundings(random)),
        "interventions": [*_load(random), {"choice": list(_faults())}],
        "output": {"every": "1min"},
    }


def _units(random: np.random.Generator) -> Iterator[dict[str, Any]]:
    tuned = {"theta": "1min", "tuning": "simc", "detune": 1.5}
    for loop, (setpoint, gain) in FLOWS.items():
        lag = f"{random.uniform(3, 6):.1f}min"
        yield {"id": loop, "template": "flow_loop", "sp": setpoint, "K": gain, "tau": lag, "span": [0, 25], **tuned}
    for loop, setpoint in HEATERS.items():
        gain, lag = float(np.exp(random.normal(0.0, 0.15))), f"{random.uniform(7, 14):.1f}min"
        yield {"id": loop, "template": "heat_exchanger", "sp": setpoint, "K": gain, "F_nom": 10, "tau": lag, **tuned}
    for loop in LEVELS:
        yield {"id": loop, "template": "level_loop", "sp": 50, "Kv": 0.4, "area": 3}


def _surroundings(random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """What flows where, and what wanders."""
    for loop, source in zip(LEVELS, FLOWS, strict=False):
        yield {"target": f"{loop}.inflow", "from": f"{source}.cv"}
    for loop in HEATERS:
        yield {"target": f"{loop}.flow", "from": f"{'FIC-103' if loop == 'TIC-203' else 'FIC-101'}.cv"}
    for loop in HEATERS:
        yield _wandering(f"{loop}.inlet_temp", 25, 3, f"{int(random.integers(2, 8))}h")
    for loop in FLOWS:
        yield _wandering(f"{loop}.pressure", 0, 0.2, "20min")


def _wandering(target: str, mean: float, std: float, tau: str) -> dict[str, Any]:
    return {"target": target, "source": {"kind": "ou", "mean": mean, "std": std, "tau": tau}}


def _load(random: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Each feed gets another set point every few hours, of its own in every episode."""
    for loop, (setpoint, _) in FLOWS.items():
        minute = 0
        while (minute := minute + int(random.integers(90, 300))) < END:
            value = {"uniform": [0.75 * setpoint, 1.1 * setpoint]}
            yield {"at": f"{minute}min", "target": f"{loop}.sp", "value": value, "profile": "ramp", "over": "20min"}


def _faults() -> Iterator[dict[str, Any]]:
    """Every kind of the catalogue in every loop that can have it."""
    for loop in LOOPS:
        unit = 0.4 if loop in FLOWS else 2.0
        kinds: dict[str, list[float] | None] = {
            "sensor_bias": [unit, 3 * unit],
            "sensor_drift": [unit, 3 * unit],
            "sensor_noise": [4, 8],
            "valve_stuck": None,
            "valve_stiction": [4, 8],
        }
        if loop in HEATERS:
            kinds["fouling"] = [0.5, 0.7]
        for kind, size in kinds.items():
            magnitude = {"magnitude": {"uniform": size}} if size else {}
            yield {
                "at": {"uniform": [f"{minute}min" for minute in ONSET]},
                "target": loop,
                "fault": kind,
                "profile": "ramp" if kind == "sensor_drift" else "step",
                **({"over": "3h"} if kind == "sensor_drift" else {}),
                **magnitude,
            }

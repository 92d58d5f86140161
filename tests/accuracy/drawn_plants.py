"""Plants drawn with homeostat: grades change, disturbances drift, a catalyst decays, and there is a fault of any kind.

Every plant is simulated twice with the same noise, with and without its fault, so that what the fault does is known
exactly; homeostat's own labels say which faults could be detected at all.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np

from tagsight_models.frame import Flags, Floats

PLANTS: Final = 40
LEARNED_DAYS: Final = 4
ONSET_DAYS: Final = 5
DAYS: Final = 6
GRID_MINUTES: Final = 2
VISIBLE_ROWS: Final = 30  # homeostat's labels look at an hour
Z: Final = (3.0, 3.29)  # a shift, and a change in variance at 0.1 %


@dataclass(frozen=True, slots=True)
class DrawnPlant:
    """One plant, from the first row at which every tag has a value.

    Attributes:
        kind: of its fault.
        normal: shape (rows, tags), without the fault.
        faulty: the same with it.
        changing: shape (rows,), an hour from the start of each change of grade.
        learned: rows to learn from.
        onset: row of the fault.
        detectable: by homeostat's label.
    """

    kind: str
    normal: Floats
    faulty: Floats
    changing: Flags
    learned: int
    onset: int
    detectable: bool


def drawn(count: int = PLANTS, seed: int = 7) -> Iterator[DrawnPlant]:
    """Draw and simulate; the numpy step of homeostat, which needs no compiler."""
    os.environ["HOMEOSTAT_COMPILED_STEP"] = "0"
    homeostat = import_module("homeostat")
    twins = homeostat.family(scenario(count, seed, faults=False))
    families = homeostat.family(scenario(count, seed, faults=True))
    for number in range(count):
        yield _plant(families.run(number), twins.run(number))


def scenario(count: int, seed: int, *, faults: bool) -> dict[str, Any]:
    """A flow into a heat exchanger and a reactor; three grades that follow each other."""
    spread = {"lognormal": {"median": 1.0, "sigma": 0.15}}
    return {
        "seed": seed,
        "dt": "1min",
        "duration": f"{DAYS}d",
        "library": "process@1",
        "family": {"plants": count},
        "units": [
            _loop("FIC-101", "flow_loop", 10, 0.25, ("5min", "1min")) | {"span": [0, 25]},
            _loop("TIC-201", "heat_exchanger", 80, spread, ("10min", "1min")) | {"F_nom": 10},
            _loop("TIC-301", "reactor", 80, spread, ("15min", "2min")) | {"volume": 5},
        ],
        "exogenous": [
            {"target": "TIC-201.flow", "from": "FIC-101.cv"},
            {"target": "TIC-301.flow", "from": "FIC-101.cv"},
            _wandering("TIC-201.inlet_temp", 25, {"uniform": [1, 3]}, {"uniform": ["12h", "2d"]}),
            _wandering("TIC-301.feed_temp", 25, {"uniform": [1, 3]}, "6h"),
            _wandering("FIC-101.pressure", 0, 0.2, "20min"),
        ],
        "regimes": {
            "A": _grade(10, 80, 80),
            "B": _grade({"uniform": [11, 12]}, {"uniform": [74, 78]}, {"uniform": [83, 87]}),
            "C": _grade({"uniform": [8, 9]}, {"uniform": [81, 84]}, {"uniform": [75, 78]}),
        },
        "degradation": [{"target": "TIC-301", "kind": "catalyst_decay", "rate": 0.02}],
        "plan": {"start": "A", "production": {"cycle": ["A", "B", "C"], "campaign": _campaign(), "over": "40min"}},
        "interventions": [{"choice": _faults()}] if faults else [],
        "output": {"every": f"{GRID_MINUTES}min"},
    }


def _loop(name: str, template: str, setpoint: float, gain: Any, times: tuple[str, str]) -> dict[str, Any]:
    tau, theta = times
    lag = {"lognormal": {"median": tau, "sigma": 0.2}}
    tuned = {"tuning": "simc", "detune": 1.5}
    return {"id": name, "template": template, "sp": setpoint, "K": gain, "tau": lag, "theta": theta, **tuned}


def _wandering(target: str, mean: float, std: Any, tau: Any) -> dict[str, Any]:
    return {"target": target, "source": {"kind": "ou", "mean": mean, "std": std, "tau": tau}}


def _grade(flow: Any, exchanger: Any, reactor: Any) -> dict[str, Any]:
    return {"FIC-101.sp": flow, "TIC-201.sp": exchanger, "TIC-301.sp": reactor}


def _campaign() -> dict[str, Any]:
    return {"lognormal": {"median": "8h", "sigma": 0.3}}


def _faults() -> list[dict[str, Any]]:
    """Every kind of the catalogue, in every loop that can have it; sizes that stand out, by the default profiles."""
    loops = {"FIC-101": 0.3, "TIC-201": 2.0, "TIC-301": 2.0}
    sizes = {"valve_stiction": [4, 8], "valve_stuck": None, "sensor_noise": [4, 8]}
    heated = [("fouling", loop, [0.5, 0.7]) for loop in ("TIC-201", "TIC-301")]
    biased = [
        (kind, loop, [unit, 3 * unit]) for kind in ("sensor_bias", "sensor_drift") for loop, unit in loops.items()
    ]
    other = [(kind, loop, size) for kind, size in sizes.items() for loop in loops]
    return [_fault(*one) for one in (*heated, *biased, *other)]


def _fault(kind: str, loop: str, size: list[float] | None) -> dict[str, Any]:
    magnitude = {"magnitude": {"uniform": size}} if size else {}
    return {"at": f"{ONSET_DAYS}d", "target": loop, "fault": kind, **magnitude}


def _plant(run: Any, twin: Any) -> DrawnPlant:
    tags = [tag for tag in run.observed.columns if not tag.endswith(".mode")]
    faulty, normal = run.observed[tags].ffill(), twin.observed[tags].ffill()
    first = int(np.isfinite(normal.to_numpy()).all(axis=1).argmax())
    day = 24 * 60 // GRID_MINUTES
    labels = [event for event in run.meta["events"].to_dict("records") if event["label"].startswith("fault:")]
    setpoints = normal[[tag for tag in tags if tag.endswith(".sp")]].to_numpy()[first:]
    return DrawnPlant(
        labels[0]["label"].removeprefix("fault:"),
        normal.to_numpy(dtype=np.float64)[first:],
        faulty.to_numpy(dtype=np.float64)[first:],
        _changing(setpoints),
        LEARNED_DAYS * day - first,
        ONSET_DAYS * day - first,
        _detectable(run.observed[tags], twin.observed[tags], run.seconds),
    )


def _changing(setpoints: Floats) -> Flags:
    """An hour from each row at which a set point moves; a change ramps for forty minutes."""
    moved = np.concatenate([[False], (np.diff(setpoints, axis=0) != 0.0).any(axis=1)])
    hour = 60 // GRID_MINUTES
    return np.convolve(moved.astype(np.float64), np.ones(hour))[: len(moved)] > 0.5


def _detectable(faulty: Any, normal: Any, seconds: Floats) -> bool:
    """Homeostat's label on any tag: what an oracle that knows the twin could tell."""
    detect = import_module("homeostat.labelers.visibility")._detect  # what is public takes one plant at a time
    for tag in faulty.columns:
        effect = faulty[tag] - normal[tag]
        hold = VISIBLE_ROWS // 2
        _, first = detect(effect, faulty[tag], normal[tag], seconds, VISIBLE_ROWS, hold, *Z)
        if np.isfinite(first):
            return True
    return False

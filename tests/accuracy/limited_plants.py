"""Continuous plants drawn at random, with the bottleneck known by what more capacity would have brought.

Two feeds in proportion, two exchangers, a tank and its outlet: every loop has a valve that can run out of travel, and
what it then cannot do costs good product. A sixth loop runs out of travel too, and costs nothing. Each plant is
simulated as it is, and once for each loop with 15 % more capacity, everything else and all random numbers the same: the
loop whose capacity would have raised production most is the bottleneck.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from tagsight_models.frame import Floats

MORE = 1.15
LEAST_GAIN = 0.005
"""A bottleneck raises production by this share at least; else the plant has none."""

LOOPS = ("FIC-101", "FIC-102", "TIC-201", "TIC-202", "LIC-301")
HARMLESS = "TIC-401"
CAPACITY: Mapping[str, tuple[float, float]] = {
    "FIC-101": (0.105, 0.165),
    "FIC-102": (0.042, 0.066),
    "TIC-201": (0.5, 0.85),
    "TIC-202": (0.42, 0.7),
    "LIC-301": (0.105, 0.165),
    HARMLESS: (0.25, 0.6),
}
DAYS, EVERY_MINUTES, SETTLED = 4, 5, "2h"
RATIO = 0.4
FACTORS = ("warm1", "warm2", "share")


def scenario(larger: str | None, seed: int) -> dict[str, Any]:
    """The family of plants, one loop with more capacity in all of them."""
    capacity = {
        loop: {"uniform": [low * (MORE if loop == larger else 1.0), high * (MORE if loop == larger else 1.0)]}
        for loop, (low, high) in CAPACITY.items()
    }
    flow = {"template": "flow_loop", "tau": 60, "theta": 60, "Kc": 1.0, "Ti": 120.0}
    warm = {"template": "heat_exchanger", "F_nom": 12, "tau": 240, "theta": 60, "Kc": 2.0, "Ti": 300.0}
    units = [
        {"id": "FIC-101", **flow, "sp": 10, "K": capacity["FIC-101"], "Kp": 1.0, "span": [0, 25]},
        {"id": "FIC-102", **flow, "mode": "CAS", "sp": 4, "K": capacity["FIC-102"], "Kp": 0.4, "span": [0, 10]},
        {"id": "TIC-201", **warm, "sp": 80, "K": capacity["TIC-201"]},
        {"id": "TIC-202", **warm, "sp": 70, "K": capacity["TIC-202"]},
        {"id": "LIC-301", "template": "level_loop", "sp": 50, "Kv": capacity["LIC-301"], "area": 3},
        {"id": HARMLESS, "template": "temperature_loop", "sp": 60, "K": capacity[HARMLESS], "theta": 60},
    ]
    return {
        "seed": seed,
        "duration": f"{DAYS}d",
        "dt": "60s",
        "library": "process@1",
        "init": {"burn_in": SETTLED},
        "units": units,
        "custom": _product(),
        "exogenous": _surroundings(),
        "interventions": _demand(),
        "output": {"every": f"{EVERY_MINUTES}min"},
    }


def _product() -> list[dict[str, Any]]:
    """Good product: what leaves the tank, less what was too cold or lacked of the second feed."""
    factors = {f"in{number}": f"{name}.f" for number, name in enumerate(FACTORS, 1)}
    return [
        {"id": "wanted", "op": "sum", "weights": [RATIO], "inputs": {"in0": "FT-101"}},
        {"id": "warm1", "op": "sum", "weights": [0.03], "bias": 1.06 - 0.03 * 80, "inputs": {"in0": "TIC-201.cv"}},
        {"id": "warm2", "op": "sum", "weights": [0.03], "bias": 1.06 - 0.03 * 70, "inputs": {"in0": "TIC-202.cv"}},
        {
            "id": "share",
            "op": "log_linear",
            "weights": [1, -1],
            "transforms": ["log", "log"],
            "bias": float(0.06 - np.log(RATIO)),
            "inputs": {"in0": "FIC-102.cv", "in1": "FIC-101.cv"},
        },
        *({"id": f"{name}.f", "op": "saturation", "lo": 0, "hi": 1, "inputs": {"u": name}} for name in FACTORS),
        {"id": "good", "op": "product", "n": 4, "inputs": {"in0": "LIC-301.outflow", **factors}},
    ]


def _surroundings() -> list[dict[str, Any]]:
    def slow(mean: float, std: float, tau: str) -> dict[str, Any]:
        return {"kind": "ou", "mean": mean, "std": std, "tau": tau}

    return [
        {"target": "FIC-102.rsp", "from": "wanted"},
        *({"target": f"{loop}.flow", "from": "FIC-101.cv"} for loop in ("TIC-201", "TIC-202")),
        {"target": "LIC-301.inflow", "from": "FIC-101.cv"},
        *({"target": f"{loop}.inlet_temp", "source": slow(25, 3, "5h")} for loop in ("TIC-201", "TIC-202")),
        {"target": f"{HARMLESS}.feed_temp", "source": slow(25, 8, "4h")},
        *({"target": f"{loop}.pressure", "source": slow(0, 0.2, "2h")} for loop in ("FIC-101", "FIC-102")),
    ]


def _demand() -> list[dict[str, Any]]:
    """A new demand every four hours."""
    ramp = {"profile": "ramp", "over": "20min"}
    return [
        {"at": f"{4 * number + 1}h", "target": "FIC-101.sp", "value": {"uniform": [9.0, 14.5]}, **ramp}
        for number in range(6 * DAYS)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class LimitedPlant:
    """What its tags show, what it produces (measured), and what more capacity of each loop gains in its second half."""

    tags: pd.DataFrame
    target: Floats
    gains: Mapping[str, float]

    @property
    def bottleneck(self) -> str | None:
        """The loop, None where no capacity would have helped."""
        best = max(self.gains, key=lambda loop: self.gains[loop])
        return best if self.gains[best] >= LEAST_GAIN else None


def limited_plants(count: int, seed: int) -> Sequence[LimitedPlant]:
    """`count` plants."""
    family = import_module("homeostat").family
    whole = family(scenario(None, seed), plants=count)
    made = {larger: family(scenario(larger, seed), plants=count) for larger in LOOPS}
    found = []
    for plant in range(count):
        run = whole.run(plant)
        good = _good(run)
        half = len(good) // 2
        gains = {
            loop: float(_good(one.run(plant))[half:].mean() / good[half:].mean()) - 1.0 for loop, one in made.items()
        }
        noise = np.random.default_rng(seed * 1000 + plant).normal(0.0, 0.1, len(good))
        kept = [name for name in run.observed.columns if not name.endswith(".mode")]
        found.append(LimitedPlant(run.observed[kept], good + noise, gains))
    return found


def _good(run: Any) -> Floats:
    return np.asarray(run.truth["good"], dtype=np.float64)

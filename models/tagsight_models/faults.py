"""Injected faults: what a model must find, with sizes in robust spreads of each role. Used to compare and to test."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.frame import Floats

KINDS: Final = ("bias", "drift", "stuck", "noise")


@dataclass(frozen=True, slots=True)
class InjectedFault:
    """A fault in one role, or in several that move together.

    Attributes:
        kind: bias (a step), drift (a ramp to the size within the episode), stuck (holds its last value), noise
            (added, white).
        columns: the roles.
        gains: size for each column, in robust spreads; the sign is the direction.
    """

    kind: str
    columns: tuple[int, ...]
    gains: tuple[float, ...]


def inject(values: Floats, onset: int, fault: InjectedFault, spread: Floats, seed: int) -> Floats:
    """A copy of the rows (steps, roles) with the fault from row `onset` on; `spread` has shape (roles,)."""
    faulty = values.copy()
    steps = len(values) - onset
    random = np.random.default_rng(seed)
    for column, gain in zip(fault.columns, fault.gains, strict=True):
        size = gain * spread[column]
        if fault.kind == "bias":
            faulty[onset:, column] += size
        elif fault.kind == "drift":
            faulty[onset:, column] += size * np.linspace(0.0, 1.0, steps)
        elif fault.kind == "stuck":
            faulty[onset:, column] = values[max(onset - 1, 0), column]
        else:
            faulty[onset:, column] += size * random.normal(size=steps)
    return faulty


def drawn_faults(correlation: Floats, count: int, sizes: Sequence[float], seed: int) -> list[InjectedFault]:
    """Alternately a fault in one role and one that moves a group of correlated roles, of every kind and size."""
    random = np.random.default_rng(seed)
    roles = len(correlation)
    faults = []
    for number in range(count):
        kind = KINDS[(number // 2) % len(KINDS)]
        size = sizes[(number // (2 * len(KINDS))) % len(sizes)]
        root = int(random.integers(roles))
        columns = [root] if number % 2 == 0 else _group(correlation, root)
        direction = float(random.choice([-1.0, 1.0]))
        gains = [direction * size * _sign(correlation[root, column]) for column in columns]
        follow = [1.0, *random.uniform(0.2, 1.0, len(columns) - 1)]
        loosened = [float(gain * share) for gain, share in zip(gains, follow, strict=True)]
        faults.append(InjectedFault(kind, tuple(columns), tuple(loosened)))
    return faults


def _group(correlation: Floats, root: int, most: int = 4) -> list[int]:
    order = np.argsort(-np.abs(correlation[root]), kind="stable")
    return [root, *[int(column) for column in order if column != root][: most - 1]]


def _sign(number: float) -> float:
    return -1.0 if number < 0.0 else 1.0

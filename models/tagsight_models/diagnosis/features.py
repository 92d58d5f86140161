"""What is seen of a window: plain numbers, each in units of its usual spread within a class.

A machine that runs on and on is seen by levels, spreads and changes over several times, of its roles and of what is
left of each role when the others are known (the residual of a linear model of normal time). A machine that works in
cycles, each cycle a window, is seen by its course through the cycle as well: there every step has a meaning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats
from tagsight_models.networks.ridge import leave_role_out_ridge

LAGS: Final = (0, 1, 2, 4, 8)
FARTHEST: Final = 100.0  # standard deviations: what is farther is as far
QUIET: Final = 0.1  # standard deviations: spreads below are alike
SEGMENT: Final = 5  # steps of a cycle whose spread is taken together
CHUNK: Final = 256  # windows at a time


@dataclass(frozen=True, slots=True, eq=False)
class Residual:
    """Linear models of normal time: what is left of each role when the present and past of the others are known.

    Each model learned from all normal time but one part. A window of normal time that was learned from is seen with
    the model that did not learn from it, any other window with all of them in turn, and what is seen is averaged: so
    what is left of normal time is as large in training as it will be live.

    Attributes:
        linear: shape (parts, lags * roles, roles).
        spread: shape (roles,), of what is left in normal time that the model did not see.
    """

    linear: Floats
    spread: Floats

    def of(self, values: Floats, part: int) -> Floats:
        """By one model: standardised (n, steps, roles) -> (n, steps - longest lag, roles)."""
        seen = lagged(values)
        return np.asarray((seen[..., : values.shape[-1]] - seen @ self.linear[part]) / self.spread)


def lagged(values: Floats) -> Floats:
    """Shape (..., steps, roles) -> (..., steps - longest lag, lags * roles)."""
    longest, steps = LAGS[-1], values.shape[-2]
    return np.concatenate([values[..., longest - lag : steps - lag, :] for lag in LAGS], axis=-1)


def crossed_residual(stretches: Sequence[Floats], parts: Sequence[NDArray[np.intp]]) -> Residual:
    """For each part of normal time a model that did not see it.

    Args:
        stretches: standardised normal time, each of shape (steps, roles), without holes.
        parts: of each stretch, the number of the part that each step belongs to.
    """
    roles = stretches[0].shape[1]
    numbers = np.unique(np.concatenate(list(parts)))
    seen = np.concatenate([lagged(one) for one in stretches])
    part = np.concatenate([one[LAGS[-1] :] for one in parts])
    left = np.zeros((len(seen), roles))
    others = []
    for number in numbers:
        chosen = part == number
        linear = leave_role_out_ridge(seen[~chosen], roles)
        left[chosen] = seen[chosen, :roles] - seen[chosen] @ linear
        others.append(linear)
    return Residual(np.stack(others), np.maximum(left.std(axis=0), 1e-3))


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """Centre and usual spread of numbers; far values are drawn in (asinh)."""

    centre: Floats
    spread: Floats

    def __call__(self, numbers: Floats) -> Floats:
        """Shape (n, numbers) -> the same."""
        return np.asarray(np.arcsinh((numbers - self.centre) / self.spread))

    @classmethod
    def of(cls, numbers: Floats, classes: NDArray[np.intp]) -> Self:
        """The median over classes of centre and spread, so that a faint fault counts beside violent ones."""
        groups = [numbers[classes == one] for one in np.unique(classes)]
        centre = np.median([np.median(one, axis=0) for one in groups], axis=0)
        within = np.median([one.std(axis=0) for one in groups], axis=0)
        return cls(centre, np.maximum(within, 1e-3 * numbers.std(axis=0) + 1e-9))


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """From windows to numbers, before their scaling.

    Attributes:
        centre: shape (roles,), engineering units.
        scale: shape (roles,).
        residual: None where windows are cycles.
    """

    centre: Floats
    scale: Floats
    residual: Residual | None

    def standardised(self, windows: Floats) -> Floats:
        """Engineering units -> standard deviations."""
        return np.clip((windows - self.centre) / self.scale, -FARTHEST, FARTHEST)

    def numbers(self, windows: Floats, part: int | None = None) -> Floats:
        """Windows (n, steps, roles) in engineering units -> (n, numbers).

        Args:
            windows: to see.
            part: of normal time that the windows lie in and were learned from; None: in none.
        """
        chunks = [windows[start : start + CHUNK] for start in range(0, len(windows), CHUNK)] or [windows]
        return np.concatenate([self._of(self.standardised(chunk), part) for chunk in chunks])

    def _of(self, values: Floats, part: int | None) -> Floats:
        if self.residual is None:
            return np.concatenate([_levels(values), _course(values)], axis=1)
        parts = range(len(self.residual.linear)) if part is None else (part,)
        left = np.mean([_levels(self.residual.of(values, one)) for one in parts], axis=0)
        return np.concatenate([_levels(values), left], axis=1)

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        said = {"centre": self.centre, "scale": self.scale}
        if self.residual is not None:
            said |= {"linear": self.residual.linear, "left": self.residual.spread}
        return said

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Floats], roles: int) -> Self:
        """The inverse of `tensors`.

        Raises:
            ValueError: of other shapes.
        """
        residual = Residual(tensors["linear"], tensors["left"]) if "linear" in tensors else None
        made = cls(tensors["centre"], tensors["scale"], residual)
        sound = made.centre.shape == made.scale.shape == (roles,) and bool((made.scale > 0).all())
        if residual is not None:
            expected = (len(LAGS) * roles, roles)
            sound = sound and residual.linear.shape[1:] == expected and residual.spread.shape == (roles,)
        if not sound:
            msg = "the scaling of other roles"
            raise ValueError(msg)
        return made


def _levels(values: Floats) -> Floats:
    """Means over a twelfth, a third and all of the window; spreads of values and of changes over the latter two."""
    steps = values.shape[1]
    short, middle = max(1, steps // 12), max(2, steps // 3)
    changes = np.diff(values, axis=1)
    found = [values[:, -length:].mean(axis=1) for length in (short, middle, steps)]
    for series in (values, changes):
        found += [np.log(series[:, -length:].std(axis=1) + QUIET) for length in (middle, steps)]
    return np.concatenate(found, axis=1)


def _course(values: Floats) -> Floats:
    """Every value, and the spread of each few steps."""
    n, steps, _ = values.shape
    cuts = np.array_split(np.arange(steps), max(1, steps // SEGMENT))
    spreads = [np.log(values[:, cut].std(axis=1) + 0.1 * QUIET) for cut in cuts]
    return np.concatenate([values.reshape(n, -1), *spreads], axis=1)

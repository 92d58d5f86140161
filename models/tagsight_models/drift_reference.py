"""What a card keeps of the training data so that drift is seen later: few numbers for each role."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tagsight_models.drift import DriftReference, RoleReference, even, quantiles, residuals_of
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.job_model import JobModel
from tagsight_models.statistics.statistic import complete, present
from tagsight_models.windows import windows

DAY: Final = 86_400_000_000_000
LEAST_STEPS: Final = 60  # of a part
LEAST_SCORES: Final = 30  # of a part
FEWEST_PARTS: Final = 8
MOST_PARTS: Final = 60  # that are looked at; of more, some evenly spread
MOST_MOMENTS: Final = 60  # of a part
MOST_KEPT: Final = 8  # parts of a role that the card keeps: each stands for those that are like it
LEAST_INPUT: Final = 0.25  # spreads: less is no drift, however still the training was
LEAST_RESIDUAL: Final = 0.1  # half bands
MARGIN: Final = 3.0  # times what parts of the training moved
USUAL: Final = 0.75  # quantile of that: regimes of which there was one part alone, and changes, must not blind


def drift_facts(model: JobModel, values: Floats, every_ns: int = 0) -> dict[str, Any]:
    """What a card keeps under `drift`; nothing where the training data are too few to say."""
    try:
        return {"drift": drift_reference(model, values, every_ns).to_json()}
    except TooLittleData:
        return {}


def rows_of(frame: Frame, roles: Sequence[Role]) -> Floats:
    """Values of these roles, small holes bridged as they are when scoring, NaN rows where nothing counts."""
    names = [role.name for role in frame.roles]
    columns = [names.index(role.name) for role in roles]
    values = np.asarray(windows(frame, 1).values[:, 0][:, columns])
    return np.where(present(values)[:, None], values, np.nan)


def drift_reference(model: JobModel, values: Floats, every_ns: int = 0) -> DriftReference:
    """From the rows that a model learned from.

    Args:
        model: trained.
        values: shape (steps, roles) on its grid, with NaN rows where nothing counts.
        every_ns: scoring interval; recent time must hold enough scores.

    Raises:
        TooLittleData: fewer rows than would do.
    """
    ends = np.flatnonzero(complete(present(values), model.window_steps))
    wanted = max(DAY, LEAST_SCORES * every_ns) // model.grid_ns
    steps = int(min(max(wanted, LEAST_STEPS), len(ends) // FEWEST_PARTS))
    least = max(LEAST_STEPS, LEAST_SCORES * every_ns // model.grid_ns)
    if steps < least:
        raise TooLittleData("the drift of a model", len(ends), int(FEWEST_PARTS * least))
    parts = np.array_split(ends, len(ends) // steps)
    seen = [_Part.of(model, values, parts[number]) for number in even(len(parts), MOST_PARTS)]
    rows = values[ends]
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-300)
    shapes = np.stack([quantiles((part.values - mean) / spread) for part in seen])
    residuals = np.stack([part.residuals.mean(axis=0) for part in seen])
    told = np.ptp(np.concatenate([part.expected for part in seen]), axis=0) > 0.0
    roles = tuple(
        RoleReference(
            role.name,
            float(mean[k]),
            float(spread[k]),
            *_known(shapes[:, :, k]),
            *(_usual(residuals[:, k]) if told[k] else (None, 1.0)),
        )
        for k, role in enumerate(model.roles)
    )
    return DriftReference(steps * model.grid_ns, roles)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some moments of a part of the training time, (moments, roles) each."""

    values: Floats
    residuals: Floats
    expected: Floats

    @classmethod
    def of(cls, model: JobModel, values: Floats, ends: NDArray[np.intp]) -> "_Part":
        steps = model.window_steps
        chosen = ends[even(len(ends), MOST_MOMENTS)]
        cut = np.lib.stride_tricks.sliding_window_view(values, steps, axis=0)[chosen - steps + 1]
        told = model.expectation(np.ascontiguousarray(cut.transpose(0, 2, 1)))
        rows = values[chosen]
        return cls(rows, residuals_of(rows, told.expected, (told.upper - told.lower) / 2.0), told.expected)


def _known(shapes: Floats) -> tuple[tuple[tuple[float, ...], ...], float]:
    """Quantiles of parts (parts, quantiles) -> those that stand for all of them, and the limit.

    From the middle one on, the farthest part is added until all are near one; how far the farthest then is comes on top
    of the limit, so that a part of the training is never beyond it.
    """
    apart = np.abs(shapes[:, None] - shapes[None]).mean(axis=2)
    numbers = np.arange(len(shapes))
    others = np.abs(numbers[:, None] - numbers[None]) > 1
    usual = float(np.quantile(np.where(others, apart, np.inf).min(axis=1), USUAL))
    kept = [int(apart.sum(axis=1).argmin())]
    nearest = apart[kept[0]]
    while nearest.max() > LEAST_INPUT / 2.0 and len(kept) < MOST_KEPT:
        kept.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, apart[kept[-1]])
    limit = float(nearest.max()) + max(LEAST_INPUT, MARGIN * usual)
    return tuple(tuple(map(_short, shape)) for shape in shapes[sorted(kept)].tolist()), _short(limit)


def _usual(means: Floats) -> tuple[float, float]:
    """Mean residuals of parts, (parts,) -> their middle, and the limit: as far beyond them as they reach themselves."""
    half = float(np.ptp(means)) / 2.0
    return _short(float(means.max()) - half), _short(half + max(LEAST_RESIDUAL, half))


def _short(number: float) -> float:
    """Six digits: a card is read often."""
    return float(f"{number:.6g}")

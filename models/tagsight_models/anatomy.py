"""What a trained model consists of, in the order in which a window passes through it: for diagrams and tables.

Law: every array that the model is stored with belongs to exactly one block.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.job_model import JobModel

REST: Final = "other"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """One part of a model.

    Attributes:
        name: key of its words: "network", "largest".
        gives: shape of what leaves it for one window; () for one number, None where that says nothing.
        arrays: its arrays by name.
        after: names of the blocks that it takes from; None for all of the stage before, () for none: it stands aside.
    """

    name: str
    gives: tuple[int, ...] | None
    arrays: Mapping[str, Floats]
    after: tuple[str, ...] | None = None

    @property
    def parameters(self) -> int:
        """How many numbers its arrays hold."""
        return sum(prod(array.shape) for array in self.arrays.values())


Stage: TypeAlias = tuple[Block, ...]
"""Blocks that stand side by side."""

Outline: TypeAlias = Sequence[Sequence[tuple[Any, ...]]]
"""Stages of (name, shape, how the names of its arrays begin) and, where that is not the stage before, `after`."""


def anatomy(model: JobModel) -> tuple[Stage, ...]:
    """The stages of a model of any kind, the window first; arrays that no stage names come last."""
    left = dict(model.tensors())
    window = (model.window_steps, len(model.roles))
    stages: list[Stage] = [(Block("window", window, {}),)]
    stages += [
        tuple(Block(name, gives, _taken(left, starts), *after) for name, gives, starts, *after in stage)
        for stage in OUTLINES[model.kind](model)
    ]
    stages = [tuple(block for block in stage if block.arrays or block.after != ()) for stage in stages]
    last = tuple(block.name for block in stages[-1] if block.after != ())
    aside = (Block(REST, None, left, ()),) if left else ()
    return (*stages, (Block("score", (), {}, last), *aside))


def _taken(left: dict[str, Floats], starts: tuple[str, ...]) -> dict[str, Floats]:
    names = [name for name in left if starts and name.startswith(starts)]
    return {name: left.pop(name) for name in names}


def _health(model: Any) -> Outline:
    steps, roles = model.window_steps, len(model.roles)
    after = steps - model.lags[-1]
    return (
        (("standardise", (steps, roles), ("centre", "scale")),),
        (
            ("values_statistic", (len(model.parameters.values.sizes),), ("values.",)),
            ("network", (after, roles, 2), ("network.",)),
            ("conditional", (steps, roles), ("covariance",), ()),
        ),
        (("residuals", (after, roles), ("spread", "band"), ("network",)),),
        (("residual_statistic", (len(model.parameters.statistic.sizes),), ("statistic.",)),),
        (("largest", (), (), ("values_statistic", "residual_statistic")),),
    )


def _diagnosis(model: Any) -> Outline:
    features = len(model.scaling.centre)
    stages: list[Any] = [(("features", (features,), ("seen.", "numbers.", "reference")),)]
    parts = []
    for number, judgement in enumerate(model.judgements):
        start, classes = f"judgement{number}.", len(judgement.component.classes)
        names = [name for name in model.tensors() if name.startswith(start)]
        for block, word in (("forest", "forest"), ("discriminants", "discriminants"), ("network", "network")):
            own = tuple(name for name in names if word in name.removeprefix(start))
            if own:
                parts.append((block, (classes,), own))
        parts.append(("judgement", (classes,), (start,)))
    return (*stages, parts[:-1], parts[-1:]) if len(model.judgements) == 1 else (*stages, parts)


def _prognosis(model: Any) -> Outline:
    filters, coordinates = model.features.centre.shape
    steps = model.window_steps
    return (
        (("regimes", (steps, len(model.roles)), ("features/regimes",)),),
        (("ageing", (steps, coordinates), ("features/directions",)),),
        (("filters", (filters, coordinates), ("features/",)),),
        tuple(("network", (1,), (f"member/{number}/",)) for number in range(len(model.members))),
        (("mean", (), ()), ("interval", (2,), ("interval/",))),
    )


def _crossing(_model: Any) -> Outline:
    return ((("line", (2,), ()),), (("interval", (2,), ("horizons", "below", "above")),))


def _quality(model: Any) -> Outline:
    features = len(model.parts.regressor.centre)
    corrected = ("laboratory", (), ("field", "noise.", "region.", "usual"))
    return (*_regression("regressor.", features), (corrected, ("advice", None, ("nearness",), ())))


def _production(model: Any) -> Outline:
    features, *parts = _regression("expected.", len(model.parts.expected.regressor.centre))
    aside = ("steering.", "region.", "support", "error.", "limits.", "reference", "usual")
    return (
        (*features, ("best", (), ("under.",), ("window",))),
        tuple((*part, ("features",)) for part in parts[0]),
        (("mean", (), ("expected.",), ("line", "network", "trees")), ("advice", None, aside, ())),
        (("loss", (), (), ("best", "mean")),),
    )


def _regression(start: str, features: int) -> Outline:
    scaling = tuple(f"{start}{name}" for name in ("centre", "scale", "lowest", "highest"))
    return (
        (("features", (features,), scaling),),
        (
            ("line", (), (f"{start}line",)),
            ("network", (), (f"{start}network",)),
            ("trees", (), (f"{start}trees",)),
        ),
        (("mean", (), (f"{start}target",)),),
    )


OUTLINES: Final[Mapping[str, Callable[[Any], Outline]]] = MappingProxyType(
    {
        "health": _health,
        "diagnosis": _diagnosis,
        "prognosis": _prognosis,
        "crossing": _crossing,
        "quality": _quality,
        "production": _production,
    }
)


def learned_weights(stages: Sequence[Stage]) -> dict[str, Floats]:
    """Arrays of networks and lines that have more than one number, flat, by name."""
    blocks = [block for stage in stages for block in stage if block.name in {"network", "line"}]
    arrays = {name: np.ravel(array) for block in blocks for name, array in block.arrays.items()}
    return {name: array for name, array in arrays.items() if len(array) > 1}

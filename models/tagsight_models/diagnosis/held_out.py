"""What models said of windows that they did not see, and the limits that follow from it."""

from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.components import Component
from tagsight_models.diagnosis.model import DiagnosisModel
from tagsight_models.diagnosis.pool import calibration_error, pooled, surprise
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.diagnosis.strangeness import Strangeness
from tagsight_models.frame import Floats

WITHIN: Final = 0.99  # share of a class's held-out windows that lie within its allowance
SUREST: Final = 0.9999  # a limit is never above this probability


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Of one component.

    Attributes:
        component: what it is about.
        opinions: shape (experts, n, classes), log probabilities.
        classes: shape (n,), what was labelled.
        apart: shape (n, classes), distance from each class (see `Novelty.apart`).
        simple: classes by simple methods.
    """

    component: Component
    opinions: Floats
    classes: NDArray[np.intp]
    apart: Floats
    simple: dict[str, NDArray[np.intp]] = field(default_factory=dict)

    @classmethod
    def empty(cls, component: Component) -> Self:
        """Nothing yet."""
        return cls(component, np.zeros((0, 0, 0)), np.zeros(0, dtype=np.intp), np.zeros((0, len(component.classes))))

    def and_also(self, other: "HeldOut") -> "HeldOut":
        """Together with those of another fold."""
        if not len(self.classes):
            return other
        return HeldOut(
            self.component,
            np.concatenate([self.opinions, other.opinions], axis=1),
            np.concatenate([self.classes, other.classes]),
            np.concatenate([self.apart, other.apart]),
            {name: np.concatenate([found, other.simple[name]]) for name, found in self.simple.items()},
        )

    def allowance(self) -> Floats:
        """Shape (classes,): how far from itself, in its own units, a class is found in time that was not learned from.

        A fault that goes on changing is found farther away, and must not become unknown for that.
        """
        found = np.ones(len(self.component.classes))
        for one in np.unique(self.classes):
            own = self.apart[self.classes == one, one]
            found[one] = max(1.0, float(np.quantile(own, WITHIN, method="higher")))
        return found

    def limits(self, weights: Floats, settings: DiagnosisSettings) -> tuple[Strangeness, float, float]:
        """What is strange; probability of any fault, and strangeness, at their limits."""
        apart, found = self.apart / self.allowance(), pooled(self.opinions, weights)
        strangeness = Strangeness.of(found, apart)
        usual = strangeness(found, apart)
        unknown = max(float(np.quantile(usual[np.isfinite(usual)], 1.0 - settings.unknown_share, method="higher")), 1.0)
        normal = self.classes == self.component.normal
        if not normal.any():
            return strangeness, settings.sure_from, unknown
        chances = -np.expm1(found[normal, self.component.normal])
        asked = float(np.quantile(chances, 1.0 - settings.false_share, method="higher"))
        return strangeness, min(max(settings.sure_from, asked), SUREST), unknown


def told(held: HeldOut, model: DiagnosisModel) -> dict[str, Any]:
    """Facts of the calibration of one component, JSON values."""
    judgement = next(one for one in model.judgements if one.component == held.component)
    found = pooled(held.opinions, judgement.weights)
    normal = held.classes == held.component.normal
    independent = int(normal.sum())
    return {
        "component": held.component.name,
        "classes": {label: int((held.classes == number).sum()) for number, label in enumerate(held.component.classes)},
        "weights": {
            name: float(weight) for name, weight in zip(judgement.experts.names, judgement.weights, strict=True)
        },
        "fault_from": judgement.fault_from,
        "unknown_from": judgement.unknown_from,
        "normal_windows": independent,
        "false_share": float((judgement.score(found[normal]) >= 1.0).mean()) if normal.any() else None,
        "surprise": surprise(found, held.classes),
        "calibration_error": calibration_error(found, held.classes),
    }

"""What a model knows of one component: experts, their weights, what is familiar, and the limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.components import UNKNOWN, Component
from tagsight_models.diagnosis.experts import Experts
from tagsight_models.diagnosis.novelty import Novelty
from tagsight_models.diagnosis.pool import pooled
from tagsight_models.diagnosis.strangeness import Strangeness
from tagsight_models.frame import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """One component.

    Attributes:
        component: what it is about.
        experts: their opinions.
        weights: shape (experts,), of the pool.
        novelty: how far from each class a window is.
        strangeness: how doubtful and how far held-out windows of known classes were.
        fault_from: probability of any fault from which on it is called a fault.
        unknown_from: strangeness above which the class is unknown.
    """

    component: Component
    experts: Experts
    weights: Floats
    novelty: Novelty
    strangeness: Strangeness
    fault_from: float
    unknown_from: float

    def log_probabilities(self, features: Floats) -> Floats:
        """Calibrated, shape (n, classes)."""
        return pooled(self.experts.log_probabilities(features), self.weights)

    def unfamiliar(self, features: Floats) -> Floats:
        """Strangeness in units of its limit, shape (n,): above 1 the class is unknown."""
        return self._unfamiliar(features, self.log_probabilities(features))

    def _unfamiliar(self, features: Floats, log_probabilities: Floats) -> Floats:
        return self.strangeness(log_probabilities, self.novelty.apart(features)) / self.unknown_from

    def score(self, log_probabilities: Floats) -> Floats:
        """0: surely normal, 1.0: the probability of any fault is `fault_from`; 0 where no class is the normal one."""
        if self.component.normal < 0:
            return np.zeros(len(log_probabilities))
        return np.asarray(log_probabilities[:, self.component.normal] / np.log1p(-self.fault_from))

    def named(self, log_probabilities: Floats) -> NDArray[np.intp]:
        """Number of the class of each window: normal below the limit, else the most probable fault."""
        if self.component.normal < 0:
            return np.asarray(log_probabilities.argmax(axis=1))
        faults = log_probabilities.copy()
        faults[:, self.component.normal] = -np.inf
        return np.where(self.score(log_probabilities) < 1.0, self.component.normal, faults.argmax(axis=1))

    def classes(self, features: Floats) -> list[str]:
        """Class of each window in words, "unknown" where it is like nothing learned."""
        found = self.log_probabilities(features)
        named, new = self.named(found), self._unfamiliar(features, found) > 1.0
        return [UNKNOWN if new[n] else self.component.classes[one] for n, one in enumerate(named)]

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        said = {"weights": self.weights}
        said |= {f"novelty.{name}": value for name, value in self.novelty.tensors().items()}
        said |= {f"strange.{name}": value for name, value in self.strangeness.tensors().items()}
        return said | {f"experts.{name}": value for name, value in self.experts.tensors().items()}

    def to_json(self) -> dict[str, Any]:
        """Everything but the arrays."""
        return {
            "component": self.component.to_json(),
            "experts": self.experts.sizes(),
            "fault_from": self.fault_from,
            "unknown_from": self.unknown_from,
        }

    @classmethod
    def from_parts(cls, said: Mapping[str, Any], tensors: Mapping[str, Floats], features: int) -> Self:
        """The inverse of `to_json` and `tensors`.

        Raises:
            ValueError: parts that do not fit.
            KeyError: parts that are missing.
        """
        component = Component.from_json(said["component"])
        inside = {name[8:]: value for name, value in tensors.items() if name.startswith("experts.")}
        new = {name[8:]: value for name, value in tensors.items() if name.startswith("novelty.")}
        strange = {name[8:]: value for name, value in tensors.items() if name.startswith("strange.")}
        experts = Experts.from_tensors(said["experts"], inside, features, component)
        if tensors["weights"].shape != (len(experts.names),):
            msg = "weights of other experts"
            raise ValueError(msg)
        return cls(
            component,
            experts,
            tensors["weights"],
            Novelty.from_tensors(new, features, len(component.classes)),
            Strangeness.from_tensors(strange),
            float(said["fault_from"]),
            float(said["unknown_from"]),
        )

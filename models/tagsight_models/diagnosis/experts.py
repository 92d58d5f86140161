"""The experts on one component: each gives log probabilities of the classes, and a pool weighs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from torch import nn

from tagsight_models.diagnosis.components import Component
from tagsight_models.diagnosis.discriminants import Discriminants, Spread
from tagsight_models.diagnosis.forest import Forest, grow
from tagsight_models.diagnosis.networks import Patience, learned_network, log_probabilities, new_network
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.diagnosis.severity import Severity, severities
from tagsight_models.frame import Floats
from tagsight_models.parts import weights_of, with_weights

SHRINKAGES: Final = (0.01, 0.1)
STRAIGHT: Final = (0.0001, 0.003)
"""Shrinkages on the numbers as they are, far values not drawn in; the pool gives them weight where that is better."""

STRENGTHS: Final = (0.0003, 0.003, 0.03)
STRAIGHT_STRENGTHS: Final = (0.00001, 0.0001, 0.001)
SEEN_BY_NETWORKS: Final = 1  # number of the shrinkage


@dataclass(frozen=True, slots=True, eq=False)
class Experts:
    """All experts on one component."""

    forest: Forest
    discriminants: tuple[Discriminants, ...]
    straight: tuple[Discriminants, ...]
    severities: tuple[Severity, ...]
    straight_severities: tuple[Severity, ...]
    networks: tuple[nn.Module, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """In the order of `log_probabilities`."""
        return (
            "trees",
            *(f"discriminants, shrinkage {one:g}" for one in SHRINKAGES),
            *(f"straight discriminants, shrinkage {one:g}" for one in STRAIGHT[: len(self.straight)]),
            "networks",
            *(f"severity, ridge {one:g}" for one in STRENGTHS[: len(self.severities)]),
            *(f"straight severity, ridge {one:g}" for one in STRAIGHT_STRENGTHS[: len(self.straight_severities)]),
        )

    def log_probabilities(self, features: Floats) -> Floats:
        """Shape (n, features) -> (experts, n, classes)."""
        along = self.discriminants[SEEN_BY_NETWORKS].along(features)
        plain = unbent(features)
        return np.stack(
            [
                self.forest.log_probabilities(features),
                *(one.log_probabilities(features) for one in self.discriminants),
                *(one.log_probabilities(plain) for one in self.straight),
                log_probabilities(list(self.networks), along),
                *(one.log_probabilities(features) for one in self.severities),
                *(one.log_probabilities(plain) for one in self.straight_severities),
            ]
        )

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        said = {f"forest.{name}": value for name, value in self.forest.tensors().items()}
        for number, one in enumerate(self.discriminants):
            said |= {f"discriminants{number}.{name}": value for name, value in one.tensors().items()}
        for number, one in enumerate(self.straight):
            said |= {f"straight{number}.{name}": value for name, value in one.tensors().items()}
        for number, severity in enumerate(self.severities):
            said |= {f"severity{number}.{name}": value for name, value in severity.tensors().items()}
        for number, severity in enumerate(self.straight_severities):
            said |= {f"straight_severity{number}.{name}": value for name, value in severity.tensors().items()}
        for number, network in enumerate(self.networks):
            said |= weights_of(network, f"network{number}")
        return said

    def sizes(self) -> dict[str, int]:
        """What `from_tensors` must know besides."""
        return {
            "severities": len(self.severities),
            "networks": len(self.networks),
            "straight": len(self.straight),
            "straight_severities": len(self.straight_severities),
        }

    @classmethod
    def from_tensors(
        cls, sizes: Mapping[str, Any], tensors: Mapping[str, Floats], features: int, component: Component
    ) -> Self:
        """The inverse of `tensors` and `sizes`."""
        classes = len(component.classes)
        discriminants = tuple(
            Discriminants.from_tensors(_below(tensors, f"discriminants{number}"), features, classes)
            for number in range(len(SHRINKAGES))
        )
        seen = discriminants[SEEN_BY_NETWORKS].directions.shape[1]
        return cls(
            Forest.from_tensors(_below(tensors, "forest"), features, classes),
            discriminants,
            tuple(
                Discriminants.from_tensors(_below(tensors, f"straight{number}"), features, classes)
                for number in range(int(sizes["straight"]))
            ),
            tuple(
                Severity.from_tensors(_below(tensors, f"severity{number}"), features, classes)
                for number in range(int(sizes["severities"]))
            ),
            tuple(
                Severity.from_tensors(_below(tensors, f"straight_severity{number}"), features, classes)
                for number in range(int(sizes["straight_severities"]))
            ),
            tuple(
                with_weights(new_network(seen, classes, 0), f"network{number}", tensors).eval()
                for number in range(int(sizes["networks"]))
            ),
        )


def _below(tensors: Mapping[str, Floats], prefix: str) -> dict[str, Floats]:
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}


def unbent(features: Floats) -> Floats:
    """Features as they were before far values were drawn in."""
    return np.sinh(features)


def straight_experts(
    features: Floats, classes: NDArray[np.intp], count: int, *, ordered: bool
) -> tuple[tuple[Discriminants, ...], tuple[Severity, ...]]:
    """What a plain linear discriminant analysis of all numbers sees, and a plain ridge regression on the rank."""
    plain = unbent(features)
    size = plain.std(axis=0)
    size = np.where(size > 0.0, size, 1.0)
    plain /= size
    spread = Spread.of(plain, classes, count)
    made = (spread.discriminants(one) for one in STRAIGHT)
    ranks = severities(plain, classes, count, STRAIGHT_STRENGTHS) if ordered else ()
    return (
        tuple(Discriminants(one.directions / size[:, None], one.means) for one in made),
        tuple(Severity(one.slopes / size, one.offset, one.classes) for one in ranks),
    )


@dataclass(frozen=True, slots=True)
class Effort:
    """What one set of experts may cost: settings, seed, seconds for each network."""

    settings: DiagnosisSettings
    seed: int
    seconds: float


def learned_experts(
    features: Floats, classes: NDArray[np.intp], component: Component, effort: Effort
) -> tuple[Experts, Sequence[float]]:
    """Experts, and the last losses of the networks."""
    count = len(component.classes)
    spread = Spread.of(features, classes, count)
    discriminants = tuple(spread.discriminants(one) for one in SHRINKAGES)
    ordered = component.ordered and count > 2
    along = discriminants[SEEN_BY_NETWORKS].along(features)
    fits = [
        learned_network(along, classes, count, Patience(100 * effort.seed + number, effort.seconds))
        for number in range(effort.settings.networks)
    ]
    straight, straight_severities = straight_experts(features, classes, count, ordered=ordered)
    random = np.random.default_rng([effort.seed, count])
    made = Experts(
        grow(features, classes, count, effort.settings.trees, random),
        discriminants,
        straight,
        severities(features, classes, count, STRENGTHS) if ordered else (),
        straight_severities,
        tuple(network for network, _ in fits),
    )
    return made, [fitted.best_loss for _, fitted in fits]

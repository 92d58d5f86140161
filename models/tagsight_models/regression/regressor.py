"""The regression: a line, networks on what it leaves over, and boosted trees beside them; their mean, or a part alone.

Networks follow a smooth relation better, trees stand a drift out of the training range better; over the time that
neither has seen their mean is as good as the better of the two. Which of the parts count is chosen on held-out time.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Self

import numpy as np
from torch import nn

from tagsight_models.frame import Floats
from tagsight_models.parts import weights_of, with_weights
from tagsight_models.regression.oblivious_trees import ObliviousTrees, TreeSettings
from tagsight_models.regression.residual_network import empty_network, fit_networks, predicted
from tagsight_models.regression.ridge_line import ridge
from tagsight_models.training import FitSettings, Fitted, Progress, silent

SHARES: Final[Mapping[str, tuple[float, float]]] = MappingProxyType(
    {"line": (0.0, 0.0), "line and networks": (1.0, 0.0), "all": (1.0, 0.5)}
)
"""What may count: the share of the networks' part, and of the trees in the mean."""

ARRAYS: Final = ("centre", "scale", "lowest", "highest", "line", "target")

TAIL: Final = 0.0005
"""Inputs are kept within these quantiles of training: nothing is extrapolated far."""


@dataclass(frozen=True, slots=True)
class RegressorSettings:
    """How the regression is fitted."""

    networks: int = 2
    trees: TreeSettings = field(default_factory=TreeSettings)
    fit: FitSettings = field(default_factory=lambda: FitSettings(epochs=60, patience=8, weight_decay=1e-2))


@dataclass(frozen=True, slots=True, eq=False)
class Regressor:
    """Features (n, columns) in engineering units -> values (n,) in those of the target.

    Attributes:
        centre: shape (columns,).
        scale: shape (columns,).
        lowest: shape (columns,), inputs below count as this.
        highest: shape (columns,).
        line: shape (columns,), of standardised features for a standardised target.
        target: mean, standard deviation, lowest and highest value that is predicted; shape (4,).
        networks: on what the line leaves over.
        trees: on standardised features.
        shares: of the networks' part, and of the trees in the mean.
    """

    centre: Floats
    scale: Floats
    lowest: Floats
    highest: Floats
    line: Floats
    target: Floats
    networks: tuple[nn.Module, ...]
    trees: ObliviousTrees
    shares: tuple[float, float]

    @classmethod
    def fit(
        cls, features: Floats, values: Floats, settings: RegressorSettings, progress: Progress = silent
    ) -> tuple[Self, Fitted]:
        """Fit all parts; all count. Also, what the fit of the networks did."""
        lowest, highest = np.quantile(features, [TAIL, 1.0 - TAIL], axis=0)
        bounded = np.clip(features, lowest, highest)
        centre, scale = bounded.mean(axis=0), bounded.std(axis=0)
        scale = np.where(scale > 0.0, scale, 1.0)
        mean, spread = float(values.mean()), float(values.std())
        reach = 0.1 * float(np.ptp(values))
        target = np.array([mean, spread, values.min() - reach, values.max() + reach])
        standardised, wanted = (bounded - centre) / scale, (values - mean) / spread
        line, _ = ridge(standardised, wanted)
        left = wanted - standardised @ line
        networks, done = fit_networks(standardised, left, settings.networks, settings.fit, progress=progress)
        trees = ObliviousTrees.fit(standardised, wanted, settings.trees)
        found = cls(centre, scale, lowest, highest, line, target, tuple(networks), trees, SHARES["all"])
        return found, done

    def predict(self, features: Floats) -> Floats:
        """Shape (n,), within a tenth of the target's range in training beyond that range."""
        return self.of_parts(self.parts(features))

    def smooth(self, features: Floats) -> Floats:
        """Line and networks alone, shape (n,): what has a slope."""
        seen = self._standardised(features)
        parts = np.stack([seen @ self.line, predicted(self.networks, seen), np.zeros(len(seen))])
        return replace(self, shares=(self.shares[0], 0.0)).of_parts(parts)

    def parts(self, features: Floats) -> Floats:
        """What line, networks and trees say, standardised; shape (3, n)."""
        seen = self._standardised(features)
        return np.stack([seen @ self.line, predicted(self.networks, seen), self.trees.predict(seen)])

    def of_parts(self, parts: Floats) -> Floats:
        """The value that they make together."""
        of_networks, of_trees = self.shares
        found = (1.0 - of_trees) * (parts[0] + of_networks * parts[1]) + of_trees * parts[2]
        mean, spread, lowest, highest = self.target
        return np.asarray(np.clip(mean + spread * found, lowest, highest))

    def _standardised(self, features: Floats) -> Floats:
        return np.asarray((np.clip(features, self.lowest, self.highest) - self.centre) / self.scale)

    def description(self) -> dict[str, Any]:
        """As JSON values."""
        return {"networks": len(self.networks), "shares": list(self.shares), "start": self.trees.start}

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        found = {name: getattr(self, name) for name in ARRAYS}
        found |= {f"trees.{name}": getattr(self.trees, name) for name in ("columns", "edges", "leaves")}
        for number, each in enumerate(self.networks):
            found |= weights_of(each, f"network{number}")
        return found

    @classmethod
    def from_parts(cls, said: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse; ValueError or KeyError where something does not fit."""
        columns = len(tensors["centre"])
        networks = tuple(
            with_weights(empty_network(columns), f"network{number}", tensors).eval().requires_grad_(requires_grad=False)
            for number in range(int(said["networks"]))
        )
        trees = ObliviousTrees(
            tensors["trees.columns"], tensors["trees.edges"], tensors["trees.leaves"], float(said["start"])
        )
        _check_trees(trees, columns)
        arrays = {name: tensors[name] for name in ARRAYS}
        if any(array.shape != ((4,) if name == "target" else (columns,)) for name, array in arrays.items()):
            msg = "shape of the line or of its scaling"
            raise ValueError(msg)
        share, of_trees = said["shares"]
        return cls(**arrays, networks=networks, trees=trees, shares=(float(share), float(of_trees)))


def _check_trees(trees: ObliviousTrees, columns: int) -> None:
    count, depth = trees.columns.shape
    fits = trees.edges.shape == (count, depth) and trees.leaves.shape == (count, 2**depth)
    if not fits or (count and not (trees.columns.min() >= 0 and trees.columns.max() < columns)):
        msg = "shape of the trees"
        raise ValueError(msg)

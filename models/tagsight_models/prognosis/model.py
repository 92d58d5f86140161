"""Remaining life from a window: regimes, ageing coordinates, levels and slopes, networks, an interval."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final, Self

import numpy as np
import torch
from torch import nn

from tagsight_models.frame import Floats, Role
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.networks.registry import network
from tagsight_models.prognosis.features import Features
from tagsight_models.prognosis.interval import Interval
from tagsight_models.scoring_model import Expectation

HOUR_NS: Final = 3_600_000_000_000
CHUNK: Final = 512
SIZES: Final[Mapping[str, Mapping[str, Any]]] = {
    "mlp": {"hidden": (64, 64)},
    "gru": {"hidden": 16},
    "tcn": {"channels": 16},
}
BAND: Final = 3.0  # spreads of the healthy part of lives
HIGHEST: Final = 100.0  # the score at the very end


@dataclass(frozen=True, slots=True)
class Scale:
    """Of a trained model, in steps: where the score is 1.0, and beyond which remaining life nothing is told."""

    horizon: float
    cap: float
    network: str


class PrognosisModel:
    """A trained model of remaining life; implements `JobModel`.

    The score is horizon / remaining life: 1.0 when the remaining life has fallen to the engineer's horizon, less
    before, at most `HIGHEST`. The expected value of a role is the mean of machines without wear in the regime of the
    last step, its band three standard deviations: what leaves it are the signs of wear (and of faults).
    """

    kind: ClassVar[str] = "prognosis"

    def __init__(
        self,
        roles: tuple[Role, ...],
        features: Features,
        members: Sequence[nn.Module],
        interval: Interval,
        scale: Scale,
        *,
        grid_ns: int,
    ) -> None:
        self.roles, self.features, self.interval, self.scale, self.grid_ns = roles, features, interval, scale, grid_ns
        self.members = [member.double().eval().requires_grad_(requires_grad=False) for member in members]

    @property
    def window_steps(self) -> int:
        """Steps of a window."""
        return int(self.features.bank.shape[1])

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """Hours and their interval, 0 to the cap, and the regime."""
        cap = self.scale.cap * self.grid_ns / HOUR_NS
        regime = JobOutput("Regime", text=True, description="operating regime, numbered, or unknown")
        return (*hours_of("remaining life", cap), regime)

    @property
    def reference(self) -> Floats:
        """Machines without wear in the first regime, at every step."""
        return np.tile(self.features.regimes.healthy[0], (self.window_steps, 1))

    def remaining(self, windows: Floats) -> Floats:
        """Remaining life of each window in steps, 0 to the cap, shape (n,)."""
        parts = [
            ensemble(self.members, self.features.of_windows(windows[start : start + CHUNK]), self.scale.cap)
            for start in range(0, len(windows), CHUNK)
        ]
        return np.concatenate([np.empty(0), *parts])

    def score(self, windows: Floats) -> Floats:
        """Windows (n, window_steps, roles) in engineering units -> horizon / remaining life, (n,)."""
        horizon = self.scale.horizon
        return np.asarray(horizon / np.maximum(self.remaining(windows), horizon / HIGHEST))

    def results(self, windows: Floats) -> Sequence[Results]:
        """Hours that remain with their interval (the cap means: that or more), and whether the regime is known."""
        remaining = self.remaining(windows)
        lower, upper = self.interval.of(remaining, self.scale.cap)
        hours = np.stack([remaining, lower, upper], axis=1) * (self.grid_ns / HOUR_NS)
        regime, known = self.features.regimes.of(windows[:, -1]), self.features.regimes.known(windows[:, -1])
        return [
            {
                "RemainingLife": float(one[0]),
                "Lower": float(one[1]),
                "Upper": float(one[2]),
                "Regime": str(int(number) + 1) if seen else "unknown",
            }
            for one, number, seen in zip(hours, regime, known, strict=True)
        ]

    def expectation(self, windows: Floats) -> Expectation:
        """What machines without wear show in the regime of the last step."""
        regimes = self.features.regimes
        regime = regimes.of(windows[:, -1])
        half = np.maximum(BAND * regimes.spread[regime], [role.smallest_deviation for role in self.roles])
        return Expectation(regimes.healthy[regime], regimes.healthy[regime] - half, regimes.healthy[regime] + half)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {
            "kind": self.kind,
            "roles": [asdict(role) for role in self.roles],
            "grid_ns": self.grid_ns,
            "members": len(self.members),
            "scale": asdict(self.scale),
        }

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        found = {f"features/{name}": value for name, value in self.features.tensors().items()}
        found |= {f"interval/{name}": getattr(self.interval, name) for name in ("edges", "below", "above")}
        for number, member in enumerate(self.members):
            found |= {f"member/{number}/{name}": value.numpy() for name, value in member.state_dict().items()}
        return found

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `description` and `tensors`; ValueError or KeyError where they do not fit."""
        roles = tuple(Role(**role) for role in description["roles"])
        features = Features.from_tensors(_under(tensors, "features/"))
        if features.directions.shape[0] != len(roles) or features.bank.ndim != 2:
            message = f"directions of {features.directions.shape[0]} roles for {len(roles)}"
            raise ValueError(message)
        scale = Scale(**description["scale"])
        members = [
            _member(_under(tensors, f"member/{number}/"), features, scale.network)
            for number in range(int(description["members"]))
        ]
        interval = Interval(**{name: np.asarray(value) for name, value in _under(tensors, "interval/").items()})
        return cls(roles, features, members, interval, scale, grid_ns=int(description["grid_ns"]))


def hours_of(what: str, most: float) -> tuple[JobOutput, ...]:
    """The three outputs in hours, of which the largest value means that or more."""
    said = {"RemainingLife": what, "Lower": f"lower end of the {what}", "Upper": f"upper end of the {what}"}
    return tuple(JobOutput(name, "h", 0.0, most, description=words) for name, words in said.items())


def new_network(name: str, features: Features, seed: int) -> nn.Module:
    """A member before it has learned; its one output is remaining life / cap - 1/2."""
    filters, coordinates = features.centre.shape
    return network(name, filters, coordinates, 1, seed, **SIZES[name])


@torch.inference_mode()
def ensemble(members: Sequence[nn.Module], features: Floats, cap: float) -> Floats:
    """Mean of the members for features (n, filters, coordinates), in steps, 0 to the cap."""
    inputs = torch.as_tensor(features, dtype=torch.float64)
    told = torch.stack([member(inputs)[:, 0] for member in members]).mean(dim=0)
    return np.clip((told.numpy() + 0.5) * cap, 0.0, cap)


def _under(tensors: Mapping[str, Any], start: str) -> dict[str, Any]:
    return {name.removeprefix(start): value for name, value in tensors.items() if name.startswith(start)}


def _member(weights: Mapping[str, Floats], features: Features, name: str) -> nn.Module:
    member = new_network(name, features, 0).double()
    try:
        member.load_state_dict({key: torch.as_tensor(np.asarray(value)) for key, value in weights.items()})
    except RuntimeError as unfit:
        message = f"weights do not fit the network: {unfit}"
        raise ValueError(message) from unfit
    return member

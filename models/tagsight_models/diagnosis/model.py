"""A trained diagnosis: which known fault it is, how sure that is, and whether it is any of them at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from tagsight_models.diagnosis.components import Component
from tagsight_models.diagnosis.features import LAGS, Scaling, Seen
from tagsight_models.diagnosis.judgement import Judgement
from tagsight_models.frame import Floats, Role
from tagsight_models.job_model import Results
from tagsight_models.job_output import JobOutput
from tagsight_models.parts import only, roles_of, said_of_roles
from tagsight_models.scoring_model import Expectation

BAND = 3.0  # spreads of the residual in normal time


@dataclass(frozen=True, slots=True, eq=False)
class DiagnosisModel:
    """A `JobModel`.

    The score is that of the component that is worst: the logarithm of the probability of normal, in units of its
    value at the limit. 0 is surely normal, 1.0 means that the probability of any fault has reached its limit. Where no
    class is the normal one, nothing is abnormal and the score is 0.

    Attributes:
        roles: order of the columns of every window.
        window_steps: steps of a window.
        grid_ns: distance of the steps.
        reference: shape (window_steps, roles), the mean normal window.
        seen: from windows to numbers.
        scaling: of these.
        judgements: one for each component.
    """

    kind: ClassVar[str] = "diagnosis"

    roles: tuple[Role, ...]
    window_steps: int
    grid_ns: int
    reference: Floats
    seen: Seen
    scaling: Scaling
    judgements: tuple[Judgement, ...]

    def features(self, windows: Floats) -> Floats:
        """Windows (n, window_steps, roles) in engineering units -> (n, features)."""
        return self.scaling(self.seen.numbers(np.asarray(windows, dtype=np.float64)))

    def score(self, windows: Floats) -> Floats:
        """Shape (n,); 1.0 is the limit."""
        features = self.features(windows)
        scores = [one.score(one.log_probabilities(features)) for one in self.judgements]
        return np.asarray(np.maximum(np.max(scores, axis=0), 0.0))

    def expectation(self, windows: Floats) -> Expectation:
        """What the linear model of normal time expects at the last step; of cycles, the mean normal one."""
        values = np.asarray(windows, dtype=np.float64)
        residual = self.seen.residual
        if residual is None:
            expected, spread = np.repeat(self.reference[-1][None], len(values), axis=0), self.seen.scale
        else:
            recent = self.seen.standardised(values[:, -1 - LAGS[-1] :])
            left = np.mean([residual.of(recent, part)[:, -1] for part in range(len(residual.linear))], axis=0)
            spread = residual.spread * self.seen.scale
            expected = values[:, -1] - left * spread
        return Expectation(expected, expected - BAND * spread, expected + BAND * spread)

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """What `results` gives."""
        found = []
        for one in (judgement.component for judgement in self.judgements):
            found.append(JobOutput(one.output("Class"), text=True, description=f"State of {one.shown}."))
            found += [
                JobOutput(
                    one.output("Probability", label),
                    low=0.0,
                    high=1.0,
                    description=f"Probability that {one.shown} is in the state {label}.",
                )
                for label in one.classes
            ]
        return tuple(found)

    def results(self, windows: Floats) -> Sequence[Results]:
        """Class and probabilities of every component."""
        features = self.features(windows)
        found: list[dict[str, float | str]] = [{} for _ in range(len(features))]
        for judgement in self.judgements:
            component = judgement.component
            chances = np.exp(judgement.log_probabilities(features))
            for n, named in enumerate(judgement.classes(features)):
                found[n][component.output("Class")] = named
                for number, label in enumerate(component.classes):
                    found[n][component.output("Probability", label)] = float(chances[n, number])
        return found

    def margin(self, windows: Floats, named: str, runner_up: str, component: str = "") -> Floats:
        """Why one class and not another: the logarithm of how much more probable `named` is, shape (n,).

        Raises:
            KeyError: no such component.
            ValueError: no such class.
        """
        judgement = {one.component.name: one for one in self.judgements}[component]
        found = judgement.log_probabilities(self.features(windows))
        classes = judgement.component.classes
        return np.asarray(found[:, classes.index(named)] - found[:, classes.index(runner_up)])

    def unfamiliar(self, windows: Floats) -> Floats:
        """Shape (n, components): above 1 the class of the component is unknown."""
        features = self.features(windows)
        return np.stack([one.unfamiliar(features) for one in self.judgements], axis=1)

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""
        return {
            "roles": said_of_roles(self.roles),
            "window_steps": self.window_steps,
            "grid_ns": self.grid_ns,
            "judgements": [one.to_json() for one in self.judgements],
        }

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""
        said = {
            "reference": self.reference,
            "numbers.centre": self.scaling.centre,
            "numbers.spread": self.scaling.spread,
        }
        said |= {f"seen.{name}": value for name, value in self.seen.tensors().items()}
        for number, one in enumerate(self.judgements):
            said |= {f"judgement{number}.{name}": value for name, value in one.tensors().items()}
        return said

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `description` and `tensors`.

        Raises:
            ValueError: parts that do not fit.
            KeyError: parts that are missing.
        """
        roles = roles_of(description["roles"])
        steps = int(description["window_steps"])
        seen = Seen.from_tensors(_below(tensors, "seen"), len(roles))
        scaling = Scaling(tensors["numbers.centre"], tensors["numbers.spread"])
        features = seen.numbers(np.zeros((1, steps, len(roles)))).shape[1]
        if scaling.centre.shape != (features,) or scaling.spread.shape != (features,):
            msg = "the scaling of other numbers"
            raise ValueError(msg)
        if tensors["reference"].shape != (steps, len(roles)):
            msg = "a reference of another shape"
            raise ValueError(msg)
        judgements = tuple(
            Judgement.from_parts(said, _below(tensors, f"judgement{number}"), features)
            for number, said in enumerate(description["judgements"])
        )
        made = cls(roles, steps, int(description["grid_ns"]), tensors["reference"], seen, scaling, judgements)
        only(made.tensors(), tensors)
        return made

    @property
    def components(self) -> tuple[Component, ...]:
        """What the classes are about."""
        return tuple(one.component for one in self.judgements)


def _below(tensors: Mapping[str, Floats], prefix: str) -> dict[str, Floats]:
    return {name[len(prefix) + 1 :]: value for name, value in tensors.items() if name.startswith(f"{prefix}.")}

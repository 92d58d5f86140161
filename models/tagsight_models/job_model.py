"""The seam of the jobs beside `health`: a scoring model that also has results of its own."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, Self, TypeAlias

from tagsight_models.frame import Floats
from tagsight_models.job_output import JobOutput
from tagsight_models.scoring_model import ScoringModel

Results: TypeAlias = Mapping[str, float | str]
"""Output name ("Class", "Probability/bearing", "RemainingLife", "Advice/reflux") -> value, engineering units."""


class JobModel(ScoringModel, Protocol):
    """A trained model of any job.

    Laws: those of `ScoringModel`; `results` is pure likewise, and gives exactly the names of `outputs`. The score is
    one number whatever the job: 0 is as it should be, 1.0 the alarm limit.

    A model travels as `description` (JSON values) and `tensors` (float64 arrays): `from_parts` of them scores the
    same to the last bit, and refuses with ValueError or KeyError what does not fit.
    """

    kind: ClassVar[str]

    @property
    def outputs(self) -> tuple[JobOutput, ...]:
        """What `results` gives: every name, in order."""

    def results(self, windows: Floats) -> Sequence[Results]:
        """Windows of shape (n, window_steps, roles) -> n results."""

    def description(self) -> dict[str, Any]:
        """Everything but the arrays, as JSON values."""

    def tensors(self) -> dict[str, Floats]:
        """The arrays."""

    @classmethod
    def from_parts(cls, description: Mapping[str, Any], tensors: Mapping[str, Floats]) -> Self:
        """The inverse of `description` and `tensors`."""

"""What a model says beside its score: named outputs, known as soon as it is trained. Imports no torch."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JobOutput:
    """One output of a job.

    Attributes:
        name: "Class", "Probability/bearing", "RemainingLife", "Advice/reflux".
        unit: engineering unit, "" for none.
        low: lower end of its range, None if there is none.
        high: upper end of it.
        text: its values are words.
        description: one line for people.
    """

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    text: bool = False
    description: str = ""

"""How explanations are computed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """One model's settings.

    Attributes:
        explainer: a name in `explainers.EXPLAINERS`.
        seconds: time budget of one explanation; `explain_many` has this times the number of windows.
        at_most_evaluations: windows that the model may score for one explanation. `fast` is exact where all
            coalitions fit in, that is up to 12 roles by default.
        seed: drawn permutations depend on it and on the window, nothing else.
    """

    explainer: str = "fast"
    seconds: float = 2.0
    at_most_evaluations: int = 4096
    seed: int = 0

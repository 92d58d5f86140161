"""How explanations are computed."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Absent: TypeAlias = Literal["", "reference", "normal", "conditional"]

OWN: Final = ""
REFERENCE: Final = "reference"
NORMAL: Final = "normal"
CONDITIONAL: Final = "conditional"


@dataclass(frozen=True, slots=True)
class ExplainSettings:
    """One model's settings.

    Attributes:
        explainer: a name in `explainers.EXPLAINERS`.
        seconds: time budget of one explanation; `explain_many` has this times the number of windows.
        at_most_evaluations: windows that the model may score for one explanation. `fast` is exact where all
            coalitions fit in, that is up to 12 players by default.
        seed: the permutations that are drawn depend on it alone: windows of one model share them, so that their
            explanations can be compared and share work.
        absent: what an absent role is (`absence`): at the model's `reference`, drawn from `normal` windows, or
            `conditional` on the present roles. "": `conditional` where the model can tell it itself, else `reference`.
        groups: names and roles of groups that play in the place of their roles; other roles play for themselves.
        relative_error: sampling goes on until its standard error is below this share of the contributions.
        top: ranks that must be settled before it ends.
    """

    explainer: str = "fast"
    seconds: float = 2.0
    at_most_evaluations: int = 4096
    seed: int = 0
    absent: Absent = OWN
    groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    relative_error: float = 0.05
    top: int = 5

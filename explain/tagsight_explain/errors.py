"""What computing an explanation raises. `explainers.explain` turns each into the failure text of an Explanation.

ExplainError
├── BudgetSpent  the time or the evaluations ended before there was a result
├── NotFinite    the window, or the score of a partly replaced window, is NaN or infinite
├── NoNormalWindows the chosen value function needs normal windows, and the model came with none
└── TooManyRoles the chosen explainer cannot do this many roles within its evaluations
"""

from dataclasses import dataclass


class ExplainError(Exception):
    """There is no explanation, for a reason that lies in the data, the model or the budget."""


@dataclass
class BudgetSpent(ExplainError):
    """The budget ended first: so many seconds ("s") or evaluations."""

    amount: float
    unit: str

    def __str__(self) -> str:
        return f"the budget of {self.amount:g} {self.unit} ended before there was a result"


@dataclass
class NotFinite(ExplainError):
    """Something that must be a number is not one. `what` names it."""

    what: str

    def __str__(self) -> str:
        return f"{self.what} is not a finite number"


@dataclass
class NoNormalWindows(ExplainError):
    """Absent roles cannot be what `absent` asks for."""

    absent: str

    def __str__(self) -> str:
        return f"`absent: {self.absent}` needs normal windows, and the model has none: train again"


@dataclass
class TooManyRoles(ExplainError):
    """An exact explainer was asked for more roles than its evaluations allow."""

    explainer: str
    roles: int
    at_most_evaluations: int

    def __str__(self) -> str:
        return (
            f"{self.explainer} needs 2^{self.roles} evaluations for {self.roles} roles, "
            f"{self.at_most_evaluations} are allowed: use `explainer: fast`"
        )

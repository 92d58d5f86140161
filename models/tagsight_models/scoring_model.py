"""The seam between a trained model and those who use it: scoring, explaining, rehearsing."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tagsight_models.frame import Flags, Floats, Role


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a model expects of each role at the last step of each window, in engineering units.

    All arrays have shape (windows, roles). `lower` and `upper` bound the normal band.
    """

    expected: Floats
    lower: Floats
    upper: Floats


@runtime_checkable
class ConditionalModel(Protocol):
    """A scoring model that can tell what an absent role would be, given the present ones.

    Laws: with every role present the windows come back as they were; with none they are the model's reference; what an
    absent role holds plays no part.
    """

    def given(self, windows: Floats, present: Flags) -> Floats:
        """Windows (n, window_steps, roles) with the roles that are not `present`, (n, roles), at their expectation."""


@runtime_checkable
class CoalitionModel(ConditionalModel, Protocol):
    """A conditional model that scores one window with many choices of present roles faster than one by one.

    Laws: with every role present it is `score`; within 1e-5 it is `score` of what `given` gives, or of the window with
    its absent roles at the reference. What the window says of the regime holds whichever roles are present.
    """

    def coalition_scores(self, window: Floats, present: Flags, *, conditional: bool) -> Floats:
        """One window (window_steps, roles) and present roles, (k, roles) -> scores, (k,)."""


@runtime_checkable
class DifferentiableModel(Protocol):
    """A scoring model that knows how its score changes with each value of a window.

    Laws: the slopes are those of `score` wherever it is smooth; where it has a kink, one of the two sides.
    """

    def slopes(self, windows: Floats) -> Floats:
        """Windows (n, window_steps, roles) -> the derivative of each score by each value, of the same shape."""


class ScoringModel(Protocol):
    """A trained model.

    Laws: `score` is a pure function of the windows (design law 15): what was scored before changes nothing, and
    what else is in the batch changes a score by at most 1e-6 relative. Windows hold no NaN: the caller gates.
    Nothing here reads a clock or a file.
    """

    @property
    def roles(self) -> tuple[Role, ...]:
        """Order of the columns of every window."""

    @property
    def window_steps(self) -> int:
        """Steps of a window, the lookback of the smoothing included."""

    @property
    def grid_ns(self) -> int:
        """Distance of the steps."""

    @property
    def reference(self) -> Floats:
        """Shape (window_steps, roles): the normal window that stands for an absent role in an explanation."""

    def score(self, windows: Floats) -> Floats:
        """Windows of shape (n, window_steps, roles) in engineering units -> scores, shape (n,); 1.0 is the limit."""

    def expectation(self, windows: Floats) -> Expectation:
        """Expected value and band of each role at the last step of each window."""

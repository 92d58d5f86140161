"""What an absent role is: three value functions. v(S) is the score of a window of which the roles in S are as observed.

(a) `Reference`: absent roles stand at the model's reference, the median of training.
(b) `Normal`: v(S) is the mean over normal windows that absent roles are taken from.
(c) `Conditional`: absent roles are at what the present ones make expect of them. Never at what all others make expect:
    that would hide a fault that coupled roles share.

| law                                                            | (a) | (b) | (c) |
|----------------------------------------------------------------|-----|-----|-----|
| base and contributions add up to the score (efficiency)        | yes | yes | yes |
| roles that change v alike get alike (symmetry)                 | yes | yes | yes |
| a role that changes no v gets 0 (dummy player)                 | yes | yes | yes |
| contributions of v + w are those of v plus those of w          | yes | yes | yes |
| hence: a role that the model ignores gets 0                    | yes | yes | no  |
| hence: a role that is as the reference is gets 0               | yes | no  | no  |
| two identical tags of which the model sees one: both get alike | no  | no  | yes |
| hence: masked windows keep the relations between roles         | no  | no  | yes |

The first four are laws of Shapley values and hold for every v; what they mean for roles depends on v. In (c) a role
that the model ignores changes what is expected of absent ones, so it may get a share through roles it belongs to.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from tagsight_explain.errors import NoNormalWindows
from tagsight_explain.settings import CONDITIONAL, NORMAL, OWN, REFERENCE, Absent
from tagsight_models.conditional import covariance_of, filled
from tagsight_models.frame import Flags, Floats
from tagsight_models.scoring_model import CoalitionModel, ConditionalModel, ScoringModel


class Absence(Protocol):
    """A value function.

    Attributes:
        windows_each: windows that the model scores for one coalition.
        together: coalitions of one window that are best asked for at once, at most; 1: those of many windows may mix.
    """

    windows_each: int
    together: int

    def values(self, windows: Floats, present: Flags) -> Floats:
        """Windows (n, window_steps, roles) and present roles (n, roles) -> v, shape (n,)."""

    def of_window(self, window: Floats, present: Flags) -> Floats:
        """The same of one window, (window_steps, roles), with k choices of present roles -> shape (k,)."""


@dataclass
class Reference:
    """Absent roles stand at the model's reference."""

    model: ScoringModel
    windows_each: int = 1
    together: int = 1
    _reference: Floats = field(init=False)

    def __post_init__(self) -> None:
        self._reference = np.asarray(self.model.reference, dtype=np.float64)

    def values(self, windows: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return _scores(self.model, np.where(present[:, None, :], windows, self._reference))

    def of_window(self, window: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return self.values(window[None], present)


@dataclass
class Normal:
    """Absent roles are taken from normal windows, (m, window_steps, roles); all of one coalition from the same one."""

    model: ScoringModel
    normal: Floats
    windows_each: int = field(init=False)
    together: int = 1

    def __post_init__(self) -> None:
        self.windows_each = len(self.normal)

    def values(self, windows: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        mixed = np.where(present[:, None, None, :], windows[:, None], self.normal)
        scores = _scores(self.model, mixed.reshape(-1, *windows.shape[1:]))
        return np.asarray(scores.reshape(len(present), -1).mean(axis=1))

    def of_window(self, window: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return self.values(window[None], present)


@dataclass
class Conditional:
    """Absent roles are at what the model itself makes expect of them from the present ones."""

    model: ScoringModel
    given: ConditionalModel
    windows_each: int = 1
    together: int = 1

    def values(self, windows: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return _scores(self.model, self.given.given(windows, present))

    def of_window(self, window: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return self.values(np.broadcast_to(window, (len(present), *window.shape)), present)


@dataclass
class Gaussian:
    """For models that do not tell what they expect: the formula of the conditional Gaussian from normal windows."""

    normal: Floats
    _centre: Floats = field(init=False)
    _scale: Floats = field(init=False)
    _covariance: Floats = field(init=False)

    def __post_init__(self) -> None:
        rows = self.normal.reshape(-1, self.normal.shape[2])
        spread = rows.std(axis=0)
        self._centre, self._scale = rows.mean(axis=0), np.where(spread > 0.0, spread, 1.0)
        self._covariance = covariance_of((rows - self._centre) / self._scale)

    def given(self, windows: Floats, present: Flags) -> Floats:
        """See `ConditionalModel`; with no role present it is the mean of the normal windows' rows."""
        found = filled((windows - self._centre) / self._scale, present, self._covariance)
        return np.where(present[:, None, :], windows, found * self._scale + self._centre)


@dataclass
class OfModel:
    """(a) or (c) of a model that scores many coalitions of one window faster by itself."""

    model: CoalitionModel
    conditional: bool
    together: int
    windows_each: int = 1

    def values(self, windows: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        pairs = zip(windows, present, strict=True)
        return np.array([self.of_window(window, each[None])[0] for window, each in pairs])

    def of_window(self, window: Floats, present: Flags) -> Floats:
        """See `Absence`."""
        return self.model.coalition_scores(window, present, conditional=self.conditional)


FEW_ROLES = 16  # all coalitions of which are few enough to be asked for at once
TOGETHER = (1024, 128, 16)  # coalitions asked for at once: of few roles, of up to ...
MANY_ROLES = 64  # ... so many, and of more


def absence(model: ScoringModel, absent: Absent, normal: Floats | None) -> Absence:
    """The value function that is chosen.

    Args:
        model: that is explained.
        absent: as in `ExplainSettings`.
        normal: normal windows (m, window_steps, roles) that came with the model; None: it has none.

    Raises:
        NoNormalWindows: they are needed, and there are none.
    """
    chosen = absent
    if absent == OWN:
        chosen = CONDITIONAL if isinstance(model, ConditionalModel) else REFERENCE
    if chosen in {REFERENCE, CONDITIONAL} and isinstance(model, CoalitionModel):
        return OfModel(model, chosen == CONDITIONAL, _together(model.roles))
    if chosen == REFERENCE:
        return Reference(model)
    if chosen == CONDITIONAL and isinstance(model, ConditionalModel):
        return Conditional(model, model)
    if normal is None or not len(normal):
        raise NoNormalWindows(NORMAL if chosen == NORMAL else CONDITIONAL)
    return Normal(model, normal) if chosen == NORMAL else Conditional(model, Gaussian(normal))


def _together(roles: Sequence[object]) -> int:
    if len(roles) <= FEW_ROLES:
        return TOGETHER[0]
    return TOGETHER[1] if len(roles) <= MANY_ROLES else TOGETHER[2]


def _scores(model: ScoringModel, windows: Floats) -> Floats:
    return np.asarray(model.score(windows), dtype=np.float64)

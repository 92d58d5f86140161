"""Who plays: roles, and groups of roles that engineers name (a loop, a unit)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Flags

Groups = Sequence[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Players:
    """The players of a game on roles.

    Attributes:
        names: of the players; a group stands where its first role does.
        of_role: shape (roles,), the number of the player that each role belongs to.
    """

    names: tuple[str, ...]
    of_role: NDArray[np.intp]

    @classmethod
    def of(cls, roles: Sequence[str], groups: Groups = ()) -> "Players":
        """Roles in no group play for themselves. Roles that the model does not have count for nothing."""
        group_of = {role: name for name, members in groups for role in members}
        own = [group_of.get(role, role) for role in roles]
        names = tuple(dict.fromkeys(own))
        numbers = {name: number for number, name in enumerate(names)}
        return cls(names, np.array([numbers[name] for name in own], dtype=np.intp))

    def present(self, coalitions: Flags) -> Flags:
        """Coalitions of players, (k, players) -> present roles, (k, roles)."""
        return coalitions[:, self.of_role]

"""Which columns of a window are what for production."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats, Role
from tagsight_models.production.settings import ProductionSettings


@dataclass(frozen=True, slots=True)
class Columns:
    """Numbers of columns.

    Attributes:
        target: of the target, where it is among the inputs: it tells what is, and predicts nothing.
        seen: all that predict.
        adjustable: that operators may move, in the order of the settings.
        conditions: that no such move changes.
    """

    target: int | None
    seen: tuple[int, ...]
    adjustable: tuple[int, ...]
    conditions: tuple[int, ...]

    @property
    def steering(self) -> tuple[int, ...]:
        """What a gain is predicted from: settings and conditions, in the order of the columns."""
        return tuple(sorted({*self.adjustable, *self.conditions}))

    @classmethod
    def of(
        cls,
        names: Sequence[str],
        target: str,
        adjustable: Iterable[str],
        conditions: Sequence[str],
        waits: Iterable[str] = (),
    ) -> "Columns":
        """By the names of the roles; `waits` are those of stations, which are consequences and never conditions."""
        at = names.index(target) if target in names else None
        seen = tuple(column for column in range(len(names)) if column != at)
        moved = tuple(names.index(role) for role in adjustable)
        rest = [names[column] for column in seen if column not in moved and names[column] not in set(waits)]
        chosen = (conditions or rest) if moved else conditions
        return cls(at, seen, moved, tuple(sorted(names.index(role) for role in chosen)))


def check_roles(roles: Sequence[Role], rows: Floats, target: str, settings: ProductionSettings) -> None:
    """Raise UnusableInput for settings that name what is no input, or bounds that hold nothing that was seen.

    Args:
        roles: the usable inputs.
        rows: shape (n, roles), their values in training.
        target: its name.
        settings: of the job.
    """
    names = [role.name for role in roles]
    inputs = ", ".join(sorted(set(names) - {target}))
    named = dict.fromkeys(settings.adjustable, "adjustable") | dict.fromkeys(settings.conditions, "a condition")
    named |= {role: f"of station {station}" for station, waits in settings.stations.items() for role in waits}
    for role, use in named.items():
        if role not in names or role == target:
            what = "the target itself" if role == target else "no usable input"
            raise UnusableInput(role, f"it is {use}, but {what}", f"Inputs are {inputs}.")
    _check_stations(settings.stations)
    for role, (low, high) in settings.adjustable.items():
        seen = rows[:, names.index(role)]
        if not low < high:
            raise UnusableInput(role, f"its lower bound {low:g} is not below {high:g}", "Correct its bounds.")
        if low > seen.max() or high < seen.min():
            cause = f"it never was between its bounds {low:g} and {high:g}, only from {seen.min():g} to {seen.max():g}"
            raise UnusableInput(role, cause, "Give bounds that hold some of what the training data shows.")
        if role in settings.conditions:
            raise UnusableInput(role, "it is adjustable and a condition", "Take it out of one of them.")


def _check_stations(stations: Mapping[str, tuple[str, ...]]) -> None:
    for station, waits in stations.items():
        if not 1 <= len(waits) <= 2:
            mend = "Give the role that is 1 while it is starved, then that of blocked; or one for both."
            raise UnusableInput(station, f"the station has {len(waits)} roles, it needs one or two", mend)
    if len(stations) == 1:
        raise UnusableInput(next(iter(stations)), "it is the only station", "Name all stations, in the order of flow.")

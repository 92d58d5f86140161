"""Which roles can be inputs of a model: those that vary where it learns. Others are left out, or refused, by name."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Frame
from tagsight_models.statistics.out_of_fold import blocks


def unusable(frame: Frame) -> dict[str, str]:
    """Roles without a value that counts, or with one value only; each with its cause."""
    found: dict[str, str] = {}
    for column, role in enumerate(frame.roles):
        values = frame.values[:, column][(frame.reasons[:, column] == 0) & np.isfinite(frame.values[:, column])]
        if values.size == 0:
            found[role.name] = "no usable value in the training data"
        elif values.min() == values.max():
            found[role.name] = f"constant ({values[0]:g}) in the training data"
    return found


def constant(frame: Frame, rows: Floats, *, folded: bool) -> dict[str, str]:
    """Roles that do not vary in the rows that are learned from, or, where these are `folded`, in one fold only."""
    never = np.ptp(rows, axis=0) == 0.0
    once = never.copy()
    for block in blocks(len(rows)) if folded else ():
        once |= np.ptp(np.delete(rows, block, axis=0), axis=0) == 0.0
    return {
        role.name: "constant in the steps that are learned from" if never[n] else "constant but for one stretch"
        for n, role in enumerate(frame.roles)
        if once[n]
    }


def narrowed(frame: Frame, causes: Mapping[str, str], *, drop: bool) -> Frame:
    """Without these roles.

    Raises:
        UnusableInput: that is not wanted, or leaves nothing.
        TooLittleData: no role has any value.
    """
    if not causes:
        return frame
    kept = [column for column, role in enumerate(frame.roles) if role.name not in causes]
    if not kept and all("usable" in cause for cause in causes.values()):
        raise TooLittleData("training a health model", 0, 1)
    if not drop or not kept:
        name, cause = next(iter(causes.items()))
        others = f"; so are {', '.join(list(causes)[1:])}" if len(causes) > 1 else ""
        raise UnusableInput(name, cause + others)
    return replace(
        frame,
        values=frame.values[:, kept],
        reasons=frame.reasons[:, kept],
        uncertain=frame.uncertain[:, kept],
        roles=tuple(frame.roles[column] for column in kept),
    )

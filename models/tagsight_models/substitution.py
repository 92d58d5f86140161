"""Which roles of a window can be replaced by their estimates, so that a few missing inputs do not stop a model.

A role is replaced over its whole window when some of its samples there do not count and cannot be bridged: what stood
before a sensor failed may be wrong already. Nothing is replaced where the machine is the reason (stopped, starting,
excluded), or where more roles than the allowed share would have to be.
"""

from typing import Final

import numpy as np

from tagsight_models.frame import Flags
from tagsight_models.reasons import Reason
from tagsight_models.windows import HOLE_SHARE, HOLE_STEPS, Windows

FEWEST_ROLES: Final = 3
"""A model of fewer has nothing left to compare with when one is replaced."""


def most_replaced(share: float, roles: int) -> int:
    """How many roles may be replaced at once: the share rounded down, but at least one; none where it is 0."""
    return max(1, int(share * roles)) if share > 0.0 and roles >= FEWEST_ROLES else 0


def replaceable(cut: Windows, share: float, *, hole_steps: int = HOLE_STEPS) -> Flags:
    """Shape (n, roles): the roles to replace so that the window can be scored; none where that does not help."""
    steps = cut.reasons.shape[1]
    unused = cut.reasons != Reason.USED
    bridged = (unused & ~cut.too_long).sum(axis=1) > max(hole_steps, int(HOLE_SHARE * steps))
    faulty = cut.too_long.any(axis=1) | unused[:, -1] | bridged
    machine = (cut.reasons >= Reason.CONDITION_UNKNOWN).any(axis=(1, 2))
    count = faulty.sum(axis=1)
    few = (count > 0) & (count <= most_replaced(share, len(cut.roles)))
    return np.asarray(faulty & (few & ~machine & ~cut.usable)[:, None], dtype=np.bool_)


def why_replaced(cut: Windows, n: int, column: int) -> Reason:
    """Why a role of window `n` is replaced: what stands at the last step, else the highest reason inside."""
    reasons = cut.reasons[n, :, column]
    return Reason(int(reasons[-1] or reasons.max()))

"""A few normal windows of the training time, kept with a model: an explanation may take absent roles from them."""

from typing import Final

import numpy as np

from tagsight_models.frame import Floats, Frame
from tagsight_models.scoring_model import ScoringModel
from tagsight_models.windows import windows

KEPT: Final = 8
TRIED: Final = 64
MOST_NUMBERS: Final = 2_000_000
"""Of all that are tried together: a model of very many roles tries fewer."""


def normal_windows(model: ScoringModel, frame: Frame) -> Floats:
    """At most `KEPT`, evenly over the time, of those that score no higher than half of all; (m, window_steps, roles).

    `frame` may hold more roles than the model takes.
    """
    cut = windows(frame, model.window_steps)
    columns = [cut.roles.index(role.name) for role in model.roles]
    usable = np.flatnonzero(cut.usable)
    tried = min(TRIED, max(KEPT, MOST_NUMBERS // max(1, model.window_steps * len(columns))))
    chosen = usable[_evenly(len(usable), tried)]
    found = np.ascontiguousarray(cut.values[chosen][:, :, columns])
    if not len(found):
        return found
    scores = model.score(found)
    normal = found[scores <= np.median(scores)]
    return np.ascontiguousarray(normal[_evenly(len(normal), KEPT)])


def _evenly(count: int, wanted: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(np.intp))

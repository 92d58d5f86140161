"""Values of some tags, one a minute from a fixed time on, as histories: what tests of the jobs share."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import GOOD
from tagsight_models.frame import Floats

MINUTE: Final = 60_000_000_000
START: Final = 1_760_000_040_000_000_000 // MINUTE * MINUTE


def histories(values: Floats, roles: Sequence[str], first: int, last: int) -> dict[str, TagHistory]:
    """Steps `first` to `last` (not included) of values (steps, roles), all Good, by role."""
    times = START + np.arange(first, last, dtype=np.int64) * MINUTE
    good = np.full(last - first, GOOD, dtype=np.uint32)
    return {role: TagHistory(times, values[first:last, n].copy(), good) for n, role in enumerate(roles)}

"""The bottleneck of a line: the station that starves what follows and blocks what precedes it, and itself waits least.

Arrows point from each station to its neighbour that holds it up: downstream where it is blocked more than the next one
is starved, upstream where it is less (C.-T. Kuo, J.-T. Lim, S. Meerkov, "Bottlenecks in serial production lines: a
system-theoretic approach", 1996; the turning point of L. Li, Q. Chang, J. Ni, 2009, is the same place). A station
without an arrow away from it is a bottleneck; of several, the one with the greatest severity: what its neighbours wait
for it, less what it waits for them. Where a line tells waiting alone, the station that waits least.
"""

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats


def waiting(starved: Floats, blocked: Floats) -> Floats:
    """Share of time that each station waits, 0 to 1, of shares of the same shape."""
    return np.asarray(np.clip(starved + blocked, 0.0, 1.0))


def severity(starved: Floats, blocked: Floats) -> Floats:
    """Shares of shape (stations,) in the order of the flow -> severity of each."""
    behind = np.concatenate([blocked[:1], blocked[:-1]])
    before = np.concatenate([starved[1:], starved[-1:]])
    found = behind + before - starved - blocked
    if len(found) > 1:
        found[0] = starved[1] - blocked[0]
        found[-1] = blocked[-2] - starved[-1]
    return np.asarray(found)


def ranked(starved: Floats, blocked: Floats, *, told_apart: bool) -> NDArray[np.intp]:
    """Numbers of the stations, the bottleneck first.

    Args:
        starved: shape (stations,), share of time; what is waited for whatever reason where they are not told apart.
        blocked: the same.
        told_apart: starved and blocked are known of every station.
    """
    waits = waiting(starved, blocked)
    if not told_apart:
        return np.lexsort((np.arange(len(waits)), waits))
    return np.lexsort((waits, -severity(starved, blocked), _arrows_away(starved, blocked)))


def _arrows_away(starved: Floats, blocked: Floats) -> NDArray[np.int64]:
    away = np.zeros(len(starved), dtype=np.int64)
    downstream = blocked[:-1] > starved[1:]
    away[:-1] += downstream
    away[1:] += ~downstream
    return away

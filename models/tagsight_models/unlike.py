"""Training data that is unlike the rest of it: faults that nobody reported must not become normal behaviour.

Time is cut into blocks of a window. Each block has a distance from a fit to the other folds of time (Mahalanobis, on
values bounded to `BOUND` robust spreads, so that a fault hardly shapes what it is measured with). Blocks far beyond all
others, by the spread that most blocks have, are left out, and the fit is made once more without them. A rare but proper
state of the machine is left out alike, and the model then calls it abnormal: the card says how much was left out.

At most `MOST` of the blocks: more is no fault in normal time but a state of its own, which nobody but the engineer can
call abnormal, and then nothing is left out.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Flags, Floats
from tagsight_models.reasons import Reason
from tagsight_models.statistics.mahalanobis import Mahalanobis
from tagsight_models.statistics.out_of_fold import blocks, without
from tagsight_models.statistics.statistic import present
from tagsight_models.training_rows import TrainingRows

MOST: Final = 0.1
BOUND: Final = 6.0
SPREADS: Final = 6.0  # of the logarithms of all blocks' distances
LEAST: Final = 2.0  # times the usual squared distance: what is nearer is never far
ROUNDS: Final = 3
FEWEST: Final = 20  # blocks below which nothing is said of any


def without_unlike(rows: TrainingRows, window_steps: int) -> TrainingRows:
    """The rows without those that are unlike the rest; the reason is in the frame, and so in the card.

    A time that the engineer named as normal stays whole.
    """
    asked = rows.learned if rows.span_given else rows.values
    found = unlike(asked, window_steps)
    if not found.any():
        return rows
    reasons = np.where(
        found[:, None] & (rows.frame.reasons == Reason.USED), np.uint8(Reason.UNLIKE), rows.frame.reasons
    )
    values = np.where(found[:, None], np.nan, rows.values)
    trimmed = replace(rows, frame=replace(rows.frame, reasons=reasons), values=values)
    try:
        trimmed.check(window_steps)
    except TooLittleData:
        return rows
    return rows if trimmed.constant(window_steps) else trimmed


def unlike(values: Floats, window_steps: int) -> Flags:
    """Which rows of a series (steps, roles) with NaN rows are in blocks far beyond the others, shape (steps,)."""
    found = np.zeros(len(values), dtype=np.bool_)
    usable = np.flatnonzero(present(values))
    count = len(usable) // window_steps
    if count < FEWEST:
        return found
    bounded = _bounded(values)
    block = np.full(len(values), -1)
    block[usable] = np.minimum(np.arange(len(usable)) // window_steps, count - 1)
    out = np.zeros(count, dtype=np.bool_)
    for _ in range(ROUNDS):
        learned = np.where((out[block] & (block >= 0))[:, None], np.nan, bounded)
        far = _far(_distances(learned, bounded), block, count)
        if far.mean() > MOST:
            return found
        if (far == out).all():
            break
        out = far
    found[usable] = out[block[usable]]
    return found


def _bounded(values: Floats) -> Floats:
    """In robust spreads, within `BOUND`; a fault stays visible and no longer outweighs everything."""
    centre = np.nanmedian(values, axis=0)
    usual = 1.4826 * np.nanmedian(np.abs(values - centre), axis=0)
    overall = np.nanstd(values, axis=0)
    scale = np.where(usual > 0.2 * overall, usual, np.maximum(overall, 1e-300))
    return np.asarray(np.clip((values - centre) / scale, -BOUND, BOUND))


def _distances(learned: Floats, values: Floats) -> Floats:
    """Squared distance of each row of `values` from a fit to the rows of `learned` in the other folds."""
    found = np.full(len(values), np.nan)
    for chosen in blocks(len(values)):
        rest = without(learned, chosen)
        if present(rest).sum() > 2 * values.shape[1]:
            found[chosen] = Mahalanobis.fit(rest).rows(values[chosen])
    return found


def _far(distances: Floats, block: np.ndarray, count: int) -> Flags:
    """Which blocks lie far beyond most."""
    known = (block >= 0) & np.isfinite(distances)
    order = np.argsort(block[known], kind="stable")
    numbers, values = block[known][order], distances[known][order]
    middle = np.full(count, np.nan)
    for number, part in zip(np.unique(numbers), np.split(values, np.flatnonzero(np.diff(numbers)) + 1), strict=True):
        middle[number] = np.median(part)
    logs = np.log(np.maximum(middle, 1e-12))
    usual = np.nanmedian(logs)
    spread = 1.4826 * np.nanmedian(np.abs(logs - usual))
    return np.asarray(np.nan_to_num(logs, nan=usual) > usual + max(SPREADS * spread, np.log(LEAST)), dtype=np.bool_)

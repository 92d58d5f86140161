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
from tagsight_models.frame import LARGEST, Flags, Floats
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
PIECE: Final = 5  # steps by which what is left out grows towards its ends
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
    if np.abs(values[usable]).max() > LARGEST:
        return found  # no sensor tells such a value: the fit refuses it, and says which role
    rows = _bounded(values[usable])
    block = np.minimum(np.arange(len(rows)) // window_steps, count - 1)
    out = np.zeros(count, dtype=np.bool_)
    for _ in range(ROUNDS):
        distances = _distances(np.where(out[block][:, None], np.nan, rows), rows)
        middle = np.array([np.median(part) for part in np.split(distances, np.flatnonzero(np.diff(block)) + 1)])
        limit = _limit(middle)
        far = middle > limit
        if far.mean() > MOST:
            return found
        if (far == out).all():
            break
        out = far
    found[usable] = _to_its_ends(out[block], distances > limit, window_steps)
    return found


def _limit(middle: Floats) -> float:
    """Squared distance that most blocks stay far below."""
    logs = np.log(np.maximum(middle, 1e-12))
    usual = float(np.median(logs))
    spread = 1.4826 * float(np.median(np.abs(logs - usual)))
    return float(np.exp(usual + max(SPREADS * spread, np.log(LEAST))))


def _to_its_ends(out: Flags, beyond: Flags, window_steps: int) -> Flags:
    """The rows that are out, and on either side of them, piece by piece, those that are mostly beyond the limit too."""
    wider = out.copy()
    for rows, judged in ((wider, beyond), (wider[::-1], beyond[::-1])):
        for end in np.flatnonzero(rows[:-1] & ~rows[1:]) + 1:
            for start in range(int(end), int(end) + window_steps, PIECE):
                piece = slice(start, start + PIECE)
                if not judged[piece].mean() > 0.5:
                    break
                rows[piece] = True
    return wider


def _bounded(values: Floats) -> Floats:
    """In robust spreads, within `BOUND`; a fault stays visible and no longer outweighs everything."""
    centre = np.median(values, axis=0)
    usual = 1.4826 * np.median(np.abs(values - centre), axis=0)
    overall = values.std(axis=0)
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

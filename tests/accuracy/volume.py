"""Volume under the precision-recall surface, after J. Paparrizos and others, "Volume Under the Surface", VLDB 2022.

For each width w, a row at distance d <= w from an event counts as anomalous by sqrt(1 - d / w), so that an alarm a
little early or late is not wholly wrong. Precision and recall weigh the rows by that; the area under them is that of
average precision. The volume is the mean over the widths. (The paper also weighs recall by the share of events touched;
not here.)
"""

from collections.abc import Sequence

import numpy as np

from tagsight_models.frame import Flags, Floats

WIDTHS = (0, 10, 20, 30, 40)


def volume_under_precision_recall(scores: Floats, labels: Flags, widths: Sequence[int] = WIDTHS) -> float:
    """Scores and labels of shape (rows,) -> 0 to 1."""
    return float(np.mean([_average_precision(scores, softened(labels, width)) for width in widths]))


def softened(labels: Flags, width: int) -> Floats:
    """Labels that fade out beside each event."""
    rows = np.flatnonzero(labels)
    if not width or not len(rows):
        return labels.astype(np.float64)
    index = np.arange(len(labels))
    after = np.clip(np.searchsorted(rows, index), 0, len(rows) - 1)
    before = np.maximum(after - 1, 0)
    distance = np.minimum(np.abs(rows[after] - index), np.abs(rows[before] - index))
    return np.sqrt(np.clip(1.0 - distance / width, 0.0, 1.0))


def _average_precision(scores: Floats, weights: Floats) -> float:
    order = np.argsort(-scores, kind="stable")
    last = np.concatenate([np.flatnonzero(np.diff(scores[order])), [len(order) - 1]])  # equal scores stand together
    found = np.cumsum(weights[order])[last]
    precision = found / (last + 1)
    recall = found / found[-1]
    return float((np.diff(np.concatenate([[0.0], recall])) * precision).sum())

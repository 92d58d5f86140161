"""Which labelled windows are held out together, so that what is told of a model is told of time that it did not see.

Where every class is there in several independent groups (combinations of labels where several components are
labelled, else separate stretches of the same label), whole groups are held out. Where some class is there in one
stretch only, all stretches are cut into blocks of time, and the first block is always learned from: nothing else shows
how a fault begins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tagsight_models.diagnosis.labelled_windows import NOT_LABELLED, LabelledWindows
from tagsight_models.frame import Flags


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """How labelled windows are held out.

    Attributes:
        held: shape (folds, n), the window is held out.
        learned: shape (folds, n), the window is learned from; some are neither: they share steps with held-out ones.
        words: how, for people.
    """

    held: NDArray[np.bool_]
    learned: NDArray[np.bool_]
    words: str


def folds_of(made: LabelledWindows, count: int) -> Folds:
    """Groups where there are enough, else blocks."""
    groups = _groups(made)
    if _several(made, groups):
        fold = _dealt(made, groups, count)
        held = np.stack([fold == one for one in range(count)])
        what = "combinations of labels" if len(made.components) > 1 else "separate stretches"
        return Folds(held, ~held, f"{count} folds of whole {what} ({len(np.unique(groups))} in all)")
    blocks = [_block(made, one + 1, count + 1) for one in range(count)]
    words = f"{count} later blocks of each labelled stretch in turn, its first block always learned from"
    return Folds(np.stack([held for held, _ in blocks]), np.stack([learned for _, learned in blocks]), words)


def _groups(made: LabelledWindows) -> NDArray[np.intp]:
    if len(made.components) > 1:
        return np.asarray(np.unique(made.labels, axis=0, return_inverse=True)[1], dtype=np.intp).reshape(-1)
    return made.periods


def _several(made: LabelledWindows, groups: NDArray[np.intp]) -> bool:
    """Whether each class of each component is there in two groups or more."""
    return all(
        len(np.unique(groups[made.labels[:, column] == number])) > 1
        for column, one in enumerate(made.components)
        for number in range(len(one.classes))
    )


def _dealt(made: LabelledWindows, groups: NDArray[np.intp], count: int) -> NDArray[np.intp]:
    """Fold of each window: groups of rare classes first, each to the fold that has the least of its classes."""
    sizes = {
        (column, number): int((made.labels[:, column] == number).sum())
        for column, one in enumerate(made.components)
        for number in range(len(one.classes))
    }
    members = {int(one): np.flatnonzero(groups == one) for one in np.unique(groups)}
    classes = {
        group: [(column, int(one)) for column, one in enumerate(made.labels[rows[0]]) if one != NOT_LABELLED]
        for group, rows in members.items()
    }
    fold = np.zeros(len(made), dtype=np.intp)
    held = {one: np.zeros(count) for one in sizes}
    total = np.zeros(count)
    for group in sorted(members, key=lambda one: (min(sizes[kind] for kind in classes[one]), -len(members[one]), one)):
        shares = sum((held[kind] / sizes[kind] for kind in classes[group]), start=np.zeros(count))
        chosen = min(range(count), key=lambda one: (round(float(shares[one]), 9), float(total[one])))
        for kind in classes[group]:
            held[kind][chosen] += len(members[group])
        total[chosen] += len(members[group])
        fold[members[group]] = chosen
    return fold


def _block(made: LabelledWindows, number: int, count: int) -> tuple[Flags, Flags]:
    """Windows inside one block of their stretch, and windows that share no step with it."""
    first, last = made.stretches[made.periods].T
    length = last - first + 1
    start, stop = first + number * length // count, first + (number + 1) * length // count
    held = (made.starts >= start) & (made.ends < stop)
    own_start = np.maximum(made.starts, first)
    learned = (made.ends < start) | (own_start >= stop)
    return held, learned & ~_completed_from(made, start, stop, held)


def _completed_from(made: LabelledWindows, start: NDArray[np.intp], stop: NDArray[np.intp], held: Flags) -> Flags:
    """Windows that are completed with normal time of the block."""
    blocks = sorted({(int(a), int(b)) for a, b in zip(start[made.normal], stop[made.normal], strict=True)})
    steps = made.values.shape[1]
    lengths = steps - (made.ends - made.starts + 1)
    shared = np.zeros(len(made), dtype=np.bool_)
    for block_start, block_stop in blocks:
        last = made.completed_to
        shared |= (last >= block_start) & (last - lengths < block_stop)
    return shared & (made.completed_to >= 0) & ~held

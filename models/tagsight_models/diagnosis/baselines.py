"""What a diagnosis is compared with on the same held-out windows: the commonest class, and the nearest class mean."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tagsight_models.frame import Floats


def guesses(learned: tuple[Floats, NDArray[np.intp]], held: Floats, count: int) -> Mapping[str, NDArray[np.intp]]:
    """Classes of held-out windows by the simple methods.

    Args:
        learned: windows (n, steps, roles) and their classes.
        held: windows.
        count: of classes.
    """
    values, classes = learned
    commonest = int(np.bincount(classes, minlength=count).argmax())
    means, held_means = values.mean(axis=1), held.mean(axis=1)
    present = np.unique(classes)
    centres = np.stack([means[classes == one].mean(axis=0) for one in present])
    within = np.mean([means[classes == one].var(axis=0) for one in present], axis=0)
    spread = np.sqrt(within) + 1e-9 * means.std(axis=0) + 1e-12
    apart = (((held_means[:, None] - centres[None]) / spread) ** 2).sum(axis=2)
    return {
        "the commonest class": np.full(len(held), commonest, dtype=np.intp),
        "the nearest class mean": present[apart.argmin(axis=1)],
    }

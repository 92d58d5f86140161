"""Which roles drive the target, for the card: the mean size of their Shapley values over held-out windows.

The game is that of the explanations: an absent role is at its reference. Values are averaged over orders in which roles
come in, drawn at random (antithetic: each order and its reverse); they are about the model, not about causes.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from tagsight_models.frame import Floats

WINDOWS: Final = 100
ORDERS: Final = 3


def drivers(predict: Callable[[Floats], Floats], windows: Floats, reference: Floats, seed: int = 0) -> Floats:
    """Mean absolute Shapley value of each role, shape (roles,), in units of the target.

    Args:
        predict: windows (n, steps, roles) -> values (n,).
        windows: shape (n, steps, roles); thinned evenly to 100.
        reference: shape (steps, roles), what stands for an absent role.
        seed: of the orders.
    """
    rows = windows[:: -(-len(windows) // WINDOWS)]
    count, random = windows.shape[2], np.random.default_rng(seed)
    total = np.zeros((len(rows), count))
    for _ in range(ORDERS):
        order = random.permutation(count)
        for each in (order, order[::-1]):
            present = np.tile(reference, (len(rows), 1, 1))
            before = predict(present)
            for role in each:
                present[:, :, role] = rows[:, :, role]
                after = predict(present)
                total[:, role] += after - before
                before = after
    return np.asarray(np.abs(total / (2 * ORDERS)).mean(axis=0))

"""What absent roles are expected to be, given the present ones: the formula of the conditional Gaussian.

E[x_absent | x_present] = mean + C_ap C_pp^-1 (x_present - mean), step by step, from the covariance of normal time.
Present roles alone are looked at: what an absent role really was plays no part.
"""

import numpy as np

from tagsight_models.frame import Flags, Floats
from tagsight_models.statistics.linear_algebra import shrunk_covariance

OUTLIER = 6.0  # standardised values beyond this count as this


def covariance_of(rows: Floats) -> Floats:
    """Of standardised normal rows (n, roles), shrunk so that it has an inverse; shape (roles, roles)."""
    bounded = np.clip(rows, -OUTLIER, OUTLIER)
    found = shrunk_covariance(bounded)
    return np.asarray(found + 1e-6 * np.eye(len(found)))


def filled(windows: Floats, present: Flags, covariance: Floats) -> Floats:
    """Standardised windows with each absent role at its expectation from the present ones.

    Args:
        windows: shape (n, steps, roles), standardised about the mean.
        present: shape (n, roles).
        covariance: shape (roles, roles), of normal rows.
    """
    patterns, which = np.unique(present, axis=0, return_inverse=True)
    seen = np.where(present[:, None, :], windows, 0.0)
    estimates = np.matmul(seen, maps_of(patterns, covariance)[which.ravel()])
    return np.where(present[:, None, :], windows, estimates)


def maps_of(present: Flags, covariance: Floats) -> Floats:
    """The matrix of each pattern that a standardised row is multiplied with to be filled: (k, roles, roles).

    The roles are taken in one after the other; each brings what the ones before do not tell of it. Patterns that begin
    alike share that work, so that all 2^roles of them cost little more than the last role alone.
    """
    roles = covariance.shape[0]
    which = np.zeros(len(present), dtype=np.int64)
    maps, left = np.zeros((1, roles, roles)), covariance[None]
    for role in range(roles):
        found, which = np.unique(2 * which + present[:, role], return_inverse=True)
        before, joins = found // 2, (found % 2).astype(np.bool_)
        maps, left = maps[before], left[before]
        gain = left[joins, role] / left[joins, role, role, None]
        new = -maps[joins, :, role]
        new[:, role] += 1.0
        maps[joins] += new[:, :, None] * gain[:, None, :]
        left[joins] -= left[joins, :, role, None] * gain[:, None, :]
    return np.where(present[:, None, :], np.eye(roles), maps[which])

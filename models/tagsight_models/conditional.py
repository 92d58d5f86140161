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
    seen = present.astype(np.float64)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    both = patterns[:, :, None] * patterns[:, None, :]
    own = np.eye(covariance.shape[0]) * (1.0 - patterns[:, :, None])
    weights = np.linalg.solve(covariance * both + own, covariance * patterns[:, :, None])
    estimates = np.matmul(windows * seen[:, None, :], weights[which.ravel()])
    return np.where(present[:, None, :], windows, estimates)

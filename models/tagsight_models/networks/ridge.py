"""Ridge regression of each role on the context of all others, in closed form, strength chosen on blocked folds."""

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.out_of_fold import blocks

STRENGTHS = (0.003, 0.03, 0.3, 3.0)


def leave_role_out_ridge(context: Floats, roles: int) -> Floats:
    """Coefficients of shape (columns, roles) from standardised context rows (n, columns = lags * roles).

    The first `roles` columns are the present. A role's own columns have coefficient 0.
    """
    present = context[:, :roles]
    grams = [context[block].T @ context[block] for block in blocks(len(context))]
    total = sum(grams)
    errors = np.zeros(len(STRENGTHS))
    for block, gram in zip(blocks(len(context)), grams, strict=True):
        rows = len(context) - len(block)
        for number, strength in enumerate(STRENGTHS):
            fitted = _solve((total - gram) / rows, roles, strength)
            errors[number] += float(((present[block] - context[block] @ fitted) ** 2).sum())
    return _solve(np.asarray(total) / len(context), roles, STRENGTHS[int(errors.argmin())])


def _solve(gram: Floats, roles: int, strength: float) -> Floats:
    """One inverse serves all roles: leaving a role out is a Schur complement of the whole inverse."""
    columns = len(gram)
    inverse = np.linalg.inv(gram + strength * np.eye(columns))
    fitted = np.zeros((columns, roles))
    for role in range(roles):
        own = np.arange(role, columns, roles)
        target = gram[:, role].copy()
        target[own] = 0.0
        whole = inverse @ target
        fitted[:, role] = whole - inverse[:, own] @ np.linalg.solve(inverse[np.ix_(own, own)], whole[own])
        fitted[own, role] = 0.0
    return fitted

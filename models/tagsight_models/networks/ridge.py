"""Ridge regression of each role on the context of all others, in closed form, strength chosen on blocked folds."""

import numpy as np

from tagsight_models.frame import Floats
from tagsight_models.statistics.out_of_fold import blocks

STRENGTHS = (0.003, 0.03, 0.3, 3.0)
TOWARDS = (*STRENGTHS, 30.0, 300.0, 1e6)  # the last leaves a sister's coefficients as they are


def leave_role_out_ridge(context: Floats, roles: int, towards: Floats | None = None) -> Floats:
    """Coefficients of shape (columns, roles) from standardised context rows (n, columns = lags * roles).

    The first `roles` columns are the present. A role's own columns have coefficient 0. Coefficients shrink to 0, or
    to those of a sister machine: `towards`, of the same shape.
    """
    strengths = STRENGTHS if towards is None else TOWARDS
    present = context[:, :roles]
    grams = [context[block].T @ context[block] for block in blocks(len(context))]
    total = sum(grams)
    errors = np.zeros(len(strengths))
    for block, gram in zip(blocks(len(context)), grams, strict=True):
        rows = len(context) - len(block)
        for number, strength in enumerate(strengths):
            fitted = _solve((total - gram) / rows, roles, strength, towards)
            errors[number] += float(((present[block] - context[block] @ fitted) ** 2).sum())
    return _solve(np.asarray(total) / len(context), roles, strengths[int(errors.argmin())], towards)


def _solve(gram: Floats, roles: int, strength: float, towards: Floats | None) -> Floats:
    """One inverse serves all roles: leaving a role out is a Schur complement of the whole inverse."""
    columns = len(gram)
    inverse = np.linalg.inv(gram + strength * np.eye(columns))
    fitted = np.zeros((columns, roles)) if towards is None else towards.copy()
    wanted = gram[:, :roles] - gram @ fitted
    for role in range(roles):
        own = np.arange(role, columns, roles)
        target = wanted[:, role].copy()
        target[own] = 0.0
        whole = inverse @ target
        fitted[:, role] += whole - inverse[:, own] @ np.linalg.solve(inverse[np.ix_(own, own)], whole[own])
        fitted[own, role] = 0.0
    return fitted

"""The game of one window as the libraries want it, and their explainers; shap and shapiq are asked for nothing else."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from tagsight_explain.shap_explainers import RoleMasker
from tagsight_models.frame import Flags, Floats

Game: TypeAlias = Callable[[Flags], Floats]
"""Coalitions (k, roles) -> values (k,)."""
AT_ONCE: Final = 256


def game_of(model: Any, window: Floats, *, conditional: bool) -> Game:
    """Absent roles at the model's expectation or at its reference; written here once more, from the model alone."""
    reference = np.asarray(model.reference)

    def values(coalitions: Flags) -> Floats:
        present = np.asarray(coalitions, dtype=np.bool_)
        found = []
        for start in range(0, len(present), AT_ONCE):
            part = present[start : start + AT_ONCE]
            windows = np.broadcast_to(window, (len(part), *window.shape))
            masked = model.given(windows, part) if conditional else np.where(part[:, None, :], windows, reference)
            found.append(model.score(masked))
        return np.concatenate(found)

    return values


def shap_values(explainer: str, game: Game, roles: int, budget: int) -> Floats:
    """By `shap`: exact, permutation or kernel; `budget` in evaluations."""
    import shap

    rows = np.ones((1, roles))
    if explainer == "exact":
        found = shap.ExactExplainer(_of_rows(game), RoleMasker(roles))(rows, silent=True, max_evals=2**roles)
        return np.asarray(found.values[0], dtype=np.float64)
    if explainer == "permutation":
        shapes = shap.PermutationExplainer(_of_rows(game), RoleMasker(roles), seed=0)
        found = shapes(rows, silent=True, max_evals=max(budget, 2 * roles + 1), batch_size=AT_ONCE)
        return np.asarray(found.values[0], dtype=np.float64)
    kernel = shap.KernelExplainer(_of_rows(game), np.zeros((1, roles)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return np.asarray(kernel.shap_values(rows, nsamples=budget, silent=True, l1_reg=False)[0], dtype=np.float64)


def shapiq_values(approximator: str, game: Game, roles: int, budget: int) -> Floats:
    """By `shapiq`: `exact`, or an approximator's name."""
    import shapiq

    if approximator == "exact":
        found = shapiq.ExactComputer(game, roles)("SV", 1)
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it says where a budget is more than few roles need
            found = getattr(shapiq, approximator)(roles, random_state=0).approximate(budget, game)
    return np.array([found[(role,)] for role in range(roles)])


def _of_rows(game: Game) -> Callable[[Floats], Floats]:
    return lambda rows: game(np.asarray(rows) > 0.5)


SAMPLERS: Final[Mapping[str, Callable[[Game, int, int], Floats]]] = {
    "shap Permutation": lambda game, roles, budget: shap_values("permutation", game, roles, budget),
    "shap Kernel": lambda game, roles, budget: shap_values("kernel", game, roles, budget),
    "shapiq KernelSHAP": lambda game, roles, budget: shapiq_values("KernelSHAP", game, roles, budget),
    "shapiq kADD-SHAP": lambda game, roles, budget: shapiq_values("kADDSHAP", game, roles, budget),
    "shapiq SVARM": lambda game, roles, budget: shapiq_values("SVARM", game, roles, budget),
}

"""The library's own explainers over our value function, and its `Explanation` for plots: the one place of shap.

The players handed to shap are roles, not columns of a table: a row is a coalition (1.0 present, 0.0 absent), the
masker writes coalitions, and the model is the value function. So shap and `fast` explain the same game.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from math import sqrt
from typing import Any

import numpy as np

from tagsight_explain.attribution import Attribution
from tagsight_explain.errors import BudgetSpent, ExplainError, TooManyRoles
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import ExplainSettings
from tagsight_explain.value_function import ValueFunction
from tagsight_models.frame import Flags, Floats

ROWS_A_BATCH = 1024  # the value function chunks by bytes itself
PERMUTATIONS = 10  # the library's own default; fewer if the evaluations do not suffice


class RoleMasker:
    """A coalition in shap's terms: one masked sample per mask, the mask itself."""

    def __init__(self, roles: int) -> None:
        self.shape = (1, roles)

    def __call__(self, mask: Flags, row: Floats) -> tuple[Floats]:
        """The coalition as a row; `row` (all ones) says nothing that the mask does not."""
        return (np.where(mask, row, 0.0)[None],)


def shap_exact(
    value: ValueFunction, roles: int, seeds: Sequence[int], settings: ExplainSettings
) -> list[Attribution | ExplainError]:
    """`shap.ExactExplainer`, window by window."""
    if 2**roles > settings.at_most_evaluations:
        return [TooManyRoles("shap-exact", roles, settings.at_most_evaluations) for _ in seeds]
    arguments = {"max_evals": settings.at_most_evaluations}
    games = [_Game(value, window, roles, settings) for window in range(len(seeds))]
    return [_explain(game, _shap().ExactExplainer(game, RoleMasker(roles)), arguments) for game in games]


def shap_permutation(
    value: ValueFunction, roles: int, seeds: Sequence[int], settings: ExplainSettings
) -> list[Attribution | ExplainError]:
    """`shap.PermutationExplainer`, window by window; its standard error is that of unpaired permutations."""
    permutations = min(PERMUTATIONS, settings.at_most_evaluations // (2 * roles + 1))
    if permutations < 1:
        return [BudgetSpent(settings.at_most_evaluations, "evaluations") for _ in seeds]
    arguments = {"max_evals": permutations * (2 * roles + 1), "error_bounds": True}
    results = []
    for window, seed in enumerate(seeds):
        game = _Game(value, window, roles, settings)
        with _global_generator_put_back():
            explainer = _shap().PermutationExplainer(game, RoleMasker(roles), seed=seed % 2**32)
            results.append(_explain(game, explainer, arguments))
    return results


def to_shap(explanations: Sequence[Explanation], actual: Floats) -> Any:
    """A `shap.Explanation` for `shap.plots`: one row for each explanation of one model.

    Args:
        explanations: all with the same roles.
        actual: shape (explanations, roles), the values at the last step of each window, engineering units.
    """
    return _shap().Explanation(
        values=np.stack([explanation.contributions for explanation in explanations]),
        base_values=np.array([explanation.base for explanation in explanations]),
        data=np.asarray(actual, dtype=np.float64),
        feature_names=list(explanations[0].roles),
    )


def plots() -> Any:
    """`shap.plots`, which draw on axes of matplotlib that are given to them."""
    return _shap().plots


class _Game:
    """The value function of one window as the function of rows that shap calls."""

    def __init__(self, value: ValueFunction, window: int, roles: int, settings: ExplainSettings) -> None:
        self.roles = roles
        self._value = value
        self._window = window
        self._settings = settings

    def __call__(self, rows: Floats) -> Floats:
        return self._value.within(self._window, rows > 0.5, self._settings.at_most_evaluations)

    def forget(self) -> None:
        self._value.forget(self._window)


def _explain(game: _Game, explainer: Any, arguments: dict[str, Any]) -> Attribution | ExplainError:
    try:
        found = explainer(np.ones((1, game.roles)), silent=True, batch_size=ROWS_A_BATCH, **arguments)
    except ExplainError as error:
        return error
    finally:
        game.forget()
    base, unknown = float(np.ravel(found.base_values)[0]), np.full(game.roles, np.nan)
    values = np.asarray(found.values[0], dtype=np.float64)
    return Attribution(base, values, _standard_error(found, game.roles, arguments), unknown)


def _standard_error(found: Any, roles: int, arguments: dict[str, Any]) -> Floats:
    """From the spread of single permutations, which is what shap gives; zeros where it was exact."""
    if not arguments.get("error_bounds"):
        return np.zeros(roles)
    passes = 2 * (arguments["max_evals"] // (2 * roles + 1))
    return np.asarray(found.error_std[0], dtype=np.float64) / sqrt(passes)


@contextmanager
def _global_generator_put_back() -> Iterator[None]:
    """What shap draws comes from NumPy's global generator, which it seeds when it is made."""
    before = np.random.get_state()  # noqa: NPY002  # the generator that shap uses
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002  # as above


@lru_cache(maxsize=1)
def _shap() -> Any:
    """Import shap when it is first used: it brings numba, pandas, scikit-learn and matplotlib along (2-5 s)."""
    with warnings.catch_warnings():
        # shap 0.51 builds its colour maps by setters that matplotlib is about to deprecate: nothing of ours
        warnings.filterwarnings("ignore", category=PendingDeprecationWarning, module=r"shap\.")
        import shap  # noqa: PLC0415  # lazy on purpose, see above
    return shap

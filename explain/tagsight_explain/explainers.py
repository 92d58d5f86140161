"""The explainers by name, and the one way to use them: with a budget, a check, and a failure in words."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, TypeAlias

import numpy as np

from tagsight_explain.absence import absence
from tagsight_explain.attribution import Attribution
from tagsight_explain.errors import ExplainError, NoNormalWindows, NotFinite
from tagsight_explain.explanation import Explanation
from tagsight_explain.fast import fast
from tagsight_explain.players import Players
from tagsight_explain.settings import ExplainSettings
from tagsight_explain.shap_explainers import shap_exact, shap_permutation
from tagsight_explain.value_function import Clock, ValueFunction
from tagsight_models.errors import ModelError
from tagsight_models.frame import Floats
from tagsight_models.scoring_model import ScoringModel

Explainer: TypeAlias = Callable[
    [ValueFunction, int, Sequence[int], ExplainSettings], "list[Attribution | ExplainError]"
]
"""(value function of n windows, number of roles, n seeds, settings) -> n results, in the order of the windows."""

EXPLAINERS: Final[Mapping[str, Explainer]] = MappingProxyType(
    {"fast": fast, "shap-exact": shap_exact, "shap-permutation": shap_permutation}
)

TOLERANCE = 1e-4  # of max(1, |score|), between the score that was written and base plus contributions


def explain(
    model: ScoringModel,
    window: Floats,
    score: float,
    settings: ExplainSettings,
    clock: Clock,
    *,
    normal: Floats | None = None,
) -> Explanation:
    """Explain the score of one window, shape (window_steps, roles), as the scoring path wrote it.

    Never raises for what lies in data, model or budget: the explanation then has a `failure`. `clock` is monotonic
    seconds. `normal`: normal windows (m, window_steps, roles) that came with the model, if any.
    """
    return explain_many(model, window[None], np.array([score]), settings, clock, normal=normal)[0]


def explain_many(
    model: ScoringModel,
    windows: Floats,
    scores: Floats,
    settings: ExplainSettings,
    clock: Clock,
    *,
    normal: Floats | None = None,
) -> list[Explanation]:
    """Explain windows of shape (n, window_steps, roles) of one model, in common batches.

    Each explanation is the same as if it had been computed alone, as long as the budget of time does not end.
    """
    players = Players.of([role.name for role in model.roles], settings.groups)
    good = np.flatnonzero(np.isfinite(windows).all(axis=(1, 2)) & np.isfinite(scores))
    unusable = failed(players.names, str(NotFinite("a value of the window, or its score,")))
    explanations = [unusable for _ in windows]
    try:
        absent = absence(model, settings.absent, normal)
        value = ValueFunction(
            model,
            windows[good],
            seconds=settings.seconds * max(1, len(good)),
            clock=clock,
            players=players,
            absent=absent,
        )
    except NoNormalWindows as error:
        return [failed(players.names, str(error)) for _ in windows]
    try:
        seeds = [settings.seed] * len(good)
        found = EXPLAINERS[settings.explainer](value, len(players.names), seeds, settings) if seeds else []
    except (ModelError, ArithmeticError) as error:
        found = [ExplainError(f"the model could not score a partly replaced window: {error}") for _ in good]
    for index, result, evaluations in zip(good, found, value.evaluations, strict=True):
        explanations[index] = _checked(players.names, result, float(scores[index]), int(evaluations))
    return explanations


def failed(roles: tuple[str, ...], failure: str, evaluations: int = 0) -> Explanation:
    """No explanation: every number is missing (NaN), `failure` says why."""
    missing = np.full(len(roles), np.nan)
    return Explanation(roles, float("nan"), missing, missing.copy(), evaluations, failure)


def _checked(roles: tuple[str, ...], found: Attribution | ExplainError, score: float, evaluations: int) -> Explanation:
    if isinstance(found, ExplainError):
        return failed(roles, str(found), evaluations)
    failure = ""
    total = found.base + found.contributions.sum()
    if not np.isfinite(total):
        return failed(roles, str(NotFinite("the sum of the contributions")), evaluations)
    if abs(total - score) > TOLERANCE * max(1.0, abs(score)):
        failure = f"base and contributions add up to {total:.6g}, the score written is {score:.6g}"
    return Explanation(
        roles, found.base, found.contributions, found.standard_error, evaluations, failure, found.without
    )

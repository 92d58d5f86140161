"""How the scores of a model are explained, as its plan says."""

from tagsight.plan import ModelPlan
from tagsight_explain.settings import ExplainSettings


def explain_settings(plan: ModelPlan, *, at_least_seconds: float = 0.0) -> ExplainSettings:
    """Of one model; `at_least_seconds`: where somebody waits for it, a budget below this is raised."""
    return ExplainSettings(
        explainer=plan.explainer,
        seconds=max(plan.explain_seconds, at_least_seconds),
        seed=plan.train.seed,
        absent=plan.explain_absent,
        groups=plan.explain_groups,
    )

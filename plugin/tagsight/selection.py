"""Which models of a plan a command is for: the common part of `--model`."""

from collections.abc import Sequence

from tagsight.errors import NotReady
from tagsight.plan import ModelPlan, Plan


def chosen_models(plan: Plan, names: Sequence[str]) -> list[ModelPlan]:
    """The models with these keys, in the order of the plan; all of them without a name.

    Raises:
        NotReady: a name is not in the plan.
    """
    unknown = set(names) - {model.key for model in plan.models}
    if unknown:
        known = ", ".join(model.key for model in plan.models[:10])
        msg = f"no model {min(unknown)!r} in the configuration"
        raise NotReady(msg, f"There are: {known}.")
    return [model for model in plan.models if not names or model.key in names]

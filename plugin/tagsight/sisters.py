"""Which model a training starts from: `from` of a model, as people write it."""

from collections.abc import Mapping
from typing import Final

from tagsight.plan import ModelPlan
from tagsight.validation import SettingFault

MEND: Final = "Write `ASSET NAME` of a model in this file, or `ASSET/NAME` of any that the data folder has."


def sister_key(model: ModelPlan, models: Mapping[str, ModelPlan]) -> str | SettingFault:
    """The key of the sister, "" for none; `models` by their key in lower case.

    A model that names itself, as one of many in a template does, starts from nothing.
    """
    if not model.sister:
        return ""
    found = _named(model.sister, models)
    if found is None:
        levels = model.sister.split("/")
        if len(levels) == 2 and all(levels):
            return model.sister
        return SettingFault(("from",), model.sister, "no model of this name in this file", MEND)
    if found.key == model.key:
        return ""
    if found.job is not model.job:
        cause = f"a model of the job `{found.job.value}`, and this is `{model.job.value}`"
        return SettingFault(("from",), model.sister, cause, "Name a model of the same job.")
    return found.key


def _named(text: str, models: Mapping[str, ModelPlan]) -> ModelPlan | None:
    wanted = text.casefold()
    blank = (one for one in models.values() if f"{one.asset} {one.name}".casefold() == wanted)
    return models.get(wanted) or next(blank, None)

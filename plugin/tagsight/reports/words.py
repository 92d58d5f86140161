"""The words of the shift report: one catalogue file for each language, in the folder `languages`."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

from tagsight_explain.language import ENGLISH

_SUFFIX: Final = ".json"


@cache
def words(code: str) -> Mapping[str, str]:
    """The catalogue of a language; English for one that has none here."""
    known = code if code in catalogues() else ENGLISH
    text = (files("tagsight.reports") / "languages" / f"{known}{_SUFFIX}").read_text(encoding="utf-8")
    return {str(key): str(value) for key, value in json.loads(text).items()}


@cache
def catalogues() -> tuple[str, ...]:
    """Codes of all catalogues, in order."""
    found = (one.name for one in (files("tagsight.reports") / "languages").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))

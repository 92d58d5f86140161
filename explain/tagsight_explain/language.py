"""The languages of what operators read: one catalogue file each, in the folder `languages`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Final

ENGLISH: Final = "en"
_SUFFIX: Final = ".json"
_BETWEEN: Final = "; "  # of several reasons in one text
_LONGEST: Final = 1_000  # a longer reason is somebody else's text: it stays as it is


@dataclass(frozen=True, slots=True)
class Language:
    """One catalogue.

    Attributes:
        code: name of its file.
        name: as its speakers write it.
        decimal: sign between whole number and decimals.
        texts: key -> part of a sentence, with placeholders in braces.
        reasons: key -> why something is so, likewise.
        pictures: key -> text in a picture or a page of pictures, likewise.
    """

    code: str
    name: str
    decimal: str
    texts: Mapping[str, str]
    reasons: Mapping[str, str]
    pictures: Mapping[str, str]

    def say(self, key: str, **values: str) -> str:
        """A text with its placeholders filled; what they are filled with is taken as it is."""
        return self.texts[key].format(**values)

    def number(self, text: str) -> str:
        """A number as the language writes it, from Python's way."""
        return text.replace(".", self.decimal)

    def reason(self, english: str) -> str:
        """A reason in this language; what the catalogue does not know stays English."""
        if self.code == ENGLISH or len(english) > _LONGEST:
            return english
        return _BETWEEN.join(self._single(part) for part in english.split(_BETWEEN))

    def _single(self, english: str) -> str:
        """A reason, or one behind the name of what it is about: `score: took longer than 60 s`."""
        whose, colon, what = english.partition(": ")
        known = self._known(english)
        if known is None and colon:
            inner = self._known(what)
            known = self.say("named", reason=whose, what=inner) if inner is not None else None
        return english if known is None else known

    def _known(self, english: str) -> str | None:
        for key, pattern in _english_patterns():
            found = pattern.fullmatch(english)
            if found is not None:
                values = found.groupdict()
                what = values.pop("_what")
                words = self.reasons[key].format(**values)
                return words if what is None else self.say("named", reason=words, what=self._known(what) or what)
        return None


@cache
def language(code: str) -> Language:
    """The catalogue of a code.

    Raises:
        KeyError: there is none; `languages` lists them.
    """
    if code not in languages():
        raise KeyError(code)
    given = json.loads((files("tagsight_explain") / "languages" / f"{code}{_SUFFIX}").read_text(encoding="utf-8"))
    return Language(code, given["name"], given["decimal"], given["texts"], given["reasons"], given["pictures"])


@cache
def languages() -> tuple[str, ...]:
    """Codes of all catalogues, in order."""
    found = (one.name for one in (files("tagsight_explain") / "languages").iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in found if name.endswith(_SUFFIX)))


@cache
def _english_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """What tells each reason in an English text, those with the most fixed text first; `: anything` may follow."""
    known = sorted(language(ENGLISH).reasons.items(), key=lambda item: -_fixed_length(item[1]))
    return tuple((key, re.compile(_pattern(text) + r"(?:: (?P<_what>.*))?", re.DOTALL)) for key, text in known)


def _pattern(text: str) -> str:
    parts = Formatter().parse(text)
    return "".join(re.escape(fixed) + (f"(?P<{name}>.+?)" if name else "") for fixed, name, _, _ in parts)


def _fixed_length(text: str) -> int:
    return sum(len(fixed) for fixed, _, _, _ in Formatter().parse(text))

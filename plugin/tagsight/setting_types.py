"""Types of single settings: text from the file in, a checked value out, and a cause and a mend when it does not fit.

Each is a type for pydantic with the JSON schema of what people write. A validator here raises only `wrong(...)`.
"""
# ruff: noqa: EM102 - causes are shown inside a Fault, not in a traceback

import math
import re
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from tagsight.cause_patterns import parse_pattern
from tagsight.conditions import Condition, ConditionError, parse
from tagsight.duration import parse_budget, parse_duration, parse_size, parse_trials
from tagsight.timetable import EXAMPLES, parse_timetable
from tagsight_connectors.registry import openers
from tagsight_explain.language import languages

TEXT_LIMIT: Final = 1_000
"""Characters of any one setting."""

ADVICE_LIMIT: Final = 60
"""Characters of an advice: so it always fits into a message, beside asset, role and direction."""

PLACEHOLDERS: Final = frozenset({"asset", "model", "output", "role"})
"""What an `address` of results may contain in braces."""

_LEVEL_FORBIDDEN: Final = "/+#$."
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?)?", re.ASCII)
_LISTEN: Final = re.compile(r"(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,253}):(\d{1,5})", re.ASCII)
_ORIGIN: Final = re.compile(r"https?://(\[[0-9a-f:.]{2,45}\]|[a-z0-9.-]{1,253})(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


def wrong(cause: str, mend: str) -> PydanticCustomError:
    """A fault of one setting, in words; `tagsight.specification` takes both out again."""
    return PydanticCustomError("wrong", "{cause}", {"cause": cause, "mend": mend})


def _text(value: object, mend: str) -> str:
    if not isinstance(value, str):
        raise wrong(f"{kind_of(value)} where text is expected", mend)
    if len(value) > TEXT_LIMIT:
        raise wrong(f"{len(value)} characters, at most {TEXT_LIMIT} are accepted", mend)
    if not value.isprintable():
        raise wrong("a control character in it", mend)
    return value


def kind_of(value: object) -> str:
    """What a value of the file is, in words."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "a group of settings"


def _from_text(read: Callable[[str], Any], mend: str) -> BeforeValidator:
    def validate(value: object) -> Any:
        if isinstance(value, str):
            text = _text(value, mend)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            raise wrong("a number without its unit", mend)
        else:
            raise wrong(f"{kind_of(value)} where text is expected", mend)
        try:
            return read(text)
        except ValueError as error:
            raise wrong(str(error), mend) from None

    return BeforeValidator(validate)


def _schema(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Duration = Annotated[
    int,
    _from_text(parse_duration, 'Write a number and its unit, for example "5s", "1m", "1h30m", "90d".'),
    _schema(r"^([0-9]+(\.[0-9]+)?(ms|[wdhms]))+$", "1m", "90d", "1h30m"),
]
"""Nanoseconds."""

Budget = Annotated[
    tuple[float, int],
    _from_text(parse_budget, 'Write how many alarms in which time, for example "2 per month", "1 per week".'),
    _schema(r"^[0-9.]+ per (hour|day|week|month|year)$", "2 per month"),
]
"""(at most, per nanoseconds)."""

Trials = Annotated[
    int,
    _from_text(parse_trials, 'Write how many, for example "20 trials".'),
    _schema(r"^[0-9]{1,3} trials?$", "20 trials"),
]
"""How many."""

Size = Annotated[
    int, _from_text(parse_size, 'Write for example "5 GB" or "500 MB".'), _schema(r"^[0-9.]+ ?(KB|MB|GB|TB)$", "5 GB")
]
"""Bytes."""

Timetable = Annotated[
    dict[str, str], _from_text(parse_timetable, f"Write for example {EXAMPLES}."), _schema("^.+$", "sun 03:30")
]
"""Fields of APScheduler's CronTrigger."""


def as_moment(text: str) -> datetime:
    """A date or time as it is written in the configuration and its tables; ValueError says what is wrong."""
    if not _MOMENT.fullmatch(text):
        raise ValueError("not a date")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("no such day or time in the calendar") from None
    if not 1970 <= moment.year <= 2200:  # nanoseconds in 64 bits end in 2262
        raise ValueError("a year outside 1970 to 2200")
    return moment


Moment = Annotated[
    datetime,
    _from_text(as_moment, 'Write for example "2026-01-31" or "2026-01-31 06:30".'),
    _schema(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9:]+(Z|[+-][0-9:]+)?)?$", "2026-01-31 06:30"),
]
"""A date and time: without offset in the time zone of the file."""


def _as_level(value: object) -> str:
    mend = f"Take 1 to 64 characters, none of {' '.join(_LEVEL_FORBIDDEN)} and no control characters."
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise wrong("a number where a name is expected", f'Write it in quotes: "{value}".')
    text = _text(value, mend)
    found = next((character for character in text if character in _LEVEL_FORBIDDEN), None)
    if found is not None:
        raise wrong(f"{found!r} cannot be part of a name", mend)
    if not 1 <= len(text) <= 64:
        raise wrong(f"a name of {len(text)} characters", mend)
    if text != text.strip():
        raise wrong("a name that begins or ends with a blank", mend)
    return text


Level = Annotated[str, BeforeValidator(_as_level), WithJsonSchema({"type": "string", "pattern": r"^[^/+#$.]{1,64}$"})]
"""One level of a path of tags: asset, model, role, historian."""


def _as_line(value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise wrong("a number where text is expected", f'Write it in quotes: "{value}".')
    return _text(value, f"Write one line of at most {TEXT_LIMIT} characters.")


def _as_pattern(value: object) -> str:
    text = _as_line(value)
    if not text.strip():
        raise wrong("an empty pattern", 'Write a path or pattern of tags, for example "Plant/P101/*".')
    return text


Line = Annotated[str, BeforeValidator(_as_line), WithJsonSchema({"type": "string", "maxLength": TEXT_LIMIT})]
"""One line of text."""

Pattern = Annotated[str, BeforeValidator(_as_pattern), WithJsonSchema({"type": "string", "minLength": 1})]
"""A path, pattern or address of tags."""


def _as_url(value: object) -> str:
    mend = 'Write for example "opc.tcp://scada01:4840", "file:exports/pumps.csv".'
    text = _text(value, mend)
    try:
        parts = urlsplit(text)
        _port = parts.port
    except ValueError as error:
        raise wrong(f"not a URL ({error})", mend) from None
    if parts.scheme not in openers():
        raise wrong(f"no connector for {parts.scheme or 'a URL without a scheme'!r}", mend)
    if "@" in parts.netloc:
        raise wrong("a user or password in the URL", "Write `user:` beside it and store the password with "
                    "`tagsight password set NAME`.")  # fmt: skip
    if not (parts.netloc if parts.scheme == "opc.tcp" else parts.netloc or parts.path):
        raise wrong("a URL without a host or path", mend)
    return text


Url = Annotated[str, BeforeValidator(_as_url), WithJsonSchema({"type": "string", "pattern": r"^[a-z][a-z0-9.+-]*:"})]
"""Where a historian is."""


def _as_listen(text: str) -> tuple[str, int]:
    match = _LISTEN.fullmatch(text)
    if match is None:
        raise ValueError("not a host and port")
    if not 1 <= int(match[2]) <= 65_535:
        raise ValueError("no such port")
    return match[1].strip("[]"), int(match[2])


Listen = Annotated[
    tuple[str, int],
    _from_text(_as_listen, 'Write host and port, for example "127.0.0.1:4841" or "0.0.0.0:4841".'),
    _schema(r"^.+:[0-9]+$", "127.0.0.1:4841"),
]
"""(host, port)."""


def _as_origin(text: str) -> str:
    if not _ORIGIN.fullmatch(text):
        raise ValueError("not the origin of a web page")
    return text.lower()


Origin = Annotated[
    str,
    _from_text(_as_origin, 'Write scheme, host and port as the browser shows them, for example "https://hmi01:8043".'),
    _schema(r"^https?://[^/]+$", "https://hmi01:8043"),
]
"""Of a web page: scheme, host, and the port where it is not the usual one; lower-case."""


def _as_address(text: str) -> str:
    names = _PLACEHOLDER.findall(text)
    if any(brace in _PLACEHOLDER.sub("", text) for brace in "{}"):
        raise ValueError("a brace without its partner")
    unknown = sorted(set(names) - PLACEHOLDERS)
    if unknown:
        raise ValueError(f"unknown placeholder {{{unknown[0]}}}")
    if "output" not in names:
        raise ValueError("all outputs would go to the same tag")
    return text


Address = Annotated[
    str,
    _from_text(_as_address, 'Write for example "ns=2;s=TagSight.{asset}.{model}.{output}".'),
    _schema(r"^.*\{output\}.*$", "ns=2;s=TagSight.{asset}.{model}.{output}"),
]
"""Pattern of the tags that results are written to."""


def _as_condition(value: object) -> Condition:
    mend = "Write for example \"[Plant/P101/Speed] > 100 and [Plant/P101/Mode] = 'AUTO'\"."
    text = _text(value, mend)
    try:
        return parse(text)
    except ConditionError as error:
        raise wrong(f"not a condition: {error}", mend) from None


Running = Annotated[Condition, BeforeValidator(_as_condition), _schema("^.+$", "[Plant/P101/Speed] > 100")]
"""A condition over tags and roles."""


def _as_pattern_of_causes(value: object) -> Condition:
    mend = 'Write for example "PT-101 low and IT-101 high": roles with high, low or unusual.'
    text = _text(value, mend)
    try:
        return parse_pattern(text)
    except ConditionError as error:
        raise wrong(f"not a pattern: {error}", mend) from None


CausePattern = Annotated[
    Condition, BeforeValidator(_as_pattern_of_causes), _schema("^.+$", "PT-101 low and IT-101 high")
]
"""Roles with `high`, `low` or `unusual`, joined by `and` and `or`."""


def _as_language(value: object) -> str:
    known = ", ".join(languages())
    if not isinstance(value, str) or value not in languages():
        raise wrong("no such language", f"Write one of {known}.")
    return value


LanguageCode = Annotated[
    str, BeforeValidator(_as_language), WithJsonSchema({"type": "string", "enum": list(languages())})
]
"""A language that has a catalogue."""


def _as_advice(value: object) -> str:
    text = _as_line(value)
    if not 1 <= len(text.strip()) <= ADVICE_LIMIT:
        raise wrong(f"{len(text.strip())} characters", f"Write 1 to {ADVICE_LIMIT}: it is part of one short sentence.")
    return text.strip()


AdviceText = Annotated[
    str, BeforeValidator(_as_advice), WithJsonSchema({"type": "string", "minLength": 1, "maxLength": ADVICE_LIMIT})
]
"""What an operator should do, beside the sentence that says why."""


def _as_bounds(value: object) -> tuple[float, float]:
    """Two numbers in order; not from text, so that "1,5" is no surprise."""
    numbers = [one for one in value if _is_number(one)] if isinstance(value, list) else []
    if not isinstance(value, list) or len(numbers) != 2 or len(value) != 2:
        raise wrong("not two numbers", "Write for example [12.0, 18.0].")
    if numbers[0] >= numbers[1]:
        raise wrong("the bounds are not in order", "Write the lower one first: [12.0, 18.0].")
    return float(numbers[0]), float(numbers[1])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


Bounds = Annotated[
    tuple[float, float],
    BeforeValidator(_as_bounds),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
"""Lower and upper end."""

"""From pydantic's findings to causes and mends: all faults of a value at once, each in words."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from tagsight.duration import format_duration, format_size, parse_size
from tagsight.setting import Setting
from tagsight.setting_types import kind_of

Path = tuple[str | int, ...]

_EXPECTED: Final = {
    "string_type": "text",
    "int_type": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a group of settings",
    "model_type": "a group of settings",
    "model_attributes_type": "a group of settings",
}
_BOUNDS: Final = {
    "greater_than_equal": ("ge", "smaller than {}", "Write at least {}."),
    "less_than_equal": ("le", "larger than {}", "Write at most {}."),
}


class SettingFault(NamedTuple):
    """A fault of a value, before it is known in which line it stands. `value` is None where nothing is written."""

    path: Path
    value: object
    cause: str
    mend: str


def validate(kind: type[Setting], data: object) -> tuple[Any, list[SettingFault]]:
    """The value of `kind`, or None and every fault."""
    faults = list(_conflicts(kind, data, ()))
    value = None
    try:
        value = kind.model_validate(data)
    except ValidationError as error:
        faults += [_fault(kind, data, detail) for detail in error.errors(include_url=False)]
    return (None if faults else value), faults


def nested(field: FieldInfo) -> type[Setting] | None:
    """The group of settings that a field holds, directly, as a list, or by name."""
    return next(_settings_in(field.annotation), None)


def _settings_in(annotation: Any) -> Iterator[type[Setting]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Setting):
        yield annotation
    for argument in get_args(annotation):
        yield from _settings_in(argument)


def _conflicts(kind: type[Setting], data: object, at: Path) -> Iterator[SettingFault]:
    if not isinstance(data, Mapping):
        return
    for conflict in kind.together(data):
        yield SettingFault((*at, conflict.key), data.get(conflict.key), conflict.cause, conflict.mend)
    for name, field in kind.model_fields.items():
        key, inner = field.alias or name, nested(field)
        if inner is None or key not in data:
            continue
        for step, part in _parts(data[key], plural=get_origin(field.annotation) in (list, dict)):
            yield from _conflicts(inner, part, (*at, key, *step))


def _parts(value: object, *, plural: bool) -> Iterator[tuple[Path, object]]:
    if not plural:
        yield (), value
    elif isinstance(value, list):
        yield from (((index,), part) for index, part in enumerate(value))
    elif isinstance(value, Mapping):
        yield from (((str(name),), part) for name, part in value.items())


def _fault(kind: type[Setting], data: object, detail: ErrorDetails) -> SettingFault:
    path, value = _as_written(data, detail["loc"])
    cause, mend = _words(kind, path, value, detail)
    return SettingFault(path, value, cause, mend)


def _as_written(data: object, location: Path) -> tuple[Path, object]:
    """The part of pydantic's location that stands in the data, with the key that is missing there; what is written."""
    written: list[str | int] = []
    here: Any = data
    for step in location:
        inside = (isinstance(here, Mapping) and step in here) or (
            isinstance(here, list) and isinstance(step, int) and step < len(here)
        )
        if inside:
            here = here[step]
        elif isinstance(here, Mapping) and step != "[key]":
            here = None
        else:
            continue  # a branch of a union, a validator: not in the file
        written.append(step)
    return tuple(written), here


def _words(kind: type[Setting], path: Path, value: object, detail: ErrorDetails) -> tuple[str, str]:  # noqa: PLR0911 - a table
    name, context = detail["type"], detail.get("ctx", {})
    if name == "wrong":
        return context["cause"], context["mend"]
    if name == "extra_forbidden":
        return "unknown setting", _did_you_mean(kind, path)
    if name == "missing":
        return "is missing", _write_example(kind, path)
    if name in _EXPECTED:
        return f"{kind_of(value)} where {_EXPECTED[name]} is expected", _write_example(kind, path)
    if name in _BOUNDS:
        bound, cause, mend = _BOUNDS[name]
        words = _bound(context[bound], value)
        return cause.format(words), mend.format(words)
    if name == "literal_error":
        allowed = context["expected"].replace("'", "")
        return "not one of the choices", f"Write {allowed}."
    if name == "too_long":
        return f"more than {context['max_length']} of them", "Leave some out, or use several models."
    return detail["msg"][:1].lower() + detail["msg"][1:], _write_example(kind, path)


def _bound(bound: float, value: object) -> str:
    """A bound in the unit that the value was written in."""
    if not isinstance(value, str):
        return f"{bound:g}"
    try:
        parse_size(value)
    except ValueError:
        return format_duration(int(bound))
    return format_size(int(bound))


def _group(kind: type[Setting], path: Path) -> type[Setting] | None:
    """The kind of group that the last step of `path` is a setting of."""
    here: type[Setting] | None = kind
    for step in path[:-1]:
        field = _field(here, step) if here is not None else None
        if field is not None:
            here = nested(field)
    return here


def _field(kind: type[Setting], key: str | int) -> FieldInfo | None:
    return next((field for name, field in kind.model_fields.items() if (field.alias or name) == key), None)


def _did_you_mean(kind: type[Setting], path: Path) -> str:
    group = _group(kind, path)
    known = [field.alias or name for name, field in group.model_fields.items()] if group else []
    key = str(path[-1]) if path else ""
    if key == "password":
        return "Passwords never stand in the file: remove it, change it, and `tagsight password set NAME`."
    near = difflib.get_close_matches(key, known, n=1)
    return f"Did you mean `{near[0]}`?" if near else f"Known here: {', '.join(known)}."


def _write_example(kind: type[Setting], path: Path) -> str:
    group = _group(kind, path)
    key = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    field = _field(group, key) if group else None
    if field is None or not field.examples:
        return "See docs/configuration.md for what belongs here."
    return f"Write for example `{key}: {as_yaml(field.examples[0])}`."


def as_yaml(value: object) -> str:
    """A value as it stands in a file, on one line."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            plain = value.replace("_", "").replace("-", "").isalnum() and not value[0].isdigit()
            return value if plain else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        case list():
            return "[" + ", ".join(as_yaml(part) for part in value) + "]"
        case _:
            return str(value)

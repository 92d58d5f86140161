"""Reference page, sample file and JSON schema of the configuration: generated from its specification."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, get_origin

from pydantic.fields import FieldInfo

from tagsight.duration import format_budget, format_duration, format_size, parse_size
from tagsight.setting import Setting
from tagsight.specification import JOB_GROUPS, ROLLOUT, Configuration, Model
from tagsight.validation import as_yaml, nested

_REQUIRED: Final = "required"

ALTERNATIVES: Final = frozenset(
    {
        "historians",
        "templates",
        "root",
        "address",
        "from",
        "to",
        "user_certificate",
        "user_key",
        "anonymous",
        "network",
        "key",
    }
)
"""Settings that the sample shows as comments: others beside them exclude them or do the same."""

_INTRODUCTION: Final = """\
# Configuration

One YAML file (at most 250 kB, UTF-8). `tagsight check FILE` reports every fault of it at once and connects to nothing.
Unknown settings are faults. Durations are written with their unit: `5s`, `1m`, `1h30m`, `90d`. Dates count in the
`timezone` of the file; one that exists twice when the clocks change needs its offset. A changed file takes effect at
the next start of the service. Passwords never stand in it: `tagsight password set NAME`.

This page is generated; `tagsight docs` writes it anew. A file with every setting: [sample.yaml](sample.yaml); for
editors: [tagsight.schema.json](tagsight.schema.json).

A first file:

```yaml
timezone: Europe/Berlin
historian: {url: opc.tcp://scada01:4840, user: tagsight}
results: {to: server}
models:
  - name: Health
    asset: P101
    inputs: ["Plant/P101/*"]
    running: "[Plant/P101/Speed] > 100"
    train: {last: 90d, every: "sun 03:30"}
    score: {every: 1m}
    alarm: {at_most: 2 per month, on_delay: 5m}
```

Many machines, one template: settings that models share stand under `templates`; `{asset}` and `{name}` become those of
the model. With `machines: pumps.csv` (one asset a line) every column is such a placeholder, and a column named like a
setting, as `alarm.at_most`, overrides it where its cell is not empty.

```yaml
historian: {url: opc.tcp://scada01:4840, user: tagsight}
templates:
  pump:
    name: Health
    inputs: ["Plant/{asset}/*"]
    running: "[Plant/{asset}/Speed] > 100"
models:
  - {template: pump, asset: P101}
  - {template: pump, asset: P102, alarm: {at_most: 1 per month}}
```
"""


def reference_page() -> str:
    """`docs/configuration.md`."""
    lines = [_INTRODUCTION]
    for title, kind in _groups("", Configuration):
        lines += [f"## {title or 'The file'}", "", " ".join((kind.__doc__ or "").split()), "",
                  "| setting | meaning | unit | default | example |", "|---|---|---|---|---|"]  # fmt: skip
        lines += [_table_row(key, field) for key, field in _fields(kind)]
        if kind is Model:
            lines += [f"| `{key}` | {one.description} | | | `{one.example}` |" for key, one in ROLLOUT.items()]
        lines.append("")
    return "\n".join(lines)


def _groups(title: str, kind: type[Setting]) -> Iterator[tuple[str, type[Setting]]]:
    yield title, kind
    seen: set[type[Setting]] = set()
    for key, field in _fields(kind):
        inner = nested(field)
        if inner is not None and inner not in seen and not (kind is not Configuration and key == "results"):
            seen.add(inner)
            yield from _groups(f"{title}.{key}".lstrip("."), inner)


def _fields(kind: type[Setting]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in kind.model_fields.items():
        yield field.alias or name, field


def _table_row(key: str, field: FieldInfo) -> str:
    example = f"`{as_yaml(field.examples[0])}`" if field.examples else ""
    default = default_text(field)
    shown = default if default in ("", _REQUIRED) else f"`{default}`"
    cells = [f"`{key}`", field.description or "", _unit(field), shown, example]
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, Mapping) else ""


def default_text(field: FieldInfo) -> str:
    """A default as it would be written in the file; "" where there is none, or a group of settings."""
    if field.is_required():
        return _REQUIRED
    match field.default:
        case None | Setting() | [] | {}:
            return ""
        case (str() as host, port):
            return f'"{host}:{port}"'
        case (float() as at_most, per_ns):
            return format_budget(at_most, per_ns)
        case int() as number if field.examples and isinstance(field.examples[0], str):
            return _with_unit(number, field.examples[0])
        case other:
            return as_yaml(other) if other != "" else '""'


def _with_unit(number: int, example: str) -> str:
    try:
        parse_size(example)
    except ValueError:
        return format_duration(number)
    return format_size(number)


def sample() -> str:
    """`docs/sample.yaml`: every setting with what it means; loads without fault."""
    lines = ["# Every setting of TagSight, with examples. Generated; docs/configuration.md explains them.", ""]
    return "\n".join([*lines, *_sample_of(Configuration, "")]) + "\n"


def _sample_of(kind: type[Setting], indent: str) -> Iterator[str]:
    last_given = "last" in kind.model_fields
    for key, field in _fields(kind):
        optional = key in ALTERNATIVES and (last_given or key not in ("from", "to"))
        yield f"{indent}# {field.description}" + (f" [{_unit(field)}]" if _unit(field) else "")
        inner = nested(field)
        if optional or (inner is not None and kind is not Configuration and key == "results"):
            example = as_yaml(field.examples[0]) if field.examples else "..."
            yield f"{indent}# {key}: {example}"
        elif kind is Model and key in JOB_GROUPS and inner is not None:
            yield f"{indent}# {key}:"
            yield from (f"{indent}# {line.removeprefix(indent)}" for line in _sample_of(inner, indent + "  "))
        elif inner is None:
            yield f"{indent}{key}: {as_yaml(field.examples[0])}" if field.examples else f"{indent}# {key}: ..."
        else:
            yield f"{indent}{key}:"
            yield from _sample_group(field, inner, indent)
    if kind is Model:
        for key, one in ROLLOUT.items():
            yield f"{indent}# {one.description}"
            yield f"{indent}# {key}: {one.example}"


def _sample_group(field: FieldInfo, inner: type[Setting], indent: str) -> Iterator[str]:
    if get_origin(field.annotation) is list:
        lines = _sample_of(inner, indent + "    ")
        yield f"{indent}  -"
        yield from lines
    elif get_origin(field.annotation) is dict:
        yield f"{indent}  speed:"
        yield from _sample_of(inner, indent + "    ")
    else:
        yield from _sample_of(inner, indent + "  ")


def json_schema() -> str:
    """`docs/tagsight.schema.json`, for editors."""
    schema = Configuration.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "TagSight configuration"
    for _, kind in _groups("", Configuration):
        part = schema if kind is Configuration else schema["$defs"][kind.__name__]
        for key, field in _fields(kind):
            _write_default(part["properties"][key], field)
    model = schema["$defs"]["Model"]
    model.pop("required", None)  # a template may give what a model leaves out
    for key, one in ROLLOUT.items():
        model["properties"][key] = {"type": "string", "description": one.description, "examples": [one.example]}
    schema["properties"]["templates"]["additionalProperties"] = {"$ref": "#/$defs/Model"}
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _write_default(part: dict[str, Any], field: FieldInfo) -> None:
    """Defaults as they are written, not as they are kept: "1m", not nanoseconds."""
    part.pop("default", None)
    for bound in ("minimum", "maximum"):
        if field.examples and isinstance(field.examples[0], str):
            part.pop(bound, None)
    text = default_text(field)
    if text in ("", _REQUIRED):
        return
    part["default"] = field.default if isinstance(field.default, bool | float) else text.strip('"')
    if isinstance(field.default, int) and not (field.examples and isinstance(field.examples[0], str)):
        part["default"] = field.default

"""One model written once, many assets: templates, and tables of machines (CSV, one asset a line).

A table's column named like a setting (`asset`, `alarm.at_most`, `roles.speed.max_gap`) overrides that setting where
its cell is not empty; every column is a placeholder `{column}` for any text of the model. All this happens on nodes,
before validation, so that a fault keeps the line it comes from.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import NoneType
from typing import Final, get_args

from tagsight.document import Node, decode, resolve
from tagsight.errors import Fault
from tagsight.specification import MODELS_LIMIT, Model
from tagsight.validation import nested

TABLE_LIMIT: Final = 10_000_000
"""Bytes of a table."""

_PLACEHOLDER: Final = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Row:
    """One machine of a table."""

    cells: Mapping[str, str]
    origin: str


def expand(item: Node, templates: Mapping[str, Node], folder: Path) -> tuple[list[Node], list[Fault]]:
    """The models that one entry of `models` stands for."""
    if not isinstance(item.value, dict):
        return [item], []
    given = dict(item.value)
    template, machines = given.pop("template", None), given.pop("machines", None)
    base: dict[str, Node] = {}
    if template is not None:
        known = templates.get(str(template.value))
        if known is None or not isinstance(known.value, dict):
            mend = f"Templates here: {', '.join(templates) or 'none'}."
            return [], [Fault(template.line, "template", shown(template.value), "no such template", mend)]
        base = known.value
    model = Node(merged(base, given), item.line, item.origin)
    if machines is None:
        return _filled(model, {}) if template is not None else ([model], [])
    rows, faults = read_table(folder, machines)
    models: list[Node] = []
    for row in rows:
        made, wrong = _filled(_overridden(model, row, machines.line), row.cells, row.origin)
        models += made
        faults += wrong
    return models, faults


def merged(base: Mapping[str, Node], over: Mapping[str, Node]) -> dict[str, Node]:
    """Settings of `base`, overridden by those of `over`, group by group; a list is replaced as a whole."""
    result = dict(base)
    for key, node in over.items():
        below = result.get(key)
        if below is not None and isinstance(below.value, dict) and isinstance(node.value, dict):
            node = replace(node, value=merged(below.value, node.value))  # noqa: PLW2901 - the merged node
        result[key] = node
    return result


def read_table(folder: Path, where: Node) -> tuple[list[Row], list[Fault]]:
    """The machines of a table, and what is wrong with it."""
    name = str(where.value)

    def fault(cause: str, mend: str) -> tuple[list[Row], list[Fault]]:
        return [], [Fault(where.line, "machines", shown(name), cause, mend)]

    path = folder / name
    try:
        if path.stat().st_size > TABLE_LIMIT:
            return fault(f"the table is larger than {TABLE_LIMIT} bytes", "Use several tables.")
        text, faults = decode(path.read_bytes(), TABLE_LIMIT)
    except (OSError, ValueError) as error:
        return fault(f"the table cannot be read: {getattr(error, 'strerror', error)}", f"Is it at {path}?")
    if faults:
        return fault(f"{faults[0].cause} (line {faults[0].line})", 'In a spreadsheet save it as "CSV UTF-8".')
    mend = "Add a line of column names, and one for each machine or period."
    return _rows(text, name, fault(f"the table {name} has no lines", mend), where)


def _rows(text: str, name: str, empty: tuple[list[Row], list[Fault]], where: Node) -> tuple[list[Row], list[Fault]]:
    header = text.split("\n", 1)[0]
    reader = csv.reader(io.StringIO(text), delimiter=max(";,\t", key=header.count), strict=True)
    rows: list[Row] = []
    faults: list[Fault] = []
    columns: list[str] = []
    try:
        for cells in reader:
            origin = f"{Path(name).name} line {reader.line_num}"
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if not columns:
                columns = stripped
                if len(set(columns)) < len(columns) or "" in columns:
                    cause, mend = f"a column name is empty or twice ({origin})", "Name every column once."
                    return [], [Fault(where.line, "machines", shown(header.strip()), cause, mend)]
            elif len(stripped) != len(columns):
                cause = f"{len(stripped)} cells, but {len(columns)} columns ({origin})"
                mend = "Give every column a cell; put cells with the separator in quotes."
                faults.append(Fault(where.line, "machines", shown(",".join(stripped)), cause, mend))
            else:
                rows.append(Row(dict(zip(columns, stripped, strict=True)), origin))
            if len(rows) > MODELS_LIMIT:
                cause = f"more than {MODELS_LIMIT} machines"
                return [], [Fault(where.line, "machines", shown(name), cause, "Use a second server.")]
    except csv.Error as error:
        cause = f"not CSV: {error} ({Path(name).name} line {reader.line_num})"
        return [], [Fault(where.line, "machines", shown(name), cause, "Check the quotes of this line.")]
    return (rows, faults) if rows or faults else empty


def _overridden(model: Node, row: Row, line: int) -> Node:
    result = model
    for column, cell in row.cells.items():
        steps = column.split(".")
        if cell and (len(steps) > 1 or column in _SETTINGS):
            value = resolve(cell) if steps[-1] in _NOT_TEXT else cell
            result = _with(result, steps, Node(value, line, row.origin))
    return result


def _with(node: Node, steps: list[str], leaf: Node) -> Node:
    inner = dict(node.value) if isinstance(node.value, dict) else {}
    below = inner.get(steps[0], Node({}, leaf.line, leaf.origin))
    inner[steps[0]] = leaf if len(steps) == 1 else _with(below, steps[1:], leaf)
    return replace(node, value=inner)


def _filled(model: Node, cells: Mapping[str, str], origin: str = "") -> tuple[list[Node], list[Fault]]:
    """The model with its placeholders replaced; `{asset}` and `{name}` are always known."""
    own = model.value if isinstance(model.value, dict) else {}
    known = dict(cells)
    for key in ("asset", "name"):
        if key in own and isinstance(own[key].value, str) and "{" not in str(own[key].value):
            known[key] = str(own[key].value)
    faults: list[Fault] = []
    return [_fill(model, known, origin, faults)], faults


def _fill(node: Node, cells: Mapping[str, str], origin: str, faults: list[Fault]) -> Node:
    value = node.value
    if isinstance(value, dict):
        filled = {key: _fill(part, cells, origin, faults) for key, part in value.items()}
        return Node(filled, node.line, node.origin)
    if isinstance(value, list):
        return Node([_fill(part, cells, origin, faults) for part in value], node.line, node.origin)
    if not isinstance(value, str) or ("{" not in value and "}" not in value):
        return node
    return Node(_replaced(value, cells, node.line, origin, faults), node.line, origin)


def _replaced(text: str, cells: Mapping[str, str], line: int, origin: str, faults: list[Fault]) -> str:
    def one(match: re.Match[str]) -> str:
        if match[1] is None:
            return match[0][0]
        if cells.get(match[1]):
            return cells[match[1]]
        place = f" ({origin})" if origin else ""
        cause = f"{{{match[1]}}} has no value{place}" if match[1] in cells else f"no column {match[1]!r}{place}"
        faults.append(Fault(line, "models", shown(text), cause, f"Known here: {', '.join(cells) or 'asset, name'}."))
        return "?"

    return _PLACEHOLDER.sub(one, text)


def shown(value: object) -> str:
    """A value for people: one line, short, without control characters."""
    if value is None or isinstance(value, dict | list):
        return ""
    text = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value)
    printable = "".join(character if character.isprintable() else "\ufffd" for character in text)
    return printable if len(printable) <= 60 else printable[:57] + "..."


def _numbers_and_flags(kind: type = Model) -> Iterator[str]:
    """Names of settings that are numbers or flags: cells are read as such there, and as text elsewhere."""
    for name, field in kind.model_fields.items():  # type: ignore[attr-defined]
        inner = nested(field)
        if inner is not None:
            yield from _numbers_and_flags(inner)
        written_as_text = any(not hasattr(part, "ge") and not hasattr(part, "le") for part in field.metadata)
        kinds = set(get_args(field.annotation) or (field.annotation,)) - {NoneType}
        if kinds <= {int, float, bool} and not written_as_text:
            yield field.alias or name


_NOT_TEXT: Final = frozenset(_numbers_and_flags())
_SETTINGS: Final = frozenset(field.alias or name for name, field in Model.model_fields.items())

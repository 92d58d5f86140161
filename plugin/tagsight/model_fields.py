"""A configuration as the few fields that most models need: read from its text, written back with comments kept. Pure.

The text is the one truth: a field shows what it says there, and an empty field says nothing, so that the template's
setting, or the default, holds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tagsight.editing import Path, plain_tree, with_item, with_setting, without_setting

INPUTS: Final = "inputs"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting of a model that has a field: its name in dots, words for people, and what holds without it."""

    name: str
    label: str
    default: str = ""
    choices: tuple[str, ...] = ()

    @property
    def path(self) -> tuple[str, ...]:
        """Steps from the model."""
        return tuple(self.name.split("."))


FIELDS: Final = (
    Field("job", "Job", "health", ("health", "diagnosis", "prognosis", "quality", "production")),
    Field(INPUTS, "Inputs, one a line"),
    Field("running", "Running condition", "always"),
    Field("train.last", "Learn from the last", "90d"),
    Field("train.from", "... or from"),
    Field("train.to", "... to"),
    Field("score.every", "Score every", "1m"),
    Field("alarm.at_most", "Alarms at most", "2 per month"),
    Field("alarm.on_delay", "On delay", "5m"),
    Field("alarm.off_delay", "Off delay", "5m"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A model, a template, or a template with its machines, as it is written in the file.

    Attributes:
        label: for people.
        path: from the root.
        template: that it is made from; "".
        machines: name of its table; "".
    """

    label: str
    path: Path
    template: str = ""
    machines: str = ""


def entries_of(text: str) -> list[Entry]:
    """What has fields: models first, then templates. Raises ConfigurationError where the text is no YAML."""
    tree = plain_tree(text)
    found = [_entry(one, place) for place, one in enumerate(_items(tree.get("models"))) if isinstance(one, Mapping)]
    templates = tree.get("templates")
    names = templates if isinstance(templates, Mapping) else ()
    return found + [Entry(f"template {name}", ("templates", name)) for name in names]


def _entry(one: Mapping[str, Any], place: int) -> Entry:
    template, machines = (str(one.get(key) or "") for key in ("template", "machines"))
    named = "/".join(str(one[key]) for key in ("asset", "name") if one.get(key))
    if machines:
        named = f"machines of {machines}"
    label = f"{named or f'model {place + 1}'}{f' ({template})' if template else ''}"
    return Entry(label, ("models", place), template, machines)


def fields_of(text: str, entry: Entry) -> dict[str, str]:
    """What the entry itself says, by field name; "" where it says nothing."""
    tree = plain_tree(text)
    return {field.name: _shown(_at(tree, (*entry.path, *field.path))) for field in FIELDS}


def inherited(text: str, entry: Entry) -> dict[str, str]:
    """What holds where a field is empty: the template's, or the default."""
    tree = plain_tree(text)
    base: Path = ("templates", entry.template)
    return {
        field.name: (_shown(_at(tree, (*base, *field.path))) if entry.template else "") or _default(tree, entry, field)
        for field in FIELDS
    }


def _default(tree: Any, entry: Entry, field: Field) -> str:
    """`last` has none where a period is given."""
    if field.name == "train.last":
        places = [entry.path, *([("templates", entry.template)] if entry.template else [])]
        if any(_at(tree, (*place, "train", "from")) is not None for place in places):
            return ""
    return field.default


def with_field(text: str, entry: Entry, name: str, value: str) -> str:
    """The text with one field given, or taken out where it is empty. Raises ConfigurationError as `with_setting`."""
    field = next(one for one in FIELDS if one.name == name)
    path = (*entry.path, *field.path)
    if name == INPUTS:
        return _with_inputs(text, path, [line.strip() for line in value.splitlines() if line.strip()])
    if _shown(_at(plain_tree(text), path)) == value.strip():
        return text
    return with_setting(text, path, value.strip()) if value.strip() else _without(text, path)


def _without(text: str, path: Path) -> str:
    """Without a setting, and without a group that has nothing else."""
    text = without_setting(text, path)
    group = path[:-1]
    return without_setting(text, group) if group[-1] in {"train", "score", "alarm"} and _at(
        plain_tree(text), group
    ) == {} else text  # fmt: skip


def _with_inputs(text: str, path: Path, wanted: Sequence[str]) -> str:
    """Only what is new is added and only what is gone removed, so that comments between the others stay."""
    there = [str(one) for one in _items(_at(plain_tree(text), path))]
    if list(wanted) == there:
        return text
    if not wanted:
        return without_setting(text, path)
    kept = [one for one in there if one in wanted]
    if not there or list(wanted[: len(kept)]) != kept or len(set(there)) < len(there):  # another order
        return with_setting(text, path, list(wanted))
    for place in reversed(range(len(there))):
        if there[place] not in wanted:
            text = without_setting(text, (*path, place))
    for one in wanted[len(kept) :]:
        text = with_item(text, path, one)
    return text


def _at(tree: Any, path: Path) -> Any:
    for step in path:
        if isinstance(tree, Mapping):
            tree = tree.get(step)
        elif isinstance(tree, list) and isinstance(step, int) and step < len(tree):
            tree = tree[step]
        else:
            return None
    return tree


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return "\n".join(str(one) for one in value)
    return str(value).lower() if isinstance(value, bool) else str(value)

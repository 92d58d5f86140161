"""Changing a configuration file as an engineer would: one setting, and comments, order and quotes stay. Pure.

The text is read and written by ruamel's round trip; what it makes is checked like any other text before it is used.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from tagsight.document import resolve
from tagsight.errors import ConfigurationError, Fault, NotAllowed

Path = tuple[str | int, ...]

_LIST_ITEM: Final = re.compile(r"^( *)- ", re.MULTILINE)
_FAR: Final = re.compile(r" {5,}#")
_WIDTH: Final = 4_096
"""Columns; lines of the engineer are never folded."""


def with_setting(text: str, path: Path, value: Any) -> str:
    """The text with one setting given or changed; groups on the way are made.

    Args:
        text: of a configuration.
        path: keys and places in lists, from the root.
        value: plain data.

    Raises:
        ConfigurationError: the text is no YAML, or has something else on the way.
    """

    def change(root: Any) -> None:
        here = _group(root, path[:-1], make=True)
        here[path[-1]] = _styled(value)

    return _changed(text, change)


def without_setting(text: str, path: Path) -> str:
    """The text without one setting; harmless where it is not there. Raises ConfigurationError as `with_setting`."""

    def change(root: Any) -> None:
        here = _group(root, path[:-1], make=False)
        if isinstance(here, CommentedMap):
            here.pop(path[-1], None)
        elif isinstance(here, CommentedSeq) and isinstance(path[-1], int) and path[-1] < len(here):
            del here[path[-1]]

    return _changed(text, change)


def with_item(text: str, path: Path, value: Any) -> str:
    """The text with one more item at the end of a list, which is made if need be. Raises as `with_setting`."""

    def change(root: Any) -> None:
        here = _group(root, path[:-1], make=True)
        if here.get(path[-1]) is None:
            here[path[-1]] = CommentedSeq()
        items = here[path[-1]]
        if not isinstance(items, CommentedSeq):
            raise _unexpected(path, "a list")
        items.append(_styled(value))

    return _changed(text, change)


def place_of_model(models: Sequence[Any], asset: str, name: str) -> int:
    """Where a model stands in `models`.

    Raises:
        NotAllowed: it is made from a template, so what is changed there would change other machines too.
    """
    for place, one in enumerate(models):
        if isinstance(one, Mapping) and one.get("asset") == asset and one.get("name", "") == name:
            return place
    raise NotAllowed(
        what=f"{asset}/{name} is made from a template or a table of machines",
        mend="Change the template, which holds for all its machines, or write this machine as a model of its own.",
    )


def plain_tree(text: str) -> Any:
    """The data of a text, without comments. Raises ConfigurationError."""
    return _plain(_read(text))


def _changed(text: str, change: Callable[[Any], None]) -> str:
    root = _read(text)
    change(root)
    out = io.StringIO()
    _yaml(text).dump(root, out)
    made = out.getvalue()
    near = _with_comments_near(made, text)
    return near if plain_tree(near) == plain_tree(made) else made


def _with_comments_near(made: str, before: str) -> str:
    """The round trip leaves a comment in its column, far from a line that has become shorter."""
    same = set(before.splitlines())
    lines = (line if line in same else _FAR.sub("    #", line) for line in made.splitlines())
    return "\n".join(lines) + "\n"


def _read(text: str) -> Any:
    try:
        root = _yaml(text).load(text)
    except (YAMLError, ValueError) as error:
        cause = f"not YAML: {str(error).splitlines()[0]}"
        fault = Fault(0, "file", "", cause, "`tagsight check` names the line.")
        raise ConfigurationError("configuration", (fault,)) from error
    if not isinstance(root, CommentedMap):
        fault = Fault(1, "file", "", "not a group of settings", "Write for example `timezone: UTC`.")
        raise ConfigurationError("configuration", (fault,))
    return root


def _yaml(text: str) -> YAML:
    """Lists are indented as the text has them."""
    yaml = YAML()  # round trip
    yaml.preserve_quotes = True
    yaml.width = _WIDTH
    first = next((len(found.group(1)) for found in _LIST_ITEM.finditer(text)), 2)
    yaml.indent(mapping=2, sequence=2 + first, offset=first)
    return yaml


def _group(root: Any, path: Path, *, make: bool) -> Any:
    here = root
    for number, step in enumerate(path):
        if isinstance(here, CommentedSeq) and isinstance(step, int) and step < len(here):
            here = here[step]
        elif isinstance(here, CommentedMap):
            if here.get(step) is None:
                if not make:
                    return None
                here[step] = CommentedMap()
                here[step].fa.set_flow_style()
            here = here[step]
        else:
            raise _unexpected(path[: number + 1], "a group")
    return here


def _unexpected(path: Path, what: str) -> ConfigurationError:
    setting = ".".join(str(step) for step in path)
    fault = Fault(0, setting, "", f"not {what}", "Correct the file by hand first.")
    return ConfigurationError("configuration", (fault,))


def _styled(value: Any) -> Any:
    """As an engineer writes it: small groups and lists in one line, text in quotes only where it needs them."""
    if isinstance(value, Mapping):
        group = CommentedMap({key: _styled(part) for key, part in value.items()})
        group.fa.set_flow_style()
        return group
    if isinstance(value, list | tuple):
        items = CommentedSeq([_styled(part) for part in value])
        items.fa.set_flow_style()
        return items
    if isinstance(value, str) and (resolve(value) != value or re.search(r"[^\w ./-]", value)):
        return DoubleQuotedScalarString(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, CommentedMap):
        return {str(key): _plain(part) for key, part in value.items()}
    if isinstance(value, CommentedSeq):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, str) else value

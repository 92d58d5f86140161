"""A YAML text as a tree of nodes that know their lines; what is not plain data is refused with its line.

Only what a configuration needs: groups, lists and scalars as YAML 1.2 means them (`on` and dates are text). Anchors,
aliases, tags and several documents are faults: an alias can stand for a billion nodes, a tag for an object.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml import events as yaml_events
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.reader import ReaderError

from tagsight.errors import Fault

SIZE_LIMIT: Final = 250_000
"""Bytes of a configuration file; many machines belong into a table."""

DEPTH_LIMIT: Final = 20
NODES_LIMIT: Final = 50_000

Scalar = str | int | float | bool | None

_INTEGER: Final = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_REAL: Final = re.compile(r"[-+]?(\d+\.\d*|\.?\d+)([eE][-+]?\d{1,3})?", re.ASCII)
_WORDS: Final[dict[str, Scalar]] = {"": None, "~": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Node:
    """A value and where it stands: `line` of its key; `origin` names a table that it comes from."""

    value: "Scalar | list[Node] | dict[str, Node]"
    line: int
    origin: str = ""

    def plain(self) -> Any:
        """The data without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    def at(self, path: tuple[str | int, ...]) -> "Node":
        """The node there, or the nearest one that holds it."""
        here = self
        for step in path:
            if isinstance(here.value, dict) and str(step) in here.value:
                here = here.value[str(step)]
            elif isinstance(here.value, list) and isinstance(step, int) and step < len(here.value):
                here = here.value[step]
            else:
                break
        return here


def resolve(text: str) -> Scalar:
    """A scalar without quotes, as the core schema of YAML 1.2 means it, without octal and hexadecimal."""
    lowered = text.lower()
    if lowered in _WORDS:
        return _WORDS[lowered]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _REAL.fullmatch(text) else text


def decode(data: bytes, at_most: int = SIZE_LIMIT) -> tuple[str, list[Fault]]:
    """The text of a file."""
    if len(data) > at_most:
        cause = f"the file has more than {at_most} bytes"
        return "", [Fault(0, "file", "", cause, "Put the machines into a CSV table: `machines: table.csv`.")]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        cause = "the file is not UTF-8"
        return "", [Fault(line, "file", repr(data[error.start : error.start + 4]), cause, "Save it as UTF-8.")]


def read_tree(text: str) -> tuple[Node, list[Fault]]:
    """The tree of a text, as far as it can be read, and its faults."""
    tabs = [
        Fault(number, "file", "a tab", "YAML is indented with blanks", "Replace the tab by blanks.")
        for number, line in enumerate(text.splitlines(), start=1)
        if "\t" in line[: len(line) - len(line.lstrip())]
    ]
    if tabs:
        return Node({}, 1), tabs
    builder = _Builder()
    try:
        for event in YAML(typ="safe", pure=True).parse(text):
            builder.take(event)
    except _Refusal as refusal:
        builder.faults.append(refusal.fault)
    except (YAMLError, ReaderError, ValueError) as error:
        builder.faults.append(_syntax_fault(error, text))
    return builder.root or Node({}, 1), builder.faults


def _syntax_fault(error: Exception, text: str) -> Fault:
    mend = "Compare the indentation and quotes of this line and the one before it."
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        line = error.problem_mark.line + 1
        lines = text.splitlines()
        shown = lines[line - 1].strip() if line <= len(lines) else "end of file"
        shown = "" if "passw" in shown.lower() else shown[:60]
        return Fault(line, "file", shown, f"not YAML: {error.problem}", mend)
    if isinstance(error, ReaderError):
        line = text[: error.position].count("\n") + 1
        return Fault(line, "file", repr(chr(error.character)), "a character that no text has", "Remove it.")
    return Fault(0, "file", "", f"not YAML: {error}", mend)


class _Refusal(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass
class _Builder:
    """Makes nodes from the events of the parser, without recursion."""

    root: Node | None = None
    faults: list[Fault] = field(default_factory=list)
    count: int = 0
    open: list[Node] = field(default_factory=list)
    keys: list[tuple[str, int] | None] = field(default_factory=list)

    def take(self, event: Any) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 0
        self._refuse(event, line)
        match event:
            case yaml_events.ScalarEvent():
                self._scalar(event, line)
            case yaml_events.MappingStartEvent() | yaml_events.SequenceStartEvent():
                is_mapping = isinstance(event, yaml_events.MappingStartEvent)
                self._begin(Node({} if is_mapping else [], line))
            case yaml_events.MappingEndEvent() | yaml_events.SequenceEndEvent():
                self.open.pop()
                self.keys.pop()
            case yaml_events.DocumentStartEvent() if self.root is not None:
                raise _Refusal(Fault(line, "file", "---", "a second document", "Keep one document in the file."))

    def _refuse(self, event: Any, line: int) -> None:
        self.count += 1
        if self.count > NODES_LIMIT:
            raise _Refusal(Fault(line, "file", "", f"more than {NODES_LIMIT} values", "Use a table of machines."))
        anchor = getattr(event, "anchor", None)
        if anchor is not None:
            sign = "*" if isinstance(event, yaml_events.AliasEvent) else "&"
            mend = "Write it out, or use `templates:`."
            raise _Refusal(Fault(line, "file", f"{sign}{anchor}"[:60], "anchors and aliases are not accepted", mend))
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _Refusal(Fault(line, "file", str(tag)[:60], "YAML tags are not accepted", "Remove the tag."))

    def _scalar(self, event: Any, line: int) -> None:
        if self._expects_key():
            assert isinstance(self.open[-1].value, dict)
            if event.value in self.open[-1].value:
                first = self.open[-1].value[event.value].line
                cause = f"given twice, first in line {first}"
                self.faults.append(Fault(line, event.value[:60], "", cause, "Remove one of them."))
            self.keys[-1] = (event.value, line)
        else:
            self._attach(Node(resolve(event.value) if event.implicit[0] else event.value, line))

    def _begin(self, node: Node) -> None:
        if self._expects_key():
            mend = 'Put it in quotes: "{asset}".'
            raise _Refusal(Fault(node.line, "file", "", "a group or list where a name is expected", mend))
        if len(self.open) >= DEPTH_LIMIT:
            raise _Refusal(Fault(node.line, "file", "", f"more than {DEPTH_LIMIT} levels", "Remove brackets."))
        self._attach(node)
        self.open.append(node)
        self.keys.append(None)

    def _expects_key(self) -> bool:
        return bool(self.open) and isinstance(self.open[-1].value, dict) and self.keys[-1] is None

    def _attach(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        parent = self.open[-1].value
        if isinstance(parent, list):
            parent.append(node)
        elif isinstance(parent, dict):
            key = self.keys[-1]
            assert key is not None
            node.line = key[1]
            parent.setdefault(key[0], node)
            self.keys[-1] = None


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it."""
    yield node
    inner = node.value.values() if isinstance(node.value, dict) else node.value if isinstance(node.value, list) else ()
    for part in inner:
        yield from walk(part)

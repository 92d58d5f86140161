"""What the names of the columns say: layout, time, tags, units, qualities."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.settings import FileSettings, Layout

_TIMES: Final = frozenset(
    {"time", "timestamp", "datetime", "date", "date time", "datetimeutc", "time stamp", "zeit", "zeitstempel", "datum",
     "sourcetimestamp", "source time", "t", "ts", "utc"}
)  # fmt: skip
_TAGS: Final = frozenset(
    {"tag", "tagname", "tag name", "tagid", "name", "point", "pointname", "point name", "item", "itemid", "signal",
     "variable", "sensor", "node", "nodeid", "node id", "messstelle", "kennzeichen", "kks"}
)  # fmt: skip
_VALUES: Final = frozenset({"value", "val", "values", "wert", "reading", "vvalue", "data", "average"})
_QUALITIES: Final = frozenset(
    {"status", "quality", "qual", "statuscode", "status code", "state", "qualität", "opcquality", "good", "isgood", "q"}
)
_SUFFIX: Final = re.compile(r"(.+?)[ _.:\-](?:quality|status|statuscode|qual|q)$", re.IGNORECASE)
_UNIT: Final = re.compile(r"(.*\S)\s*\[([^\[\]]*)\]$")


@dataclass(frozen=True, slots=True)
class ValueColumn:
    """A column of values of a wide file, or the one of a long file.

    Attributes:
        column: its number, from 0.
        name: the tag's name, unique in the file.
        unit: from brackets in the header.
        status: number of the column with its qualities.
    """

    column: int
    name: str
    unit: str = ""
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Columns:
    """What each column of a file is.

    Attributes:
        layout: wide or long.
        time: number of the column of times.
        signals: wide: one for each tag; long: exactly one, whose name says nothing.
        tag: long: number of the column of tag names.
        renamed: names that stood there more than once.
    """

    layout: Layout
    time: int
    signals: tuple[ValueColumn, ...]
    tag: int | None = None
    renamed: tuple[str, ...] = ()


def columns_of(where: str, names: Sequence[str], settings: FileSettings) -> Columns:
    """Read the header. Raises MalformedData if a named column is missing or there is nothing to read."""
    plain = [_split_unit(name)[0].casefold() for name in names]
    tag, value = _named(where, names, settings.tag, _TAGS), _named(where, names, settings.value, _VALUES)
    long = settings.layout is Layout.LONG or (settings.layout is None and tag is not None and value is not None)
    if long:
        return _long(where, names, settings, tag, value)
    time = _given(where, names, settings.time) if settings.time else next(iter(_first_time(plain)), 0)
    return _wide(where, names, time)


def _long(where: str, names: Sequence[str], settings: FileSettings, tag: int | None, value: int | None) -> Columns:
    time = _named(where, names, settings.time, _TIMES)
    status = _named(where, names, settings.status, _QUALITIES)
    if time is None:
        time = next((number for number in range(len(names)) if number not in {tag, value, status}), None)
    if tag is None or value is None or time is None:
        raise MalformedData(
            where,
            f"a long file needs columns for time, tag and value; found {', '.join(names)}",
            mend="Name them in the URL: ?time=NAME&tag=NAME&value=NAME&status=NAME",
        )
    return Columns(Layout.LONG, time, (ValueColumn(value, "", status=status),), tag)


def _wide(where: str, names: Sequence[str], time: int) -> Columns:
    split = [_split_unit(name) for name in names]
    qualities = _quality_columns([name for name, _ in split], time)
    taken: set[str] = set()
    renamed: list[str] = []
    values: list[ValueColumn] = []
    for number, (name, unit) in enumerate(split):
        if number == time or number in qualities.values() or not name:
            continue
        unique = _unique(name, taken)
        if unique != name:
            renamed.append(name)
        taken.add(unique)
        values.append(ValueColumn(number, unique, unit, qualities.get(number)))
    if not values:
        raise MalformedData(where, f"no column of values beside the times; found {', '.join(names)}", mend=_SEPARATOR)
    return Columns(Layout.WIDE, time, tuple(values), renamed=tuple(renamed))


_SEPARATOR: Final = "Is the separator right? Lay it down: ?separator=; or ?separator=tab"


def _quality_columns(names: Sequence[str], time: int) -> Mapping[int, int]:
    """Value column -> its quality column: `Speed` and `Speed_Quality`."""
    by_name: dict[str, int] = {}
    for number, name in enumerate(names):
        if number != time:
            by_name.setdefault(name.casefold(), number)
    found: dict[int, int] = {}
    for number, name in enumerate(names):
        match = _SUFFIX.fullmatch(name)
        owner = by_name.get(match.group(1).casefold()) if match and number != time else None
        if owner is not None and owner not in found:
            found[owner] = number
    return found


def _first_time(plain: Sequence[str]) -> list[int]:
    """The first column, unless its name says nothing of time and another one's does."""
    if plain[0] in _TIMES or plain[0] == "":
        return [0]
    return [number for number, name in enumerate(plain) if name in _TIMES]


def _split_unit(name: str) -> tuple[str, str]:
    match = _UNIT.fullmatch(name.strip())
    return (match.group(1).strip(), match.group(2).strip()) if match else (name.strip(), "")


def _unique(name: str, taken: set[str]) -> str:
    if name not in taken:
        return name
    return next(new for count in range(2, len(taken) + 3) if (new := f"{name} ({count})") not in taken)


def _named(where: str, names: Sequence[str], given: str, known: frozenset[str]) -> int | None:
    if given:
        return _given(where, names, given)
    return next((number for number, name in enumerate(names) if _split_unit(name)[0].casefold() in known), None)


def _given(where: str, names: Sequence[str], given: str) -> int:
    for number, name in enumerate(names):
        if given in {name, _split_unit(name)[0]}:
            return number
    raise MalformedData(where, f"there is no column {given!r}", mend=f"The columns are {', '.join(names)[:500]}.")

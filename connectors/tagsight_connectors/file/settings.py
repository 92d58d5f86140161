"""What the URL of a file says: where it is, and what the engineer laid down instead of letting us find it."""

import os
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final, Literal, TypeAlias
from urllib.parse import parse_qsl, urlsplit
from urllib.request import url2pathname

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.qualities import QualityKind


class Layout(Enum):
    """How values stand in a file."""

    WIDE = "wide"  # a column of times, one column for each tag
    LONG = "long"  # columns time, tag, value and maybe status


Ambiguous: TypeAlias = Literal["order", "first", "second"]
"""The hour that summer time's end repeats: told apart by the order of the rows, or always the first or second pass."""


@dataclass(frozen=True, slots=True)
class FileSettings:
    """Settings of one file historian. None and "" mean: find it in the file.

    Attributes:
        path: the file, or a folder of files.
        timezone: IANA name, for times without an offset.
        layout: wide or long.
        separator: one character between fields of a CSV file.
        decimal: "." or ",".
        encoding: of a CSV file, as Python names it.
        skip: so many lines stand before the header.
        time, tag, value, status: names of columns.
        dayfirst: whether 03/04/2026 is the third of April.
        time_format: as `strptime` takes it.
        ambiguous: see `Ambiguous`.
        unreadable: what to do with a row whose time cannot be read: "error", or "skip" (counted).
        quality: what the numbers in quality columns mean.
    """

    path: Path
    timezone: str = "UTC"
    layout: Layout | None = None
    separator: str = ""
    decimal: str = ""
    encoding: str = ""
    skip: int = 0
    time: str = ""
    tag: str = ""
    value: str = ""
    status: str = ""
    dayfirst: bool | None = None
    time_format: str = ""
    ambiguous: Ambiguous = "order"
    unreadable: Literal["error", "skip"] = "error"
    quality: QualityKind | None = None


_ALLOWED: Final = {
    "layout": "wide, long",
    "separator": "a character, or `tab`",
    "decimal": "`.` or `,`",
    "encoding": "a name such as utf-8 or cp1252",
    "skip": "a number of lines",
    "time": "the name of a column",
    "tag": "the name of a column",
    "value": "the name of a column",
    "status": "the name of a column",
    "dayfirst": "true or false",
    "time_format": "a format such as %d.%m.%Y %H:%M",
    "timezone": "a name such as Europe/Berlin",
    "ambiguous": "order, first or second",
    "unreadable": "error or skip",
    "quality": "statuscode, opcda or percent",
}


def settings_of(connection: Connection) -> FileSettings:
    """Read the URL of a connection. Raises MalformedData with the setting, its value and what is allowed."""
    parts = urlsplit(connection.url)
    found: dict[str, object] = {"path": _path(parts.netloc, parts.path), "timezone": connection.timezone}
    for key, text in parse_qsl(parts.query, keep_blank_values=True):
        if key not in _ALLOWED:
            raise MalformedData(connection.url, f"unknown setting {key!r}", mend=f"Known are {', '.join(_ALLOWED)}.")
        try:
            found[key] = _value(key, text)
        except (KeyError, ValueError):
            cause = f"setting {key}={text!r} cannot be used"
            raise MalformedData(connection.url, cause, mend=f"Allowed: {_ALLOWED[key]}.") from None
    return FileSettings(**found)  # type: ignore[arg-type] # the keys and types were checked one by one above


def _value(key: str, text: str) -> object:
    if key in {"layout", "quality"}:
        return Layout(text) if key == "layout" else QualityKind(text)
    if key == "skip":
        return _at_least_zero(int(text))
    if key == "dayfirst":
        return {"true": True, "false": False}[text.casefold()]
    if key == "separator":
        return _one_character({"tab": "\t", r"\t": "\t", "comma": ",", "semicolon": ";"}.get(text, text))
    choices = {"decimal": (".", ","), "ambiguous": ("order", "first", "second"), "unreadable": ("error", "skip")}
    if text not in choices.get(key, (text,)):
        raise ValueError(text)
    return text


def _one_character(text: str) -> str:
    if len(text) != 1 or text in '\r\n"':
        raise ValueError(text)
    return text


def _at_least_zero(number: int) -> int:
    if number < 0:
        raise ValueError(number)
    return number


def _path(host: str, path: str) -> Path:
    if host in {"", "localhost"}:
        return Path(url2pathname(path))
    if os.name == "nt":
        return Path(f"//{host}{url2pathname(path)}")
    raise MalformedData(
        where=f"file://{host}{path}",
        cause=f"{host!r} stands where a host would",
        mend="A file on this machine has three slashes: file:///folder/export.csv",
    )

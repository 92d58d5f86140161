"""How a CSV file is written: encoding, separator and decimal sign, found from its beginning and its end."""

import codecs
import csv
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final

from tagsight_connectors.errors import LimitExceeded, MalformedData
from tagsight_connectors.file import limits

_LOOKED_AT: Final = 20
_SEPARATORS: Final = (";", "\t", ",", "|")
_WITH_COMMA: Final = re.compile(r"[+-]?\d+,\d+(?:[eE][+-]?\d+)?")
_WITH_POINT: Final = re.compile(r"[+-]?\d+\.\d+(?:[eE][+-]?\d+)?")


def find_encoding(path: Path, given: str) -> str:
    """The encoding laid down, or the one that the beginning of the file shows."""
    with path.open("rb") as file:
        head = file.read(2**18)
    if given:
        try:
            return codecs.lookup(given).name
        except LookupError:
            raise MalformedData(str(path), f"unknown encoding {given!r}", mend="Try utf-8 or cp1252.") from None
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"  # what Windows programs write in western Europe and America
    return "utf-8-sig"


def find_separator(lines: Sequence[str]) -> str:
    """The one that cuts the header and most of the first rows into the same number of fields."""
    best, most = ",", 1
    for candidate in _SEPARATORS:
        rows = [row for row in csv.reader(islice(lines, _LOOKED_AT), delimiter=candidate) if row]
        if len(lines) > _LOOKED_AT and len(rows) > 1:
            rows.pop()  # its quoted line breaks may have been cut
        equal = sum(len(row) == len(rows[0]) for row in rows)
        if 2 * equal > len(rows) and len(rows[0]) > most:
            best, most = candidate, len(rows[0])
    return best


def find_decimal(rows: Sequence[Sequence[str]], separator: str) -> str:
    """The sign that more numbers of the rows are written with; a point where the comma separates fields."""
    if separator == ",":
        return "."
    cells = [cell.strip() for row in rows for cell in row]
    commas = sum(bool(_WITH_COMMA.fullmatch(cell)) for cell in cells)
    return "," if commas > sum(bool(_WITH_POINT.fullmatch(cell)) for cell in cells) else "."


def check_header(path: Path, names: Sequence[str]) -> None:
    """Raise LimitExceeded for too many or too long names, MalformedData if there is only one."""
    if len(names) > limits.COLUMNS:
        raise LimitExceeded(limit=f"columns of {path}", allowed=limits.COLUMNS, found=len(names))
    longest = max(len(name) for name in names)
    if longest > limits.TEXT:
        raise LimitExceeded(limit=f"characters of a column name of {path}", allowed=limits.TEXT, found=longest)
    if len(names) < 2:
        raise MalformedData(
            str(path),
            f"only one column, {names[0][:80]!r}",
            mend="Lay down the separator: ?separator=; or ?separator=tab",
        )

"""A table of machines as people paste it from a spreadsheet: read, checked for its form, written as CSV. Pure."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tagsight.errors import NotAllowed
from tagsight.specification import MODELS_LIMIT

MOST_COLUMNS: Final = 100
_SEPARATORS: Final = "\t;,"
_FOREIGN: Final = frozenset('\t;,"\n')


@dataclass(frozen=True, slots=True)
class MachineTable:
    """Names of columns, and one row of cells for each machine; an empty cell inherits what the template says."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def csv(self) -> str:
        """As `machines` reads it."""
        out = io.StringIO()
        alone = len(self.columns) == 1  # no separator in the first line says which one it is
        writer = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL if alone else csv.QUOTE_MINIMAL)
        writer.writerow(self.columns)
        writer.writerows(self.rows)
        return out.getvalue()


def parsed(text: str) -> MachineTable:
    """A pasted or uploaded table: cells divided by tabs, semicolons or commas; the first line names the columns.

    Rows that are shorter get empty cells: a spreadsheet leaves them out at the end.

    Raises:
        NotAllowed: no names, a name twice, more cells than columns, too much, quotes that do not close.
    """
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    header = lines.lstrip("\n").split("\n", 1)[0]
    separator = max(_SEPARATORS, key=header.count)
    try:
        found = [
            tuple(cell.strip() for cell in row)
            for row in csv.reader(io.StringIO(lines), delimiter=separator, strict=True)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise NotAllowed(what=f"this is no table: {error}", mend="Check the quotes.") from error
    if len(found) < 2:
        raise NotAllowed(what="the table has no machine", mend="A line of column names, and a line for each machine.")
    columns, *rows = found
    _check(columns, rows)
    return MachineTable(columns, tuple((*row, *[""] * (len(columns) - len(row))) for row in rows))


def _check(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if len(columns) > MOST_COLUMNS or len(rows) > MODELS_LIMIT:
        what = f"{len(rows)} machines with {len(columns)} columns: at most {MODELS_LIMIT} and {MOST_COLUMNS}"
        raise NotAllowed(what=what, mend="Use several tables, or a second server.")
    if "" in columns or len(set(columns)) < len(columns):
        raise NotAllowed(what="a column name is empty or twice", mend="The first line names every column once.")
    if any(_FOREIGN & set(name) for name in columns):
        raise NotAllowed(what="a column name holds a separator or a quote", mend="Name columns like settings.")
    for number, row in enumerate(rows, 2):
        if len(row) > len(columns):
            what = f"line {number} has {len(row)} cells, but there are {len(columns)} columns"
            raise NotAllowed(what=what, mend="Put cells with the separator in quotes.")

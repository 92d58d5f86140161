"""What one pass over all files found: the tags, where their values lie, and everything odd, counted."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.file import limits
from tagsight_connectors.file.cells import Cells
from tagsight_connectors.file.export import Export, Rows, is_long
from tagsight_connectors.file.header import ValueColumn
from tagsight_connectors.file.qualities import QualityKind, kind_of
from tagsight_connectors.file.states import state_of
from tagsight_connectors.tag import DataType, Tag

_DIFFERENT: Final = 64
"""So many different texts of a tag or quality column are remembered."""


@dataclass(slots=True)
class Piece:
    """Values of a tag, or of all tags of a wide file, in one block.

    Attributes:
        export: number of the file.
        block: number of the block in the file.
        first_ns, last_ns: earliest and latest time.
        count: rows.
    """

    export: int
    block: int
    first_ns: int
    last_ns: int
    count: int


@dataclass
class Findings:
    """What was odd. Nothing of it was lost, except rows without a readable time, and those only when allowed."""

    rows: int = 0
    unsorted: int = 0
    duplicated_times: int = 0
    unreadable_times: int = 0
    nameless_rows: int = 0
    renamed: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[str]:
        """What to tell an engineer."""
        if self.unsorted:
            yield f"{self.unsorted} rows stand before an earlier one (sorted)"
        if self.duplicated_times:
            yield f"{self.duplicated_times} times are there more than once (all kept)"
        if self.unreadable_times:
            yield f"{self.unreadable_times} rows without a readable time (left out)"
        if self.nameless_rows:
            yield f"{self.nameless_rows} rows without a tag (left out)"
        if self.renamed:
            yield f"columns of equal name, numbered: {', '.join(self.renamed[:5])}"


@dataclass
class Contents:
    """What the cells of one tag are."""

    unit: str = ""
    numbers: int = 0
    booleans: int = 0
    states: Counter[str] = field(default_factory=Counter)
    texts: int = 0
    pieces: list[Piece] = field(default_factory=list)

    @property
    def data_type(self) -> DataType:
        """TEXT if more cells hold words, which are no known state, than numbers."""
        if self.texts > self.numbers + self.booleans:
            return DataType.TEXT
        return DataType.BOOLEAN if self.booleans and not self.numbers else DataType.NUMBER

    @property
    def description(self) -> str:
        """The texts that stand where numbers should."""
        if self.data_type is DataType.TEXT or not self.states:
            return ""
        return "states: " + ", ".join(f"{text} ({count})" for text, count in self.states.most_common(8))


@dataclass
class Catalogue:
    """All tags of all files, in the order in which they were met."""

    exports: Sequence[Export]
    contents: dict[str, Contents] = field(default_factory=dict)
    columns: list[dict[str, ValueColumn]] = field(default_factory=list)
    findings: Findings = field(default_factory=Findings)
    _qualities: list[set[str]] = field(default_factory=list)
    qualities: list[QualityKind] = field(default_factory=list)

    @staticmethod
    def of(exports: Sequence[Export]) -> "Catalogue":
        """Read every file once. Raises MalformedData, LimitExceeded."""
        catalogue = Catalogue(exports)
        for number, export in enumerate(exports):
            catalogue.columns.append({value.name: value for value in export.columns.signals})
            catalogue._qualities.append(set())
            catalogue.findings.renamed += export.columns.renamed
            for block, rows in enumerate(export.scan()):
                catalogue._add(number, block, rows)
            kind = export.settings.quality or kind_of(catalogue._qualities[number])
            catalogue.qualities.append(kind)
        return catalogue

    def tags(self) -> Iterator[Tag]:
        """Every tag that the files hold."""
        for name, contents in self.contents.items():
            yield Tag(name, name, contents.data_type, contents.unit, description=contents.description)

    def column(self, export: int, address: str) -> ValueColumn:
        """Where the values of a tag stand in a file."""
        columns = self.columns[export]
        return columns[""] if is_long(self.exports[export]) else columns[address]

    def _add(self, number: int, block: int, rows: Rows) -> None:
        export = self.exports[number]
        self.findings.rows += len(rows.times)
        self.findings.unreadable_times += rows.unreadable
        for value in export.columns.signals:
            if value.status is not None:
                self._note_qualities(number, rows.columns[value.status])
        if rows.tags is None:
            self._add_wide(number, block, rows)
        else:
            self._add_long(number, block, rows, rows.tags)
        if len(self.contents) > limits.TAGS:
            raise LimitExceeded(limit="tags of one file historian", allowed=limits.TAGS, found=len(self.contents))

    def _add_wide(self, number: int, block: int, rows: Rows) -> None:
        piece = self._piece(number, block, rows.times)
        for value in self.exports[number].columns.signals:
            contents = self.contents.setdefault(value.name, Contents(value.unit))
            _count(contents, rows.columns[value.column])
            if piece is not None:
                contents.pieces.append(piece)

    def _add_long(self, number: int, block: int, rows: Rows, tags: NDArray[np.object_]) -> None:
        column = self.exports[number].columns.signals[0].column
        for name, where in groups(tags):
            if not name:
                self.findings.nameless_rows += len(where)
                continue
            contents = self.contents.setdefault(name, Contents())
            _count(contents, rows.columns[column].taken(where))
            piece = self._piece(number, block, rows.times[where])
            if piece is not None:
                contents.pieces.append(piece)

    def _piece(self, number: int, block: int, times: NDArray[np.int64]) -> Piece | None:
        if not len(times):
            return None
        steps = np.diff(times)
        backward = int((steps < 0).sum())
        self.findings.unsorted += min(backward, int((steps > 0).sum()))  # newest first is an order, too
        self.findings.duplicated_times += len(times) - len(np.unique(times))
        return Piece(number, block, int(times.min()), int(times.max()), len(times))

    def _note_qualities(self, number: int, cells: Cells) -> None:
        known = self._qualities[number]
        if len(known) < _DIFFERENT:
            known.update(text for text in pd.unique(pd.Series(cells.written(), dtype=object)) if text is not None)


def groups(tags: NDArray[np.object_]) -> Iterator[tuple[str, NDArray[np.intp]]]:
    """Rows of each tag, in the order of the file; tags in the order in which they come."""
    if not len(tags):
        return
    kinds, names = pd.factorize(tags)
    order = np.argsort(kinds, kind="stable")
    ends = np.cumsum(np.bincount(kinds, minlength=len(names)))
    for name, rows in zip(names, np.split(order, ends[:-1]), strict=True):
        yield str(name), rows


def _count(contents: Contents, cells: Cells) -> None:
    booleans = int(cells.boolean.sum())
    words = cells.texts[cells.text_only]
    contents.booleans += booleans
    contents.numbers += int((~np.isnan(cells.numbers)).sum()) - booleans
    if not len(words):
        return
    for text, count in Counter(words.tolist()).items():
        if len(text) > limits.TEXT:
            raise LimitExceeded(limit="characters of one text value", allowed=limits.TEXT, found=len(text))
        contents.texts += 0 if state_of(text) is not None else count
        if len(contents.states) < _DIFFERENT or text in contents.states:
            contents.states[text] += count

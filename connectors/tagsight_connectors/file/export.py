"""One file of an export: what its columns are, and its rows block by block as times and columns of cells."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.cells import Cells, cells_of
from tagsight_connectors.file.csv_source import CsvSource
from tagsight_connectors.file.header import Columns, ValueColumn, columns_of
from tagsight_connectors.file.settings import FileSettings, Layout
from tagsight_connectors.file.summer_time import WallClock
from tagsight_connectors.file.times import NO_TIME, TimeFormat, find_time_format, read_times


class Source(Protocol):
    """A file as rows and columns, whatever its format. Blocks are opaque to everyone else."""

    path: Path
    names: tuple[str, ...]
    decimal: str
    samples: list[list[str]]

    @property
    def description(self) -> str:
        """How the file is written, for people."""

    def blocks(self) -> Iterator[Any]:
        """Where the blocks lie, in the order of the file."""

    def read(self, block: Any, columns: Sequence[int], as_text: Collection[int] = ()) -> pd.DataFrame:
        """Some columns of a block, by number; those in `as_text` unchanged as they are written."""

    def close(self) -> None:
        """Release the file."""


@dataclass(frozen=True, slots=True)
class Rows:
    """A block of rows, those without a readable time left out.

    Attributes:
        times: shape (n,), UTC ns, in the order of the file.
        tags: long files: shape (n,), the tag of each row, "" if none; None for wide files.
        columns: number of a column -> its cells.
        unreadable: rows that were left out.
    """

    times: NDArray[np.int64]
    tags: NDArray[np.object_] | None
    columns: dict[int, Cells]
    unreadable: int


@dataclass
class Export:
    """One open file.

    `scan` goes first, once, from the first block to the last: it settles the hours that summer time's end repeats.
    """

    source: Source
    settings: FileSettings
    columns: Columns = field(init=False)
    blocks: list[Any] = field(default_factory=list)
    _form: TimeFormat = field(init=False)
    _clock: WallClock = field(init=False)
    _first_passes: list[NDArray[np.bool_]] = field(default_factory=list)

    def __post_init__(self) -> None:
        where = str(self.source.path)
        self.columns = columns_of(where, self.source.names, self.settings)
        column = self.columns.time
        samples = [row[column] for row in self.source.samples if len(row) > column and row[column].strip()]
        if not samples:
            raise MalformedData(where, "there are no times below the header", mend="Is the export empty?")
        self._form = find_time_format(where, _usual(samples), self.settings)
        ends = np.asarray(read_times(pd.Series([samples[0], samples[-1]], dtype=object), self._form))
        self._clock = WallClock(where, _zone(self.settings), self.settings.ambiguous, bool(ends[-1] < ends[0]))

    def scan(self) -> Iterator[Rows]:
        """All rows, all columns, block by block in the order of the file."""
        wanted = [column for value in self.columns.signals for column in _both(value)]
        for block in self.source.blocks():
            frame, wall = self._frame(block, wanted, ())
            passes = self._clock.first_passes(wall, _tags(frame, self.columns.tag)) if self._naive else _NONE
            self.blocks.append(block)
            self._first_passes.append(passes)
            yield self._rows(frame, wall, passes)
        self._clock.ensure_told_apart()

    def read(self, number: int, values: Sequence[ValueColumn], as_text: Collection[int] = ()) -> Rows:
        """The rows of one block again, with some of its columns."""
        wanted = [column for value in values for column in _both(value)]
        frame, wall = self._frame(self.blocks[number], wanted, as_text)
        return self._rows(frame, wall, self._first_passes[number])

    @property
    def _naive(self) -> bool:
        return not self._form.aware

    def _frame(
        self, block: Any, wanted: Sequence[int], as_text: Collection[int]
    ) -> tuple[pd.DataFrame, NDArray[np.int64]]:
        tag = [] if self.columns.tag is None else [self.columns.tag]
        named = sorted({self.columns.time, *tag, *wanted})
        frame = self.source.read(block, named, (*tag, *as_text))
        return frame, read_times(frame[self.columns.time], self._form)

    def _rows(self, frame: pd.DataFrame, wall: NDArray[np.int64], passes: NDArray[np.bool_]) -> Rows:
        readable = wall != NO_TIME
        self._refuse_unreadable(frame, readable)
        times = self._clock.to_utc(wall, passes) if self._naive else wall
        tags = _tags(frame, self.columns.tag)
        skipped = {self.columns.time, self.columns.tag}
        cells = {name: cells_of(column, self.source.decimal) for name, column in _columns(frame) if name not in skipped}
        if readable.all():
            return Rows(times, tags, cells, 0)
        taken = {name: column.taken(readable) for name, column in cells.items()}
        return Rows(times[readable], None if tags is None else tags[readable], taken, int((~readable).sum()))

    def _refuse_unreadable(self, frame: pd.DataFrame, readable: NDArray[np.bool_]) -> None:
        if self.settings.unreadable == "skip" or readable.all():
            return
        row = frame.loc[~readable].iloc[0]
        shown = "nothing" if pd.isna(row[self.columns.time]) else repr(row[self.columns.time])
        raise MalformedData(
            str(self.source.path),
            f"{shown} stands where a time should ({int((~readable).sum())} such rows near this one)",
            mend="Mend those rows, or leave them out and have them counted: add ?unreadable=skip to the URL.",
        )


_NONE = np.zeros(0, dtype=bool)


def open_export(path: Path, settings: FileSettings) -> Export:
    """Open one file; its ending tells its format."""
    if path.suffix.casefold() in {".parquet", ".pq"}:
        from tagsight_connectors.file.parquet_source import ParquetSource  # noqa: PLC0415 - pyarrow only where needed

        return Export(ParquetSource(path), settings)
    return Export(CsvSource(path, settings), settings)


def is_long(export: Export) -> bool:
    """Whether tags stand in a column of their own."""
    return export.columns.layout is Layout.LONG


def _both(value: ValueColumn) -> tuple[int, ...]:
    return (value.column,) if value.status is None else (value.column, value.status)


def _usual(samples: Sequence[str]) -> Sequence[str]:
    """Samples without the odd footer or blank: those that hold about as many digits as most."""
    digits = [sum(character.isdigit() for character in text) for text in samples]
    enough = sorted(digits)[len(digits) // 2] / 2
    return [text for text, count in zip(samples, digits, strict=True) if count >= max(enough, 1)] or samples


def _columns(frame: pd.DataFrame) -> Iterator[tuple[int, "pd.Series[Any]"]]:
    for name, column in frame.items():
        assert isinstance(name, int)  # a source names columns by number
        yield name, column


def _tags(frame: pd.DataFrame, tag: int | None) -> NDArray[np.object_] | None:
    if tag is None:
        return None
    column = frame[tag]
    kinds, names = pd.factorize(column)
    plain = np.array([str(name).strip() for name in names] + [""], dtype=object)
    return np.asarray(plain[kinds], dtype=object)  # the number of a missing name is -1: the last


def _zone(settings: FileSettings) -> ZoneInfo:
    try:
        return ZoneInfo(settings.timezone)
    except (ZoneInfoNotFoundError, ValueError):
        raise MalformedData(
            str(settings.path), f"unknown time zone {settings.timezone!r}", mend="Give a name such as Europe/Berlin."
        ) from None

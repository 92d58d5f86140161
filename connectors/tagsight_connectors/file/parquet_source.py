"""A Parquet file: its rows in blocks of bounded size that can be read in any order."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from tagsight_connectors.errors import LimitExceeded, MalformedData
from tagsight_connectors.file import limits

_SAMPLE_ROWS = 200


@dataclass(frozen=True, slots=True)
class RowBlock:
    """A batch of rows within one row group."""

    group: int
    number: int


class ParquetSource:
    """One Parquet file.

    Attributes:
        path: the file.
        names: of its columns.
        decimal: always ".".
        samples: rows from the beginning and the end, as text.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.decimal = "."
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise MalformedData(str(path), str(error), mend="Is it a Parquet file, completely copied?") from None
        self.names = tuple(self._file.schema_arrow.names)
        if len(self.names) > limits.COLUMNS:
            raise LimitExceeded(limit=f"columns of {path}", allowed=limits.COLUMNS, found=len(self.names))
        self._batches: Iterator[Any] = iter(())
        self._next: tuple[RowBlock, tuple[int, ...]] | None = None
        self.samples = self._sample()

    @property
    def description(self) -> str:
        """How the file is written, for people."""
        return f"Parquet, {self._file.metadata.num_row_groups} row groups"

    def blocks(self) -> Iterator[RowBlock]:
        """Where the blocks lie, in the order of the file."""
        for group in range(self._file.metadata.num_row_groups):
            rows = self._file.metadata.row_group(group).num_rows
            for number in range(-(-rows // limits.BLOCK_ROWS)):
                yield RowBlock(group, number)

    def read(self, block: RowBlock, columns: Sequence[int], as_text: Collection[int] = ()) -> pd.DataFrame:
        """Some columns of a block, by number."""
        batch = self._batch(block, tuple(columns))
        del as_text  # a Parquet file says itself what is text
        return pd.DataFrame({column: _series(batch.column(position)) for position, column in enumerate(columns)})

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _batch(self, block: RowBlock, columns: tuple[int, ...]) -> Any:
        """The next batch costs nothing extra; going back reads the row group anew."""
        if self._next != (block, columns):
            names = [self.names[column] for column in columns]
            self._batches = self._file.iter_batches(limits.BLOCK_ROWS, row_groups=[block.group], columns=names)
            for _ in range(block.number):
                next(self._batches)
        try:
            batch = next(self._batches)
        except (pa.ArrowException, OSError) as error:
            raise MalformedData(str(self.path), str(error), mend="Is the file completely copied?") from None
        self._next = (RowBlock(block.group, block.number + 1), columns)
        return batch.select([self.names[column] for column in columns])

    def _sample(self) -> list[list[str]]:
        blocks = list(self.blocks())
        if not blocks:
            return []
        everything = list(range(len(self.names)))
        frames = [self.read(blocks[0], everything).head(_SAMPLE_ROWS)]
        frames.append(self.read(blocks[-1], everything).tail(_SAMPLE_ROWS))
        return [[_text(cell) for cell in row] for frame in frames for row in frame.itertuples(index=False)]


def _series(column: Any) -> "pd.Series[Any]":
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_decimal(column.type):
        column = column.cast(pa.float64())
    if pa.types.is_boolean(column.type) and column.null_count:
        return pd.Series(column.to_pylist(), dtype=object)
    if pa.types.is_integer(column.type) and column.null_count == 0:
        return pd.Series(column.to_numpy(zero_copy_only=False))
    if pa.types.is_timestamp(column.type) or pa.types.is_floating(column.type) or pa.types.is_boolean(column.type):
        return pd.Series(column.to_pandas())
    return pd.Series(column.to_pylist(), dtype=object)


def _text(cell: Any) -> str:
    return "" if cell is None or cell is pd.NaT or cell != cell else str(cell)  # noqa: PLR0124 - NaN alone differs

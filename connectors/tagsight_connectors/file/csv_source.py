"""A CSV file: what kind it is, and its rows in blocks of bounded size that can be read in any order."""

import csv
import os
import tempfile
import weakref
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd

from tagsight_connectors.errors import LimitExceeded, MalformedData
from tagsight_connectors.file import limits
from tagsight_connectors.file.settings import FileSettings
from tagsight_connectors.file.sniffing import check_header, find_decimal, find_encoding, find_separator

_SAMPLE_BYTES: Final = 65_536
_SAMPLE_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class ByteBlock:
    """Whole lines of a file."""

    offset: int
    length: int


class CsvSource:
    """One CSV file.

    Attributes:
        path: the file.
        names: the header.
        decimal: "." or ",".
        samples: rows from the beginning and the end, as text.
    """

    def __init__(self, path: Path, settings: FileSettings) -> None:
        self.path = path
        self._data = path
        self._encoding = find_encoding(path, settings.encoding)
        self._transcoded = _to_utf8(path, self._encoding) if self._encoding.startswith("utf-16") else None
        if self._transcoded is not None:
            self._data, self._encoding = self._transcoded, "utf-8-sig"
            weakref.finalize(self, self._transcoded.unlink, missing_ok=True)  # also where nobody closes
        head = self._first_lines()
        self._separator = settings.separator or find_separator(head[settings.skip :])
        rows = list(csv.reader(head[settings.skip :], delimiter=self._separator))
        if not rows:
            raise MalformedData(str(path), "there is no header", mend="Is the file empty, or ?skip=N too large?")
        self.names = tuple(name.strip() for name in rows[0])
        check_header(path, self.names)
        self._start = _header_end(self._data, settings.skip)
        last = csv.reader(self._last_lines(), delimiter=self._separator)
        self.samples = [row for row in [*rows[1:], *last] if len(row) > 1]
        self.decimal = settings.decimal or find_decimal(self.samples, self._separator)

    @property
    def description(self) -> str:
        """How the file is written, for people."""
        name = {"\t": "tab"}.get(self._separator, f"{self._separator!r}")
        return f"CSV, separator {name}, decimal {self.decimal!r}, {self._encoding.removesuffix('-sig')}"

    def blocks(self) -> Iterator[ByteBlock]:
        """Where the blocks lie, in the order of the file."""
        with self._data.open("rb") as file:
            offset = file.seek(self._start)
            while length := _block_length(self.path, file):
                yield ByteBlock(offset, length)
                offset = file.seek(offset + length)

    def read(self, block: ByteBlock, columns: Sequence[int], as_text: Collection[int] = ()) -> pd.DataFrame:
        """Some columns of a block, by number; numbers as float64 where a whole column of the block is numeric."""
        with self._data.open("rb") as file:
            file.seek(block.offset)
            raw = file.read(block.length)
        try:
            return self._parse(raw, columns, as_text)
        except pd.errors.EmptyDataError:
            return pd.DataFrame({column: pd.Series([], dtype=object) for column in columns})
        except (pd.errors.ParserError, UnicodeDecodeError) as error:
            raise MalformedData(
                where=f"{self.path}, near byte {block.offset}",
                cause=str(error).strip(),
                mend="Compare that line with the header; say ?separator= or ?encoding= if they were guessed wrong.",
            ) from None

    def close(self) -> None:
        """Remove what was made for reading."""
        if self._transcoded is not None:
            self._transcoded.unlink(missing_ok=True)

    def _parse(self, raw: bytes, columns: Sequence[int], as_text: Collection[int]) -> pd.DataFrame:
        beyond = len(self.names)  # pandas drops fields beyond the header without a word, so they get a column
        header = self._separator.join(map(str, range(beyond + 1))) + "\n"
        named = {str(column): column for column in columns}
        frame = pd.read_csv(
            BytesIO(header.encode("ascii") + raw),
            usecols=[*named, str(beyond)],
            dtype={str(column): object for column in as_text},
            sep=self._separator,
            decimal=self.decimal,
            encoding=self._encoding,
            keep_default_na=False,
            na_values=[""],
            low_memory=False,
            index_col=False,
            skipinitialspace=True,
            on_bad_lines="error",
        )
        extra = frame.pop(str(beyond))
        if extra.notna().any():
            raise MalformedData(
                str(self.path),
                f"{int(extra.notna().sum())} rows have more than {beyond} fields; the first begins with "
                f"{frame.loc[extra.notna()].iloc[0].to_list()[:3]}",
                mend="Is it a decimal comma in a file separated by commas? Export it with semicolons.",
            )
        return frame.rename(columns=named)

    def _first_lines(self) -> list[str]:
        with self._data.open("rb") as file:
            raw = file.read(2 * 2**20)
        lines = raw.decode(self._encoding, errors="replace").splitlines(keepends=True)
        return lines[:_SAMPLE_LINES]

    def _last_lines(self) -> list[str]:
        with self._data.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            offset = file.seek(max(self._start, size - _SAMPLE_BYTES))
            raw = file.read(_SAMPLE_BYTES)
        lines = raw.decode(self._encoding, errors="replace").splitlines(keepends=True)
        return lines[offset > self._start :][-_SAMPLE_LINES:]


def _to_utf8(path: Path, encoding: str) -> Path:
    """A temporary copy in UTF-8, for `close` to remove: only there can lines be found in the bytes."""
    number, name = tempfile.mkstemp(prefix="tagsight-", suffix=".csv")
    with path.open("r", encoding=encoding, newline="") as text, os.fdopen(number, "wb") as copy:
        while part := text.read(limits.BLOCK_BYTES):
            copy.write(part.encode())
    return Path(name)


def _header_end(path: Path, skip: int) -> int:
    with path.open("rb") as file:
        for _ in range(skip + 1):
            line = file.readline(limits.LONGEST_LINE)
            while line.count(b'"') % 2:
                more = file.readline(limits.LONGEST_LINE)
                if not more:
                    break
                line += more
        return file.tell()


def _block_length(path: Path, file: BinaryIO) -> int:
    """Bytes from here to the end of a line about a block further on; 0 at the end of the file."""
    raw = file.read(limits.BLOCK_BYTES)
    length = len(raw)
    if length < limits.BLOCK_BYTES:
        return length
    quotes = raw.count(b'"')
    while True:
        line = file.readline(limits.LONGEST_LINE)
        length, quotes = length + len(line), quotes + line.count(b'"')
        if not line or (line.endswith(b"\n") and quotes % 2 == 0):
            return length
        if length - limits.BLOCK_BYTES > limits.LONGEST_LINE:
            raise LimitExceeded(
                limit=f"bytes of one line of {path}", allowed=limits.LONGEST_LINE, found=length - limits.BLOCK_BYTES
            )

"""Histories out of files, page by page in order of time, with bounded memory also where files are out of order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.file import limits
from tagsight_connectors.file.catalogue import Catalogue, Piece, groups
from tagsight_connectors.file.cells import Cells
from tagsight_connectors.file.export import Rows
from tagsight_connectors.file.qualities import QualityKind, status_of
from tagsight_connectors.file.states import state_of
from tagsight_connectors.history import Page, Span, TagHistory, Values
from tagsight_connectors.quality import BAD, BAD_NO_DATA, GOOD, qualities_of
from tagsight_connectors.reading import join
from tagsight_connectors.tag import DataType


@dataclass(frozen=True)
class Reader:
    """Reads what a catalogue found."""

    catalogue: Catalogue

    def pages(self, addresses: Sequence[str], span: Span) -> Iterator[Page]:
        """Values of the span. All addresses must be in the catalogue.

        Tags whose blocks follow each other in time are read in one pass, forward or (newest first) backward; the
        others are gathered and sorted, as many at a time as fit in memory.
        """
        pieces = {address: self._pieces(address, span) for address in dict.fromkeys(addresses)}
        forward = [address for address, found in pieces.items() if found and _ascending(found)]
        others = [address for address, found in pieces.items() if found and not _ascending(found)]
        backward = [address for address in others if _descending(pieces[address])]
        yield from self._one_pass(forward, pieces, span, reverse=False)
        yield from self._one_pass(backward, pieces, span, reverse=True)
        for batch in _batches([address for address in others if address not in set(backward)], pieces):
            yield from self._gathered(batch, pieces, span)

    def _pieces(self, address: str, span: Span) -> list[Piece]:
        found = self.catalogue.contents[address].pieces
        return [piece for piece in found if piece.last_ns >= span.start_ns and piece.first_ns < span.end_ns]

    def _one_pass(
        self, addresses: Sequence[str], pieces: dict[str, list[Piece]], span: Span, *, reverse: bool
    ) -> Iterator[Page]:
        for histories in self._blocks(addresses, pieces, span, reverse=reverse):
            for address, history in histories:
                yield from _paged(address, history)

    def _gathered(self, addresses: Sequence[str], pieces: dict[str, list[Piece]], span: Span) -> Iterator[Page]:
        parts: dict[str, list[TagHistory]] = {address: [] for address in addresses}
        for histories in self._blocks(addresses, pieces, span, reverse=False):
            for address, history in histories:
                parts[address].append(history)
        for address in addresses:
            yield from _paged(address, _sorted(join(parts.pop(address))))

    def _blocks(
        self, addresses: Sequence[str], pieces: dict[str, list[Piece]], span: Span, *, reverse: bool
    ) -> Iterator[list[tuple[str, TagHistory]]]:
        """Every block that is needed, once, with what it holds of the addresses."""
        needed: dict[tuple[int, int], list[str]] = {}
        for address in addresses:
            for piece in pieces[address]:
                needed.setdefault((piece.export, piece.block), []).append(address)
        for (export, block), wanted in sorted(needed.items(), reverse=reverse):
            yield self._histories(export, block, wanted, span)

    def _histories(self, export: int, block: int, wanted: Sequence[str], span: Span) -> list[tuple[str, TagHistory]]:
        values = {address: self.catalogue.column(export, address) for address in wanted}
        text = {column.column for address, column in values.items() if self._is_text(address)}
        rows = self.catalogue.exports[export].read(block, list(values.values()), text)
        inside = (rows.times >= span.start_ns) & (rows.times < span.end_ns)
        own = _rows_of(rows, wanted, inside)
        kind = self.catalogue.qualities[export]
        out = []
        for address, column in values.items():
            where = own[address]
            cells = rows.columns[column.column].taken(where)
            quality = None if column.status is None else rows.columns[column.status].taken(where)
            keep_blank = rows.tags is not None
            history = _history(
                rows.times[where], cells, quality, kind, text=self._is_text(address), keep_blank=keep_blank
            )
            if len(history):
                out.append((address, _sorted(history)))
        return out

    def _is_text(self, address: str) -> bool:
        return self.catalogue.contents[address].data_type is DataType.TEXT


def _rows_of(rows: Rows, wanted: Sequence[str], inside: NDArray[np.bool_]) -> dict[str, NDArray[np.intp]]:
    everything = np.flatnonzero(inside)
    if rows.tags is None:
        return dict.fromkeys(wanted, everything)
    found = dict(groups(rows.tags[everything]))
    nothing = np.zeros(0, dtype=np.intp)
    return {address: everything[found.get(address, nothing)] for address in wanted}


def _history(
    times: NDArray[np.int64], cells: Cells, quality: Cells | None, kind: QualityKind, *, text: bool, keep_blank: bool
) -> TagHistory:
    """Cells as values with status. A blank cell of a wide file with no quality beside it is no value at all."""
    status = np.full(len(times), GOOD, dtype=np.uint32)
    status[cells.blank] = BAD_NO_DATA
    words = cells.text_only & ~cells.blank
    status[words] = _codes(cells.texts[words], 0 if text else BAD, known=state_of)
    kept = ~cells.blank | keep_blank
    if quality is not None:
        said = ~quality.blank
        codes = _codes(quality.written()[said], BAD, known=lambda word: status_of(word, kind))
        status[said] = np.where(qualities_of(codes) >= qualities_of(status[said]), codes, status[said])
        kept |= said
    values: Values = cells.written() if text else cells.numbers
    return TagHistory(times[kept], values[kept], status[kept])


def _codes(words: NDArray[np.object_], otherwise: int, *, known: Callable[[str], int | None]) -> NDArray[np.uint32]:
    kinds, different = pd.factorize(words)
    codes = [otherwise if (code := known(word)) is None else code for word in different]
    return np.array(codes, dtype=np.uint32)[kinds]


def _sorted(history: TagHistory) -> TagHistory:
    if np.all(history.times[1:] >= history.times[:-1]):
        return history
    order = np.argsort(history.times, kind="stable")
    return TagHistory(history.times[order], history.values[order], history.status[order])  # noqa: PD011 - not of pandas


def _paged(address: str, history: TagHistory) -> Iterator[Page]:
    for first in range(0, len(history), limits.PAGE_VALUES):
        part = slice(first, first + limits.PAGE_VALUES)
        yield Page(address, TagHistory(history.times[part], history.values[part], history.status[part]))  # noqa: PD011 - not of pandas


def _ascending(pieces: Sequence[Piece]) -> bool:
    return all(before.last_ns <= after.first_ns for before, after in pairwise(pieces))


def _descending(pieces: Sequence[Piece]) -> bool:
    return all(before.first_ns > after.last_ns for before, after in pairwise(pieces))


def _batches(addresses: Sequence[str], pieces: dict[str, list[Piece]]) -> Iterator[list[str]]:
    batch: list[str] = []
    rows = 0
    for address in addresses:
        own = sum(piece.count for piece in pieces[address])
        if own > limits.SORTED_VALUES:
            raise LimitExceeded(
                limit=f"values of {address} that are not in order of time",
                allowed=limits.SORTED_VALUES,
                found=own,
                mend="Sort the file by time, or ask for a shorter span.",
            )
        if batch and rows + own > limits.SORTED_VALUES:
            yield batch
            batch, rows = [], 0
        batch.append(address)
        rows += own
    if batch:
        yield batch

"""Files behind the `Historian` Protocol. The work is done in a thread, so that the loop of the caller goes on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Final, TypeVar

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import LimitExceeded, MalformedData, NotConnected, UnknownTag, WriteNotAllowed
from tagsight_connectors.file import limits
from tagsight_connectors.file.catalogue import Catalogue
from tagsight_connectors.file.export import Export, open_export
from tagsight_connectors.file.reader import Reader
from tagsight_connectors.file.results import ResultsFile, is_results, results_path
from tagsight_connectors.file.settings import FileSettings, settings_of
from tagsight_connectors.historian import Description
from tagsight_connectors.history import Page, Sample, Span, TagHistory, WriteOutcome
from tagsight_connectors.memory.store import sample_at
from tagsight_connectors.patterns import matches
from tagsight_connectors.processing import ComputesFromRaw
from tagsight_connectors.quality import BAD_NO_DATA, BAD_NODE_ID_UNKNOWN, BAD_NOT_WRITABLE, GOOD
from tagsight_connectors.tag import Tag

Result = TypeVar("Result")

_ENDINGS: Final = frozenset({".csv", ".txt", ".tsv", ".parquet", ".pq"})


def open_file(connection: Connection) -> "FileHistorian":
    """The opener of `file:` URLs. Reads nothing yet. Raises MalformedData for a setting that cannot be used."""
    return FileHistorian(settings_of(connection), url=connection.url, accepted=connection.accepted)


class FileHistorian(ComputesFromRaw):
    """An export, or a folder of them, as a historian.

    `connect` reads every file once to learn what is there; a file that has changed since is read anew by the next
    call. Everything after that reads only the blocks that a span needs.
    """

    def __init__(self, settings: FileSettings, *, url: str = "", accepted: frozenset[str] = frozenset()) -> None:
        self._settings = settings
        self._url = url or settings.path.as_uri()
        self._accepted = accepted
        self._open = ExitStack()
        self._worker: ThreadPoolExecutor | None = None
        self._catalogue: Catalogue | None = None
        self._seen: dict[Path, tuple[int, int]] = {}
        self._newest: dict[str, Sample] = {}
        self._results = ResultsFile(results_path(settings.path))

    async def connect(self) -> None:
        """Read every file once. Raises NotConnected if there is none, MalformedData, LimitExceeded."""
        self._worker = self._worker or ThreadPoolExecutor(1, "file-historian")
        await self._in_thread(self._scan)

    async def close(self) -> None:
        """Release the files."""
        worker, self._worker, self._catalogue = self._worker, None, None
        if worker is not None:
            await asyncio.get_running_loop().run_in_executor(worker, self._open.close)
            worker.shutdown(wait=False)

    async def describe(self) -> Description:
        """How the files are written, what they hold and what is odd about them."""
        catalogue = await self._current_catalogue()
        kinds = ", ".join(dict.fromkeys(export.source.description for export in catalogue.exports))
        layouts = ", ".join(dict.fromkeys(export.columns.layout.value for export in catalogue.exports))
        found = catalogue.findings
        counts = f"{len(catalogue.exports)} file(s), {found.rows} rows, {len(catalogue.contents)} tags"
        return Description(self._url, "; ".join([f"{kinds}, {layouts}", counts, *found.sentences()]))

    async def browse(self, pattern: str = "*") -> AsyncIterator[Tag]:
        """Tags of the files in the order of their columns, then tags of written results."""
        catalogue = await self._current_catalogue()
        written = await self._in_thread(lambda: list(self._results.tags()))
        for tag in (*catalogue.tags(), *(tag for tag in written if tag.address not in catalogue.contents)):
            if matches(pattern, tag):
                yield tag

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        """Values of the span in pages of at most 100,000."""
        catalogue = await self._current_catalogue()
        written = {tag.address for tag in await self._in_thread(lambda: list(self._results.tags()))}
        for address in addresses:
            if address not in catalogue.contents and address not in written:
                raise UnknownTag(address)
        pages = self._pages(catalogue, dict.fromkeys(addresses), span)
        while (page := await self._in_thread(lambda: next(pages, None))) is not None:
            yield page

    async def read_current(self, addresses: Sequence[str]) -> Sequence[Sample]:
        """The newest value of each address."""
        catalogue = await self._current_catalogue()
        return await self._in_thread(lambda: [self._current(catalogue, address) for address in addresses])

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """Append samples to the file of results; a tag of the export itself is not writable."""
        for sample in samples:
            if sample.address not in self._accepted:
                raise WriteNotAllowed(what=f"write to {sample.address}", cause="it is not in the accepted list")
        catalogue = await self._current_catalogue()
        refused = {sample.address for sample in samples if sample.address in catalogue.contents}
        stored = [sample for sample in samples if sample.address not in refused]
        if stored:
            await self._in_thread(lambda: self._results.append(stored))
        return [WriteOutcome(one.address, BAD_NOT_WRITABLE if one.address in refused else GOOD) for one in samples]

    def _pages(self, catalogue: Catalogue, addresses: dict[str, None], span: Span) -> Iterator[Page]:
        yield from Reader(catalogue).pages([one for one in addresses if one in catalogue.contents], span)
        written = [address for address in addresses if address not in catalogue.contents]
        for address, history in self._results.histories(written, span):
            for first in range(0, len(history), limits.PAGE_VALUES):
                yield Page(address, _part(history, slice(first, first + limits.PAGE_VALUES)))

    def _current(self, catalogue: Catalogue, address: str) -> Sample:
        if address not in catalogue.contents:
            return self._results.newest(address) or Sample(address, 0, None, BAD_NODE_ID_UNKNOWN)
        if address not in self._newest:
            self._newest[address] = _newest(catalogue, address)
        return self._newest[address]

    async def _in_thread(self, work: Callable[[], Result]) -> Result:
        """One thread for all work: reads that run at the same time take turns, and its memory is used again."""
        if self._worker is None:
            raise NotConnected(self._url, "the files are not open")
        return await asyncio.get_running_loop().run_in_executor(self._worker, work)

    async def _current_catalogue(self) -> Catalogue:
        if self._catalogue is None:
            raise NotConnected(self._url, "the files are not open")
        if await self._in_thread(self._changed):
            await self._in_thread(self._scan)
        return self._catalogue

    def _changed(self) -> bool:
        return self._seen != {path: _signature(path) for path in self._files()}

    def _scan(self) -> None:
        files = self._files()
        if not files:
            raise NotConnected(self._url, "there is no such file", mend="Is the path in the URL right? " + _SLASHES)
        self._open.close()
        self._catalogue = None
        seen = {path: _signature(path) for path in files}
        try:
            exports = [self._export(path) for path in files]
            catalogue = Catalogue.of(exports)
        except OSError as error:
            raise NotConnected(self._url, str(error), mend="May TagSight's account read the file?") from None
        self._catalogue, self._seen, self._newest = catalogue, seen, {}

    def _export(self, path: Path) -> Export:
        export = open_export(path, self._settings)
        self._open.callback(export.source.close)
        return export

    def _files(self) -> list[Path]:
        path = self._settings.path
        if not path.is_dir():
            return [path] if path.is_file() else []
        found = sorted(one for one in path.iterdir() if one.suffix.casefold() in _ENDINGS and not is_results(one))
        if len(found) > limits.FILES:
            raise LimitExceeded(limit=f"files in {path}", allowed=limits.FILES, found=len(found))
        return found


_SLASHES: Final = "A file on this machine has three slashes: file:///folder/export.csv"


def _newest(catalogue: Catalogue, address: str) -> Sample:
    """The value with the latest time; of equal times the last."""
    pieces = catalogue.contents[address].pieces
    for end in sorted({piece.last_ns for piece in pieces}, reverse=True):
        start = min(piece.first_ns for piece in pieces if piece.last_ns == end)
        newest: Sample | None = None
        for page in Reader(catalogue).pages([address], Span(start, end + 1)):
            newest = sample_at(address, page.history, len(page.history) - 1)
        if newest is not None:
            return newest
    return Sample(address, 0, None, BAD_NO_DATA)


def _part(history: TagHistory, rows: slice) -> TagHistory:
    return TagHistory(history.times[rows], history.values[rows], history.status[rows])


def _signature(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise MalformedData(str(path), str(error), mend="Was the file moved while it was read?") from None
    return found.st_size, found.st_mtime_ns

"""Results in a file beside the export: `export.results.csv`, appended to, and read back with Update semantics.

One line for each sample: `time,tag,value,quality,status,type`. The last line of a (tag, time) counts. A line without
its line break was torn by a crash and never confirmed: it is cut off before the next is appended.
"""

import csv
import io
import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np

from tagsight_connectors.errors import AccessRefused, LimitExceeded, MalformedData
from tagsight_connectors.file import limits
from tagsight_connectors.history import Sample, Span, TagHistory, Values
from tagsight_connectors.quality import quality_of
from tagsight_connectors.tag import Access, DataType, Tag

_HEADER: Final = ("time", "tag", "value", "quality", "status", "type")
_ENDING: Final = ".results.csv"
_RIGHTS: Final = Access.READ | Access.READ_HISTORY | Access.WRITE | Access.WRITE_STATUS | Access.WRITE_TIME
_TYPES: Final = {"number": DataType.NUMBER, "boolean": DataType.BOOLEAN, "text": DataType.TEXT}


def results_path(path: Path) -> Path:
    """Where results for an export go: beside the file, or into the folder."""
    return path / f"{path.resolve().name}{_ENDING}" if path.is_dir() else path.with_suffix(_ENDING)


def is_results(path: Path) -> bool:
    """Whether a file is one of ours."""
    return path.name.endswith(_ENDING)


@dataclass
class ResultsFile:
    """The results beside one export. Of what it holds, memory keeps one line for each tag."""

    path: Path
    _types: dict[str, DataType] = field(default_factory=dict)
    _newest: dict[str, Sample] = field(default_factory=dict)
    _read_to: int = 0

    def tags(self) -> Iterator[Tag]:
        """Every tag that was ever written here."""
        self._catch_up()
        for address, data_type in self._types.items():
            yield Tag(address, address, data_type, access=_RIGHTS)

    def newest(self, address: str) -> Sample | None:
        """The sample with the latest time of a tag."""
        self._catch_up()
        return self._newest.get(address)

    def histories(self, addresses: Sequence[str], span: Span) -> Iterator[tuple[str, TagHistory]]:
        """What was written of each address in a span, in order of time."""
        found: dict[str, dict[int, Sample]] = {address: {} for address in addresses}
        count = 0
        for sample, _ in self._samples(0) if found else ():
            own = found.get(sample.address)
            if own is None or not span.start_ns <= sample.time_ns < span.end_ns:
                continue
            count += sample.time_ns not in own
            own[sample.time_ns] = sample
            if count > limits.RESULT_VALUES:
                raise LimitExceeded("result values read at once", limits.RESULT_VALUES, count)
        for address, samples in found.items():
            if samples:
                yield address, self._history(address, samples)

    def append(self, samples: Sequence[Sample]) -> None:
        """Write samples to the disk, or raise AccessRefused; what is written is there after a crash, too."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerows(_row(sample) for sample in samples)
        try:
            with self.path.open("r+b" if self.path.exists() else "w+b") as file:
                end = _end_of_whole_lines(file)
                file.truncate(end)
                file.seek(end)
                head = "" if end else ",".join(_HEADER) + "\n"
                file.write((head + text.getvalue()).encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            mend = "May the account that runs TagSight write there, and is there room on the disk?"
            raise AccessRefused(what=f"writing results to {self.path}", cause=str(error), mend=mend) from None

    def _catch_up(self) -> None:
        for sample, kind in self._samples(self._read_to):
            self._types[sample.address] = kind
            newest = self._newest.get(sample.address)
            if newest is None or sample.time_ns >= newest.time_ns:
                self._newest[sample.address] = sample
        self._read_to = _size_of_whole_lines(self.path)

    def _samples(self, offset: int) -> Iterator[tuple[Sample, DataType]]:
        end = _size_of_whole_lines(self.path)
        if end <= offset:
            return
        with self.path.open("rb") as file:
            file.seek(offset)
            for number, fields in enumerate(csv.reader(_lines(file, end))):
                if not fields or tuple(fields) == _HEADER:
                    continue
                yield _sample(f"{self.path}, {number + 1} lines after byte {offset}", fields)

    def _history(self, address: str, samples: dict[int, Sample]) -> TagHistory:
        ordered = [samples[time_ns] for time_ns in sorted(samples)]
        text = self._types.get(address) is DataType.TEXT or any(isinstance(one.value, str) for one in ordered)
        values: Values
        if text:
            values = np.array([None if one.value is None else str(one.value) for one in ordered], dtype=object)
        else:
            values = np.array([math.nan if one.value is None else float(one.value) for one in ordered])
        times = np.array([one.time_ns for one in ordered], dtype=np.int64)
        return TagHistory(times, values, np.array([one.status for one in ordered], dtype=np.uint32))


def _row(sample: Sample) -> tuple[str, ...]:
    value = sample.value
    kind = "text" if isinstance(value, str) else "boolean" if isinstance(value, bool) else "number"
    shown = "" if value is None else value if isinstance(value, str) else repr(value).lower()
    return (
        _iso(sample.time_ns),
        sample.address,
        shown,
        quality_of(sample.status).name.capitalize(),
        f"0x{sample.status:08X}",
        kind if value is not None else "none",
    )


def _sample(where: str, fields: Sequence[str]) -> tuple[Sample, DataType]:
    try:
        time, address, shown, _, status, kind = fields
        data_type = _TYPES.get(kind, DataType.NUMBER)
        value = None if kind == "none" else _value(shown, data_type)
        return Sample(address, _ns(time), value, int(status, 16)), data_type
    except (ValueError, KeyError):
        cause = f"not a line of results: {','.join(fields)[:200]!r}"
        raise MalformedData(
            where, cause, mend="Was the file changed by hand? Move it away; a new one is begun."
        ) from None


def _value(shown: str, data_type: DataType) -> float | bool | str:
    if data_type is DataType.TEXT:
        return shown
    return {"true": True, "false": False}[shown] if data_type is DataType.BOOLEAN else float(shown)


def _iso(time_ns: int) -> str:
    seconds, ns = divmod(time_ns, 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"


def _ns(text: str) -> int:
    whole, _, part = text.removesuffix("Z").partition(".")
    seconds = datetime.fromisoformat(whole).replace(tzinfo=UTC).timestamp()
    return int(seconds) * 10**9 + int(part)


def _lines(file: io.BufferedReader, end: int) -> Iterator[str]:
    while file.tell() < end and (line := file.readline(limits.LONGEST_LINE)):
        yield line.decode(errors="replace")


def _size_of_whole_lines(path: Path) -> int:
    if not path.exists():
        return 0
    with path.open("rb") as file:
        return _end_of_whole_lines(file)


def _end_of_whole_lines(file: io.BufferedReader | io.BufferedRandom) -> int:
    """Where the last complete line ends."""
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - 65_536)
        file.seek(start)
        cut = file.read(end - start).rfind(b"\n")
        if cut >= 0:
            return start + cut + 1
        end = start
    return 0

"""The store: a folder with a file for each tag and day, the catalogue of them, and the gap ledger.

Any number of threads and processes may use one folder. A file is written under another name and renamed, so a reader
sees all of it or none; it is not forced to the disk, because what a power cut takes is seen by its checksum and read
again from the historian: the store is a copy, never the only place of anything.
"""

import secrets
import shutil
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import Final, Self

from tagsight_connectors.history import TagHistory
from tagsight_connectors.reading import join
from tagsight_connectors.store import limits
from tagsight_connectors.store.catalogue import Catalogue, Part, StoredDay, Usage
from tagsight_connectors.store.database import StoreFailure, Tell, failures
from tagsight_connectors.store.days import DAY_NS, Damaged, TagKey, date_of
from tagsight_connectors.store.gaps import Change, GapLedger

FILES: Final = "files"
_UNFINISHED: Final = ".new"
_ORPHAN_NS: Final = 3_600_000_000_000
_ROOM_AFTER: Final = 0.95


class StoreFull(StoreFailure):
    """All that is stored is in use, and there is no room for more."""


class DamagedDay(Exception):
    """A stored day is not what was stored. It has been removed: ask the historian."""


@dataclass(frozen=True, slots=True)
class StoreBounds:
    """How much is kept.

    Attributes:
        at_most_bytes: on the disk; the days longest unused go first.
        keep_ns: a day that nothing asked for in this time goes.
        least_free_bytes: nothing is added while the disk has less room than this.
    """

    at_most_bytes: int = 20_000_000_000
    keep_ns: int = 90 * DAY_NS
    least_free_bytes: int = limits.LEAST_FREE_BYTES


@dataclass
class HistoryStore:
    """Stored days. Thread-safe; raises StoreFailure, and DamagedDay where a stored day is asked for.

    Attributes:
        folder: of the store.
        bounds: how much is kept.
        gaps: what is missing.
        tell: takes what people should know.
    """

    folder: Path
    bounds: StoreBounds
    gaps: GapLedger
    tell: Tell
    _catalogue: Catalogue
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _room: int = 0

    @classmethod
    def open(cls, folder: Path, bounds: StoreBounds, tell: Tell = lambda _sentence: None) -> Self:
        """Open or begin a store. Raises StoreFailure."""
        import_module("tagsight_connectors.store.day_file")  # at the first page it would hold up the event loop
        with failures():
            (folder / FILES).mkdir(parents=True, exist_ok=True)
            catalogue = Catalogue.open(folder, tell)
            catalogue.keep_fact("at_most", bounds.at_most_bytes)
            found = cls(folder, bounds, GapLedger.open(folder, tell), tell, catalogue)
            found._room = catalogue.room()
            return found

    def close(self) -> None:
        """Release the databases."""
        with self._lock:
            self._catalogue.close()
        self.gaps.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def held(self, tags: Iterable[TagKey], days: range) -> dict[TagKey, dict[int, StoredDay]]:
        """What is stored of each tag, by day."""
        found: dict[TagKey, dict[int, StoredDay]] = {}
        with self._lock, failures():
            for tag in tags:
                found[tag], damaged = self._catalogue.days(tag, days)
                if damaged:
                    self._remove_damaged(tag, damaged, "its row in the catalogue is damaged")
        return found

    def use(self, tags: Iterable[TagKey], days: range, now_ns: int) -> None:
        """These days are needed: they are the last to go."""
        with self._lock, failures():
            self._catalogue.touch(tags, days, now_ns)

    def load(self, tag: TagKey, days: deque[StoredDay]) -> Iterator["Loaded"]:
        """The values of stored days in order, small days together; each day leaves `days` once it is given.

        Raises DamagedDay: the first of `days` is damaged; what was given of it before says `Loaded.given`.
        """
        gathered: list[TagHistory] = []
        while days:
            try:
                histories = self._histories(tag, days[0])
                first = next(histories, None)
            except (DamagedDay, StoreFailure):
                if gathered:
                    yield Loaded(join(gathered))
                raise
            if len(days[0].parts) > 1 or not _together(gathered, first):
                if gathered:
                    yield Loaded(join(gathered))
                gathered = []
            if first is not None and len(days[0].parts) > 1:
                yield from _with_count(chain([first], histories))
            elif first is not None:
                gathered.append(first)
            days.popleft()
        if gathered:
            yield Loaded(join(gathered))

    def _histories(self, tag: TagKey, day: StoredDay) -> Iterator[TagHistory]:
        """Of one day, file by file. Of several files, all are checked before the first is given."""
        if len(day.parts) > 1:
            for part in day.parts:
                self._part(tag, day.day, part)
        for part in day.parts:
            yield self._part(tag, day.day, part)

    def write_part(self, tag: TagKey, day: int, history: TagHistory, in_use_since_ns: int) -> Part:
        """Write values of a day that is being read; `add` makes it count.

        Room is made by days that were last asked for before `in_use_since_ns`. Raises StoreFull.
        """
        from tagsight_connectors.store.day_file import checksum_of, encode  # noqa: PLC0415 - pyarrow takes 40 MB

        with failures():
            data = encode(history, tag, day)
            self._make_room(len(data), in_use_since_ns)
            part = Part(f"{date_of(day)}-{secrets.token_hex(6)}.parquet", checksum_of(data), len(data))
            path = self._path(tag, part)
            path.parent.mkdir(parents=True, exist_ok=True)
            new = path.with_suffix(_UNFINISHED)
            new.write_bytes(data)
            new.replace(path)
            return part

    def add(self, tag: TagKey, days: Sequence[StoredDay]) -> None:
        """Completely read days count from now on. One that is stored with other values is replaced, and noted."""
        if not days:
            return
        with self._lock, failures():
            before, _ = self._catalogue.days(tag, range(days[0].day, days[-1].day + 1))
            chosen = [_chosen(before.get(one.day), one) for one in days]
            changes = [change for one in days if (change := _change(tag, before.get(one.day), one)) is not None]
            if changes:
                self.gaps.note_changes(changes)
            self._catalogue.put(tag, chosen)
            for one, kept in zip(days, chosen, strict=True):
                old = before.get(one.day)
                self._room += kept.room - (old.room if old else 0)
                kept_files = {part.file for part in kept.parts}
                gone = [part for part in (*one.parts, *(old.parts if old else ())) if part.file not in kept_files]
                self.discard(tag, gone)

    def discard(self, tag: TagKey, parts: Iterable[Part]) -> None:
        """Remove files that do not count; one that somebody reads at the moment is left to `tidy`."""
        for part in parts:
            try:
                self._path(tag, part).unlink(missing_ok=True)
            except OSError:
                continue

    def forget(self, tag: TagKey, days: Iterable[int]) -> None:
        """Days are not stored any more."""
        wanted = set(days)
        if not wanted:
            return
        with self._lock, failures():
            held, _ = self._catalogue.days(tag, range(min(wanted), max(wanted) + 1))
            gone = [one for day, one in held.items() if day in wanted]
            self._catalogue.remove(tag, wanted)
            self._room -= sum(one.room for one in gone)
            for one in gone:
                self.discard(tag, one.parts)

    def forget_all(self) -> None:
        """Begin anew; the gap ledger stays."""
        with self._lock, failures():
            for tag in self._catalogue.tags():
                held, damaged = self._catalogue.days(tag, range(-(2**31), 2**31))
                self._catalogue.remove(tag, [*held, *damaged])
                shutil.rmtree(self.folder / FILES / tag.folder, ignore_errors=True)
            self._room = self._catalogue.room()

    def usage(self) -> Usage:
        """How much is stored."""
        with self._lock, failures():
            return self._catalogue.usage()

    def tidy(self, now_ns: int, wall_ns: int) -> None:
        """Remove what nothing asked for in `keep_ns`, and files that an end in the middle left behind.

        `wall_ns`: this machine's clock, by which files are dated; younger ones than an hour are left alone.
        """
        with failures():
            self._remove_unused(now_ns - self.bounds.keep_ns)
            for tag in self._tags():
                self._remove_orphans(tag, wall_ns - _ORPHAN_NS)

    def _tags(self) -> list[TagKey]:
        with self._lock:
            return list(self._catalogue.tags())

    def _remove_unused(self, before_ns: int) -> None:
        """In steps, so that a read waits little."""
        while True:
            with self._lock:
                oldest = self._catalogue.longest_unused(before_ns)
                for tag, day in oldest:
                    self.forget(tag, [day.day])
            if not oldest:
                return

    def _remove_orphans(self, tag: TagKey, before_ns: int) -> None:
        folder = self.folder / FILES / tag.folder
        if not folder.is_dir():
            return
        with self._lock:
            known = self._catalogue.files(tag)
        for path in folder.iterdir():
            if path.name not in known and path.stat().st_mtime_ns < before_ns:
                path.unlink(missing_ok=True)

    def _part(self, tag: TagKey, day: int, part: Part) -> TagHistory:
        from tagsight_connectors.store.day_file import decode  # noqa: PLC0415 - as above

        with failures():
            try:
                return decode(self._path(tag, part).read_bytes(), part.checksum, tag, day)
            except FileNotFoundError:
                cause = "its file is missing"
            except Damaged as error:
                cause = str(error)
            self._remove_damaged(tag, [day], cause)
        raise DamagedDay(cause)

    def _remove_damaged(self, tag: TagKey, days: Sequence[int], cause: str) -> None:
        self.tell(
            f"{tag.address}, {date_of(days[0])}: stored history is damaged ({cause}); the historian is asked again"
        )
        with self._lock:
            self._catalogue.keep_fact("damaged", self._catalogue.fact("damaged") + len(days))
            self.forget(tag, days)

    def _make_room(self, more: int, in_use_since_ns: int) -> None:
        if shutil.disk_usage(self.folder).free < self.bounds.least_free_bytes + more:
            least = self.bounds.least_free_bytes
            msg = f"the disk of {self.folder} has less than {least:,} bytes left"
            raise StoreFull(msg)
        with self._lock:
            if self._room + more <= self.bounds.at_most_bytes:
                return
            self._room = self._catalogue.room()  # another process may have made room already
            wanted = int(self.bounds.at_most_bytes * _ROOM_AFTER) - more
            while self._room > wanted:
                oldest = self._catalogue.longest_unused(in_use_since_ns)
                for tag, day in oldest:
                    if self._room > wanted:
                        self.forget(tag, [day.day])
                if not oldest:
                    break
            if self._room + more > self.bounds.at_most_bytes:
                msg = f"what is in use fills all {self.bounds.at_most_bytes:,} bytes allowed"
                raise StoreFull(msg)

    def _path(self, tag: TagKey, part: Part) -> Path:
        return self.folder / FILES / tag.folder / part.file


@dataclass(frozen=True, slots=True)
class Loaded:
    """A part of what is stored of a tag.

    Attributes:
        history: ascending.
        given: how many values were given of a day that is not complete yet; 0: all days so far are complete.
    """

    history: TagHistory
    given: int = 0


def _with_count(histories: Iterator[TagHistory]) -> Iterator[Loaded]:
    given = 0
    for history in histories:
        given += len(history)
        yield Loaded(history, given)


def _together(gathered: Sequence[TagHistory], history: TagHistory | None) -> bool:
    """Whether a day may join those gathered: not too many values, and numbers or text alike."""
    if not gathered or history is None:
        return True
    alike = (gathered[-1].values.dtype == object) is (history.values.dtype == object)
    return alike and sum(len(one) for one in gathered) + len(history) <= limits.PAGE_VALUES


def _chosen(old: StoredDay | None, new: StoredDay) -> StoredDay:
    """Which is kept. A historian that has no values any more (retention) takes nothing away."""
    if old is not None and (old.content == new.content or not new.count):
        return StoredDay(old.day, old.count, old.content, old.parts, new.read_ns)
    return new


def _change(tag: TagKey, old: StoredDay | None, new: StoredDay) -> Change | None:
    if old is None or old.content == new.content:
        return None
    return Change(tag, new.day, new.read_ns, old.count, new.count, "new" if new.count else "old")

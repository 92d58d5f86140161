"""The tags of a historian as a tree that is opened one folder at a time, and searched. Pure.

A page gets one folder's part or one page of what was found, never all: there may be 100,000 tags.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Tag

_PATTERN: Final = frozenset("*?")
_AFTER: Final = "\U0010ffff"


@dataclass(frozen=True, slots=True)
class Folder:
    """A level that has tags below it: its path from the root, and how many."""

    path: str
    tags: int

    @property
    def name(self) -> str:
        """Its last level."""
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class Shown:
    """A page of what was asked for: folders first; `total` counts everything."""

    folders: tuple[Folder, ...]
    tags: tuple[Tag, ...]
    total: int


class TagTree:
    """The tags, ordered by path."""

    def __init__(self, tags: Sequence[Tag]) -> None:
        self._tags = sorted(tags, key=lambda tag: _key(tag.path))
        self._keys = [_key(tag.path) for tag in self._tags]
        self._by_address = {tag.address: tag for tag in self._tags}

    def __len__(self) -> int:
        return len(self._tags)

    def tag(self, address: str) -> Tag | None:
        """The tag of an address."""
        return self._by_address.get(address)

    def folder(self, path: str, first: int, count: int) -> Shown:
        """What lies directly in a folder ("" is the root): `count` entries from `first` on."""
        level = path.split("/") if path else []
        folders: list[Folder] = []
        tags: list[Tag] = []
        at, end = self._range(level)
        while at < end:
            key = self._keys[at]
            if len(key) == len(level) + 1:
                tags.append(self._tags[at])
                at += 1
                continue
            below = list(key[: len(level) + 1])
            _, after = self._range(below)
            folders.append(Folder("/".join(below), after - at))
            at = after
        return _page(folders, tags, first, count)

    def search(self, wanted: str, first: int, count: int) -> Shown:
        """Tags that a pattern names, or, without `*` and `?`, those with all the words in path or description."""
        if _PATTERN & set(wanted):
            found = [tag for tag in self._tags if matches(wanted, tag)]
        else:
            words = wanted.casefold().split()
            found = [tag for tag in self._tags if _has(tag, words)]
        return _page([], found, first, count)

    def _range(self, level: Sequence[str]) -> tuple[int, int]:
        """Rows below a level; a tag of the same path is not below it."""
        start = bisect_left(self._keys, (*level, ""))
        return start, bisect_left(self._keys, (*level, _AFTER)) if level else len(self._keys)


def _key(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


def _has(tag: Tag, words: Sequence[str]) -> bool:
    text = f"{tag.path}\n{tag.description}\n{tag.address}".casefold()
    return all(word in text for word in words)


def _page(folders: Sequence[Folder], tags: Sequence[Tag], first: int, count: int) -> Shown:
    first = max(0, first)
    of_tags = max(0, first - len(folders))
    some = tuple(folders[first : first + count])
    return Shown(some, tuple(tags[of_tags : of_tags + count - len(some)]), len(folders) + len(tags))

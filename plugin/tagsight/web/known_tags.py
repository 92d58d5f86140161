"""Tags that were browsed last: kept for all visitors, because a large historian takes minutes."""

from dataclasses import dataclass, field
from threading import Lock

from tagsight.tag_tree import TagTree


@dataclass(frozen=True, slots=True)
class Browsed:
    """The tags that a pattern named; `complete`: there were no more than are kept."""

    tree: TagTree
    pattern: str
    complete: bool


@dataclass
class KnownTags:
    """What was browsed last, for all visitors: one historian at a time, so that memory is bounded."""

    _known: tuple[tuple[str, str, str], Browsed] | None = field(default=None, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)

    def get(self, historian: str, url: str, pattern: str) -> Browsed | None:
        """None where something else was browsed since."""
        with self._lock:
            return self._known[1] if self._known and self._known[0] == (historian, url, pattern) else None

    def keep(self, historian: str, url: str, browsed: Browsed) -> None:
        """In place of what was there."""
        with self._lock:
            self._known = (historian, url, browsed.pattern), browsed

"""What a test can break in a memory historian. All off by default; changed while it runs."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field


@dataclass
class MemoryFaults:
    """Faults of one store, seen by every session on it.

    Attributes:
        down: nobody can connect, and every open session is lost at its next call.
        refused_writes: address -> StatusCode of the refusal; the other samples of the same call are stored.
        unreadable: addresses whose history the user may not read (AccessRefused).
        answer_when: awaited before each answer, for instance `event.wait`; a session gives up after its timeout.
        lost_responses: so many of the next writes are stored, and then the connection is lost before the answer.
        lose_after_pages: the connection is lost after so many more pages of history; None: never.
        service_level: what it tells of itself; None: nothing.
        no_source_times: the server refuses source times: a sample is stored under the server's own time.
    """

    down: bool = False
    refused_writes: dict[str, int] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    answer_when: Callable[[], Awaitable[object]] | None = None
    lost_responses: int = 0
    lose_after_pages: int | None = None
    no_source_times: bool = False
    service_level: int | None = None

    def loses_response(self) -> bool:
        """Whether the answer of this write gets lost; counts it."""
        lost = self.lost_responses > 0
        self.lost_responses -= lost
        return lost

    def loses_connection_now(self) -> bool:
        """Whether the connection breaks instead of the next page; counts the page."""
        if self.lose_after_pages is None:
            return False
        if self.lose_after_pages <= 0:
            self.lose_after_pages = None
            return True
        self.lose_after_pages -= 1
        return False

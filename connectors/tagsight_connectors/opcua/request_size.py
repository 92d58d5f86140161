"""How much is asked of a server at once: its own OperationLimits, ours, and what it refused before."""

from dataclasses import dataclass
from typing import Final

LEAST_VALUES: Final = 100
LEAST_RANGE_NS: Final = 3_600 * 10**9
"""One slow moment of a server must not cut the history of a year into minutes."""


@dataclass
class RequestSize:
    """Sizes of requests.

    Kept by the historian over reconnections: a server that closes the connection because an answer was too large
    would do so for ever.

    Attributes:
        history_nodes: nodes of HistoryReads at a time, hence continuation points held.
        history_requests: HistoryReads on their way at a time, which share these nodes.
        history_values: values of all nodes of one HistoryRead; 100,000 are about 2 MB and some ms of decoding.
        history_range_ns: time that one HistoryRead reaches over; without limit until the server does not answer.
        node_values: values of one node in one HistoryRead, where the server tells such a limit.
        read_nodes: attributes of one Read.
        browse_nodes: nodes of one Browse.
        write_nodes: nodes of one Write.
        update_values: values of one HistoryUpdate; a server's limit of nodes counts for them too.
    """

    history_nodes: int = 20
    history_requests: int = 2
    history_values: int = 100_000
    history_range_ns: int = 2**62
    node_values: int = 2**31
    read_nodes: int = 500
    browse_nodes: int = 100
    write_nodes: int = 200
    update_values: int = 1_000

    @property
    def overlapping(self) -> int:
        """HistoryReads that may be on their way."""
        return min(self.history_requests, self.history_nodes)

    def obey(self, limits: dict[str, int]) -> None:
        """Take over the server's limits, by field name; 0 means that it has none."""
        for name, limit in limits.items():
            if limit > 0:
                setattr(self, name, min(getattr(self, name), limit))

    def halve_history(self) -> bool:
        """Ask for half as much from now on, one request at a time; False when it is the least already."""
        overlapped, self.history_requests = self.overlapping > 1, 1
        if self.history_nodes == 1 and self.history_values <= LEAST_VALUES:
            return overlapped
        self.history_nodes = max(self.history_nodes // 2, 1)
        self.history_values = max(self.history_values // 2, LEAST_VALUES)
        return True

    def halve_range(self, asked_ns: int) -> bool:
        """Reach over half of this time from now on; False where that is short already."""
        if asked_ns <= LEAST_RANGE_NS:
            return False
        self.history_range_ns = min(self.history_range_ns, max(asked_ns // 2, LEAST_RANGE_NS))
        return True

    def halve(self, name: str) -> bool:
        """The same for the nodes of another service."""
        now: int = getattr(self, name)
        setattr(self, name, max(now // 2, 1))
        return now > 1

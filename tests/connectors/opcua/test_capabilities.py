from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from asyncua import ua

from tagsight_connectors.opcua.capabilities import HISTORY, LIMITS, history_told, obey_limits
from tagsight_connectors.opcua.request_size import RequestSize

UNKNOWN = 0x80340000


@dataclass
class Telling:
    """The service that reads, of a server that tells these values of these nodes, one node in a Read."""

    told: dict[ua.NodeId, Any]

    async def read(self, items: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[tuple[Any, int, int | None]]:
        return [(self.told[node], 0, None) if node in self.told else (None, UNKNOWN, None) for node, _ in items]


async def test_limits_that_a_server_tells_are_obeyed_and_zero_is_none() -> None:
    told = {LIMITS["points"]: 5, LIMITS["values"]: 1_000, LIMITS["read_nodes"]: 0, LIMITS["write_nodes"]: 30}
    size, processed, ours = RequestSize(), RequestSize(), RequestSize()
    await obey_limits(Telling(told), size, processed)  # type: ignore[arg-type]
    assert (size.history_nodes, size.node_values, size.write_nodes) == (5, 1_000, 30)
    assert (size.read_nodes, size.history_values) == (ours.read_nodes, ours.history_values)
    assert processed.history_nodes == 5


async def test_a_server_that_tells_nothing_or_nonsense_leaves_our_limits() -> None:
    size, processed = RequestSize(), RequestSize()
    await obey_limits(Telling({LIMITS["points"]: "many", LIMITS["values"]: -7}), size, processed)  # type: ignore[arg-type]
    assert (size, processed) == (RequestSize(), RequestSize())


async def test_what_a_server_says_of_its_history_is_told_in_words() -> None:
    told = {HISTORY["reading"]: False, HISTORY["updating"]: True}
    assert await history_told(Telling(told)) == "reading no, updating yes"  # type: ignore[arg-type]
    assert await history_told(Telling({})) == ""  # type: ignore[arg-type]

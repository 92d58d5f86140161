"""Limits of a server that somebody else wrote, and reads that break off: all is read in the end, each value once."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from asyncua import ua

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.history import Sample, Span, TagHistory
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.opcua.error_mapping import TooLarge
from tagsight_connectors.opcua.history_read import HistoryNode
from tagsight_connectors.opcua.paging import BAD_CONTINUATION_POINT_INVALID
from tagsight_connectors.reading import read_history
from tests.interop.foreign import ForeignHistorian, ForeignTag, free_port, node_historian

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

MS = 1_000_000
START_MS = 1_700_000_000_000
COUNT = 3_000
WHOLE = Span(START_MS * MS, (START_MS + COUNT * 1_000) * MS)
TAGS = [ForeignTag(f"Plant/T{number}", [float(at) for at in range(COUNT)], writable=True) for number in range(12)]
LIMITS = {"maxNodesPerRead": 4, "maxNodesPerWrite": 3, "maxNodesPerBrowse": 2, "maxNodesPerHistoryReadData": 9}


@asynccontextmanager
async def connected(connection: Connection) -> AsyncIterator[OpcUaHistorian]:
    historian = open_opcua(connection)
    await historian.connect()
    try:
        yield historian
    finally:
        await historian.close()


@pytest.fixture(scope="module")
def narrow(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForeignHistorian]:
    """Few nodes a request. Its HistoryRead refuses what exceeds MaxNodesPerRead, too."""
    folder = tmp_path_factory.mktemp("narrow")
    with node_historian(node_modules, folder, TAGS, capabilities={"operationLimits": LIMITS}) as foreign:
        yield foreign


def whole(found: TagHistory) -> bool:
    return np.array_equal(found.times, (START_MS + np.arange(COUNT) * 1_000) * MS)


async def read_all(historian: OpcUaHistorian, addresses: Sequence[str]) -> bool:
    found = (await read_history(historian, addresses, WHOLE)).tags
    return all(whole(found[address]) for address in addresses)


async def test_what_node_opcua_tells_of_its_limits_is_obeyed(narrow: ForeignHistorian) -> None:
    addresses = [narrow.address(tag.path) for tag in TAGS]
    async with connected(replace(narrow.connection, accepted=frozenset(addresses))) as historian:
        size = historian._size
        assert (size.read_nodes, size.write_nodes, size.browse_nodes, size.history_nodes) == (4, 3, 2, 9)
        assert [tag.address async for tag in historian.browse("Plant/*")] == addresses
        samples = [Sample(address, WHOLE.end_ns, 1.0, 0) for address in addresses]
        assert {outcome.status for outcome in await historian.write(samples)} == {0}
        assert [one.value for one in await historian.read_current(addresses)] == [1.0] * len(addresses)


async def test_a_limit_of_node_opcua_that_does_not_hold_is_found_and_remembered(narrow: ForeignHistorian) -> None:
    """Nine nodes by what it tells; it answers BadTooManyOperations from five on."""
    addresses = [narrow.address(tag.path) for tag in TAGS]
    async with connected(narrow.connection) as historian:
        historian._size.history_requests = 1
        assert await read_all(historian, addresses)
        assert historian._size.history_nodes == 4
        historian._size.history_nodes, historian._size.read_nodes = 9, 500
        with pytest.raises(TooLarge, match="BadTooManyOperations"):
            await historian._service().history_read([HistoryNode(address) for address in addresses], WHOLE, 10)
        values = await historian._service().read([(ua.NodeId(2258), ua.AttributeIds.Value)] * 30)
        assert len(values) == 30
        assert historian._size.read_nodes <= 4


async def test_a_point_that_node_opcua_has_forgotten_is_done_without(narrow: ForeignHistorian) -> None:
    speed = narrow.address(TAGS[0].path)
    async with connected(narrow.connection) as historian:
        historian._size.history_values, historian._size.history_requests = 700, 1
        service = historian._service()
        given: list[bytes] = []
        refused: list[int] = []
        asked = service.history_read

        async def forgetful(nodes: Sequence[HistoryNode], span: Span, at_most: int) -> Sequence[object]:
            answers = await asked(nodes, span, at_most)
            refused.extend(one.status for one in answers if one.status == BAD_CONTINUATION_POINT_INVALID)
            if answers[0].continuation_point and len(given) < 2:
                given.append(answers[0].continuation_point)
                await service.release([HistoryNode(speed, given[-1])])
            return answers

        service.history_read = forgetful  # type: ignore[method-assign, assignment] # the point expires at the server
        historian._service = lambda: service  # type: ignore[method-assign]
        assert await read_all(historian, [speed])
        assert len(given) == len(refused) == 2


async def test_a_restart_of_node_opcua_in_the_middle_of_a_read_is_told_and_the_next_one_is_whole(
    node_modules: Path, tmp_path: Path
) -> None:
    port, addresses = free_port(), []
    with node_historian(node_modules, tmp_path, TAGS[:2], port=port) as foreign:
        addresses = [foreign.address(tag.path) for tag in TAGS[:2]]
        historian = open_opcua(replace(foreign.connection, timeout_s=10.0))
        await historian.connect()
        historian._size.history_values = 400
        pages = historian.read_raw(addresses, WHOLE)
        assert len((await anext(pages)).history)
        foreign.process.kill()
        foreign.process.wait()
        with pytest.raises(NotConnected):
            _ = [page async for page in pages]
    with node_historian(node_modules, tmp_path, TAGS[:2], port=port):
        await historian.connect()
        assert await read_all(historian, addresses)
        await historian.close()

"""Redundant servers over OPC UA: two of asyncua's own servers with a ServiceLevel."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from asyncua import Server, ua

from tagsight_connectors.errors import NotConnected
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.reading import read_history
from tagsight_connectors.redundant import RedundantHistorian
from tests.connectors.opcua.plant_server import SECOND, START_NS, URI, free_port, plain, plant_server

SPEED = f"nsu={URI};s=P101.Speed"
LEVEL = ua.NodeId(ua.ObjectIds.Server_ServiceLevel)


async def _tell(server: Server, level: int) -> None:
    await server.get_node(LEVEL).write_value(ua.Variant(level, ua.VariantType.Byte))


async def test_reading_goes_on_with_the_other_server_when_one_degrades_or_goes_away(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        one = await first.enter_async_context(plant_server(ports[0], tmp_path, secure=False, values=100, users=False))
        two = await second.enter_async_context(plant_server(ports[1], tmp_path, secure=False, values=100, users=False))
        servers = [open_opcua(replace(plain(port, tmp_path), timeout_s=5.0)) for port in ports]
        historian = RedundantHistorian(servers)
        await _tell(one, 150)
        await _tell(two, 255)
        await historian.connect()
        assert (await historian.describe()).url.endswith(str(ports[1]))
        await _tell(one, 255)
        await _tell(two, 100)
        with pytest.raises(NotConnected, match="ServiceLevel fell to 100"):
            await historian.describe()
        await historian.connect()
        assert (await historian.describe()).url.endswith(str(ports[0]))
        await first.aclose()
        with pytest.raises(NotConnected):
            await historian.describe()
        await historian.connect()
        assert (await historian.describe()).url.endswith(str(ports[1]))
        found = await read_history(historian, [SPEED], Span(START_NS, START_NS + 100 * SECOND))
        assert len(found.tags[SPEED]) == 100
        await historian.close()

"""asyncua's server with a history that is slow over long times: it is asked about one part after the other."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from asyncua.server.history import HistoryDict

from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.reading import read_history
from tests.connectors.opcua.plant_server import (
    SECOND,
    START_NS,
    URI,
    VALUES,
    connection,
    free_port,
    plant_server,
    trust_the_server,
)

pytestmark = pytest.mark.interop

HOUR = 3_600 * SECOND
LONGEST = dt.timedelta(hours=10)
TIMEOUT_S = 1.0


class Slow:
    """The package's history, which answers about more than `LONGEST` only when nobody waits any more."""

    def __init__(self, history: HistoryDict) -> None:
        self._history = history
        self.too_long = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._history, name)

    async def read_node_history(self, node_id: Any, start: Any, end: Any, nb_values: Any) -> Any:
        if end - start > LONGEST:
            self.too_long += 1
            await asyncio.sleep(1.5 * TIMEOUT_S)
        return await self._history.read_node_history(node_id, start, end, nb_values)


async def test_a_time_too_long_for_the_server_is_read_in_parts_and_every_value_once(tmp_path: Path) -> None:
    port = free_port()
    async with plant_server(port, tmp_path) as server:
        trust_the_server(tmp_path)
        slow = Slow(server.iserver.history_manager.storage)
        server.iserver.history_manager.storage = slow
        historian = open_opcua(connection(port, tmp_path, timeout_s=TIMEOUT_S))
        await historian.connect()
        try:
            address = f"nsu={URI};s=P101.Speed"
            whole = Span(START_NS - 60 * HOUR, START_NS + 2 * HOUR)
            found = (await read_history(historian, [address], whole)).tags[address]
            refused, again = slow.too_long, (await read_history(historian, [address], whole)).tags[address]
        finally:
            await historian.close()
    assert refused > 0
    assert slow.too_long == refused  # what was learned is kept: the second read asks for short times at once
    for one in (found, again):
        np.testing.assert_array_equal(one.times, START_NS + np.arange(VALUES) * SECOND)

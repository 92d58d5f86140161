"""One owner of reconnection against real TCP: a server that takes no session is not hammered, and found again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
from asyncua import Server, ua
from asyncua.common.utils import ServiceError

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.opcua.client import open_opcua
from tests.connectors.opcua.plant_server import connection, free_port, plant_server, trust_the_server

MOST_CONNECTIONS = 30
"""In two minutes, encrypted connections with their question for endpoints included."""


@dataclass
class Gate:
    """What every TCP connection of the client goes through, and is counted at."""

    behind: int
    port: int = 0
    closes: bool = False
    connections: int = 0
    open: int = 0
    _passing: set["asyncio.Task[None]"] = field(default_factory=set)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: passed on, or closed at once."""
        self.connections += 1
        if self.closes:
            writer.close()
            return
        self.open += 1
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        ways = [_copy(reader, there_writer), _copy(there_reader, writer)]
        with suppress(ConnectionError):
            await asyncio.wait([asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, there_writer):
            end.close()
        self.open -= 1


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def _gate(behind: int) -> AsyncIterator[Gate]:
    gate = Gate(behind)
    server = await asyncio.start_server(gate.take, "127.0.0.1", 0)
    gate.port = server.sockets[0].getsockname()[1]
    async with server:
        yield gate


async def _nothing(_historian: Historian) -> None:
    """Only the connection is wanted."""


async def _two_minutes(link: Link, clock: SetClock) -> None:
    """As the loops of a service do it, ten times a second."""
    for _ in range(1_200):
        clock.advance(0.1)
        with suppress(HistorianError):
            await link.use(_nothing)


def _full(server: Server) -> Any:
    def refuse(*_arguments: object, **_named: object) -> NoReturn:
        raise ServiceError(ua.StatusCodes.BadTooManySessions)

    made, server.iserver.create_session = server.iserver.create_session, refuse
    return made


@pytest.mark.parametrize("fault", ["too-many-sessions", "accepts-and-closes"])
async def test_a_server_that_gives_no_session_is_asked_few_times_in_two_minutes_and_found_again(
    tmp_path: Path, fault: str
) -> None:
    port = free_port()
    async with plant_server(port, tmp_path, values=1) as server, _gate(port) as gate:
        trust_the_server(tmp_path)
        place = connection(gate.port, tmp_path)
        clock = SetClock(1_760_000_000 * SECOND)
        link = Link("scada", open_opcua(place), clock)
        gate.closes = fault == "accepts-and-closes"
        create_session = _full(server) if fault == "too-many-sessions" else None
        await _two_minutes(link, clock)
        assert not link.connected
        assert 3 <= gate.connections <= MOST_CONNECTIONS
        assert "BadTooManySessions" in link.trouble or create_session is None
        gate.closes = False
        if create_session is not None:
            server.iserver.create_session = create_session
        clock.advance(31.0)
        await link.use(_nothing)
        assert link.connected
        assert gate.open == 1
        await link.close()

"""Every OPC UA server at hand with the same small plant: where it is, and what its tags are called."""

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pytest

from tagsight_connectors.connection import Connection, MessageSecurity, WriteService
from tagsight_connectors.history import Sample, TagHistory
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.connectors.opcua.plant_server import URI as ASYNCUA_URI
from tests.connectors.opcua.plant_server import connection as asyncua_connection
from tests.connectors.opcua.plant_server import plant_server, trust_the_server
from tests.connectors.opcua.served_plant import RealClock
from tests.interop.foreign import (
    HERE,
    PASSWORD,
    USER,
    ForeignHistorian,
    ForeignTag,
    free_port,
    legacy_historian,
    node_historian,
)

SECOND: Final = 10**9
START_NS: Final = 1_700_000_000 * SECOND
COUNT: Final = 2_500
O6_URI: Final = "urn:open62541.unconfigured.application"
TAGS: Final = (
    ForeignTag("Plant/Speed", [float(value) for value in range(COUNT)], start_ms=START_NS // 1_000_000),
    ForeignTag("Results/Score", writable=True),
)


@dataclass(frozen=True)
class PlantServer:
    """A running server.

    Attributes:
        name: of the product.
        connection: trusted both ways; may write to `score`.
        speed: address of a tag with `COUNT` values from `START_NS` on, one a second, each its own number.
        score: address of a tag that takes results.
    """

    name: str
    connection: Connection
    speed: str
    score: str


def missing(name: str) -> str:
    """Why a server cannot be started here; "": it can."""
    if name == "node-opcua" and (shutil.which("node") is None or shutil.which("npm") is None):
        return "node and npm are needed for node-opcua; install Node.js 20 or newer"
    if name == "o6" and importlib.util.find_spec("o6") is None:
        return "o6 is not installed (proprietary, optional: pip install o6==2.2.0)"
    return ""


@asynccontextmanager
async def running_server(name: str, modules: Path | None, folder: Path) -> AsyncIterator[PlantServer]:
    """The server of this name; `modules`: where node-opcua is installed."""
    with ExitStack() as stack:
        if name == "node-opcua":
            assert modules is not None
            yield _of(name, stack.enter_context(node_historian(modules, folder, TAGS, aggregates=True)))
        elif name == "legacy opcua":
            yield _of(name, stack.enter_context(legacy_historian(folder, TAGS)))
        elif name == "asyncua":
            async with _asyncua(folder) as server:
                yield server
        elif name == "TagSight":
            async with _ours(folder) as server:
                yield server
        else:
            yield await _o6(stack)


def _of(name: str, found: ForeignHistorian) -> PlantServer:
    return _named(name, found.connection, found.address("Plant/Speed"), found.address("Results/Score"))


def _named(name: str, connection: Connection, speed: str, score: str) -> PlantServer:
    return PlantServer(name, replace(connection, accepted=frozenset({score, speed})), speed, score)


@asynccontextmanager
async def _asyncua(folder: Path) -> AsyncIterator[PlantServer]:
    port = free_port()
    async with plant_server(port, folder, values=COUNT):
        trust_the_server(folder)
        where = f"nsu={ASYNCUA_URI};s=P101"
        yield _named("asyncua", asyncua_connection(port, folder), f"{where}.Speed", f"{where}.Set")


@asynccontextmanager
async def _ours(folder: Path) -> AsyncIterator[PlantServer]:
    speed, score = (
        ServedVariable("Speed", "Plant/Speed"),
        ServedVariable("Score", "Score", writable_by=UserRole.OPERATOR),
    )
    times = START_NS + np.arange(COUNT, dtype=np.int64) * SECOND
    history = TagHistory(times, np.arange(COUNT, dtype=np.float64), np.zeros(COUNT, dtype=np.uint32))
    settings = ServerSettings("127.0.0.1", 0, folder / "ours", "urn:test:ours", PLANT_NAMESPACE)
    source = MemorySource([speed, score], {"Speed": history})
    known = lambda user, password: UserRole.OPERATOR if (user, password) == (USER, PASSWORD) else None  # noqa: E731
    async with EmbeddedHistorian(source, settings, known, RealClock()) as server:
        connection = Connection(server.url, USER, PASSWORD, certificates=folder / "client")
        TrustList(folder / "client").add(server.certificate.certificate)
        TrustList(folder / "ours").add(own_certificate(connection).certificate)
        where = f"nsu={PLANT_NAMESPACE};s="
        yield _named("TagSight", connection, f"{where}Speed", f"{where}Score")


async def _o6(stack: ExitStack) -> PlantServer:
    """Without security; its history is filled by our own HistoryUpdate."""
    port = free_port()
    command = [sys.executable, str(HERE / "o6_historian.py"), str(port)]
    process = stack.enter_context(
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: ASYNC220 - nothing else runs
    )
    stack.callback(process.kill)
    assert process.stdout is not None
    if not any(line.strip() == "ready" for line in process.stdout):
        pytest.fail("the historian by o6 did not start")
    plain = Connection(f"opc.tcp://127.0.0.1:{port}", security=MessageSecurity.NONE, anonymous=True)
    server = _named("o6", plain, f"nsu={O6_URI};s=Results/Score", f"nsu={O6_URI};s=Results/Score")
    historian = open_opcua(replace(server.connection, writes_by=WriteService.HISTORY_UPDATE))
    await historian.connect()
    await historian.write([Sample(server.speed, START_NS + at * SECOND, float(at), 0) for at in range(COUNT)])
    await historian.close()
    return server

"""Our client against servers that somebody else wrote: node-opcua and the deprecated `opcua` package."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import AccessRefused, CertificateNotTrusted, UnknownTag
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_SENSOR_FAILURE
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import DataType, Range
from tests.interop.conftest import LEGACY_URI, NODE_URI, NodeTag, StartNode, legacy_historian

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

MS = 1_000_000
START_MS = 1_700_000_000_000
COUNT = 10_000


@asynccontextmanager
async def connected(connection: Connection) -> AsyncIterator[OpcUaHistorian]:
    historian = open_opcua(connection)
    await historian.connect()
    try:
        yield historian
    finally:
        await historian.close()


def node_address(path: str) -> str:
    return f"nsu={NODE_URI};s={path}"


PLANT = [
    NodeTag(
        "Plant/P101/Speed",
        [float(at) for at in range(COUNT)],
        bad=[7],
        extra={"low": 0, "high": 3000, "unit": "1/min", "description": "speed"},
    ),
    NodeTag("Plant/P101/State", ["stopped", "running"], type="String"),
    NodeTag("Plant/P101/Running", [True, False], type="Boolean"),
    NodeTag("Plant/P101/Score", writable=True),
]


async def test_node_opcua_is_browsed_read_and_written_over_an_encrypted_connection(
    start_node_historian: StartNode,
) -> None:
    """Its continuation point is the same on every page: asyncua's own reader would stop after the second."""
    foreign = start_node_historian(PLANT)
    speed, state, running, score = (node_address(tag.path) for tag in PLANT)
    async with connected(Connection(**{**as_dict(foreign.connection), "accepted": frozenset({score})})) as historian:
        tags = {tag.path: tag async for tag in historian.browse("Plant/**")}
        assert (tags["Plant/P101/Speed"].unit, tags["Plant/P101/Speed"].eu_range) == ("1/min", Range(0.0, 3000.0))
        assert tags["Plant/P101/State"].data_type == DataType.TEXT
        historian._size.history_values = 1_000
        whole = Span(START_MS * MS, (START_MS + COUNT * 1_000) * MS)
        history = await read_history(historian, [speed, state, running], whole)
        assert np.array_equal(history.tags[speed].times, (START_MS + np.arange(COUNT) * 1_000) * MS)
        good = history.tags[speed].status == 0
        assert np.array_equal(history.tags[speed].values[good], np.delete(np.arange(COUNT), 7))
        assert history.tags[speed].status[7] == BAD_SENSOR_FAILURE
        assert history.tags[state].values.tolist() == ["stopped", "running"]
        assert history.tags[running].values.tolist() == [1.0, 0.0]
        part = await read_history(historian, [speed], Span(START_MS * MS, (START_MS + 3_000) * MS))
        assert part.tags[speed].values.tolist() == [0.0, 1.0, 2.0]
        outcomes = await historian.write([Sample(score, START_MS * MS, 0.5, 0)])
        assert [(outcome.status, outcome.time_kept) for outcome in outcomes] == [(0, True)]
        current = await historian.read_current([score, node_address("missing")])
        assert (current[0].value, current[0].time_ns, current[1].status) == (0.5, START_MS * MS, BAD_NODE_ID_UNKNOWN)
        with pytest.raises(UnknownTag):
            await read_history(historian, [node_address("missing")], whole)


def as_dict(connection: Connection) -> dict[str, object]:
    return {name: getattr(connection, name) for name in connection.__dataclass_fields__}


async def test_node_opcua_with_fifty_long_tags_is_browsed_in_pages_and_read_whole(
    start_node_historian: StartNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one answer they are BadTcpMessageTooLarge."""
    tags = [NodeTag(f"Plant/T{number}", [float(at) for at in range(5_000)]) for number in range(50)]
    foreign = start_node_historian(tags)
    async with connected(foreign.connection) as historian:
        addresses = [node_address(tag.path) for tag in tags]
        monkeypatch.setattr("tagsight_connectors.opcua.browsing.REFERENCES_PER_ANSWER", 7)
        assert [tag.address async for tag in historian.browse("Plant/*")] == addresses
        history = await read_history(historian, addresses, Span(START_MS * MS, (START_MS + 5_000_000) * MS))
        assert all(np.array_equal(history.tags[address].values, np.arange(5_000)) for address in addresses)


async def test_node_opcua_refuses_a_wrong_password_and_we_an_unknown_certificate(
    start_node_historian: StartNode, tmp_path: Path
) -> None:
    foreign = start_node_historian([])
    known = as_dict(foreign.connection)
    with pytest.raises(AccessRefused):
        await open_opcua(Connection(**{**known, "password": "wrong"})).connect()  # type: ignore[arg-type]
    with pytest.raises(CertificateNotTrusted):
        await open_opcua(Connection(**{**known, "certificates": tmp_path / "none"})).connect()  # type: ignore[arg-type]


async def test_the_legacy_server_is_browsed_read_and_written(tmp_path: Path) -> None:
    """It answers Good without values for tags that it does not have, and pages by time."""
    speed, score = f"nsu={LEGACY_URI};s=Plant/Speed", f"nsu={LEGACY_URI};s=Plant/Score"
    with legacy_historian(tmp_path, 25_000, START_MS // 1_000) as foreign:
        connection = Connection(**{**as_dict(foreign.connection), "accepted": frozenset({score})})  # type: ignore[arg-type]
        async with connected(connection) as historian:
            assert {tag.path async for tag in historian.browse("Plant/*")} == {"Plant/Speed", "Plant/Score"}
            history = await read_history(historian, [speed], Span(START_MS * MS, (START_MS + 25_000_000) * MS))
            assert np.array_equal(history.tags[speed].values, np.arange(25_000))
            with pytest.raises(UnknownTag):
                await read_history(historian, [f"nsu={LEGACY_URI};s=missing"], Span(0, START_MS * MS))
            outcomes = await historian.write([Sample(score, START_MS * MS, 0.5, 0)])
            assert outcomes[0].status == 0
            assert (await historian.read_current([score]))[0].value == 0.5

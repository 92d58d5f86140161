"""Our client against servers that somebody else wrote: node-opcua and the deprecated `opcua` package."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused, CertificateNotTrusted, UnknownTag
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import BAD, BAD_NODE_ID_UNKNOWN, BAD_SENSOR_FAILURE
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import DataType, Range
from tests.interop.conftest import StartHistorian
from tests.interop.foreign import ForeignTag, legacy_historian

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


PLANT = [
    ForeignTag(
        "Plant/P101/Speed",
        [float(at) for at in range(COUNT)],
        bad=[7],
        extra={"low": 0, "high": 3000, "unit": "1/min", "description": "speed"},
    ),
    ForeignTag("Plant/P101/State", ["stopped", "running"], type="String"),
    ForeignTag("Plant/P101/Running", [True, False], type="Boolean"),
    ForeignTag("Plant/P101/Score", writable=True),
]


async def test_node_opcua_is_browsed_read_and_written_over_an_encrypted_connection(
    start_node_historian: StartHistorian,
) -> None:
    """Its continuation point is the same on every page: asyncua's own reader would stop after the second."""
    foreign = start_node_historian(PLANT)
    speed, state, running, score = (foreign.address(tag.path) for tag in PLANT)
    async with connected(replace(foreign.connection, accepted=frozenset({score}))) as historian:
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
        current = await historian.read_current([score, foreign.address("missing")])
        assert (current[0].value, current[0].time_ns, current[1].status) == (0.5, START_MS * MS, BAD_NODE_ID_UNKNOWN)
        with pytest.raises(UnknownTag):
            await read_history(historian, [foreign.address("missing")], whole)


async def test_node_opcua_with_fifty_long_tags_is_browsed_in_pages_and_read_whole(
    start_node_historian: StartHistorian, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one answer they are BadTcpMessageTooLarge."""
    tags = [ForeignTag(f"Plant/T{number}", [float(at) for at in range(5_000)]) for number in range(50)]
    foreign = start_node_historian(tags)
    async with connected(foreign.connection) as historian:
        addresses = [foreign.address(tag.path) for tag in tags]
        monkeypatch.setattr("tagsight_connectors.opcua.browsing.REFERENCES_PER_ANSWER", 7)
        assert [tag.address async for tag in historian.browse("Plant/*")] == addresses
        history = await read_history(historian, addresses, Span(START_MS * MS, (START_MS + 5_000_000) * MS))
        assert all(np.array_equal(history.tags[address].values, np.arange(5_000)) for address in addresses)


async def test_a_wrong_password_is_refused_and_so_is_an_unknown_certificate(
    start_historian: StartHistorian, tmp_path: Path
) -> None:
    foreign = start_historian([])
    with pytest.raises(AccessRefused):
        await open_opcua(replace(foreign.connection, password="wrong")).connect()
    with pytest.raises(CertificateNotTrusted):
        await open_opcua(replace(foreign.connection, certificates=tmp_path / "none")).connect()


async def test_a_score_that_could_not_be_computed_is_written_as_bad_without_a_number(
    start_historian: StartHistorian,
) -> None:
    """node-opcua takes a value of no type for no tag; then the last good score would have stayed."""
    foreign = start_historian([ForeignTag("Plant/Score", writable=True)])
    score = foreign.address("Plant/Score")
    async with connected(replace(foreign.connection, accepted=frozenset({score}))) as historian:
        samples = [Sample(score, START_MS * MS, 0.5, 0), Sample(score, (START_MS + 1) * MS, None, BAD)]
        assert [outcome.status for outcome in await historian.write(samples)] == [0, 0]
        foreign.kept.wait({"Plant/Score": START_MS + 1})
        history = await read_history(historian, [score], Span(START_MS * MS, (START_MS + 2) * MS))
        (current,) = await historian.read_current([score])
    assert history.tags[score].status.tolist() == [0, BAD]
    assert np.array_equal(history.tags[score].values, [0.5, np.nan], equal_nan=True)
    assert (current.status, current.time_ns) == (BAD, (START_MS + 1) * MS)


LEGACY_PLANT = [
    ForeignTag(
        "Plant/Speed", [float(at) for at in range(COUNT)], bad=[7], extra={"low": 0, "high": 3000, "unit": "1/min"}
    ),
    ForeignTag("Plant/Score", writable=True),
]


async def test_the_legacy_server_is_browsed_read_and_written_unencrypted_where_that_is_set(
    tmp_path: Path, running: ExitStack
) -> None:
    """Security None and anonymous, by the explicit setting. A tag that it does not have is Good, without values."""
    foreign = running.enter_context(legacy_historian(tmp_path, LEGACY_PLANT, unencrypted=True))
    speed, score = (foreign.address(tag.path) for tag in LEGACY_PLANT)
    url = foreign.connection.url
    plain = Connection(url, anonymous=True, security=MessageSecurity.NONE, accepted=frozenset({score}))
    async with connected(plain) as historian:
        assert (await historian.describe()).security == "None, anonymous"
        tags = {tag.path: tag async for tag in historian.browse("Plant/*")}
        assert set(tags) == {"Plant/Speed", "Plant/Score"}
        assert (tags["Plant/Speed"].unit, tags["Plant/Speed"].eu_range) == ("1/min", Range(0.0, 3000.0))
        with pytest.raises(UnknownTag):
            await read_history(historian, [foreign.address("missing")], Span(0, START_MS * MS))
        outcomes = await historian.write([Sample(score, START_MS * MS, 0.5, 0)])
        assert [(outcome.status, outcome.time_kept) for outcome in outcomes] == [(0, True)]
        current = await historian.read_current([score, speed])
        assert [(one.value, one.time_ns) for one in current] == [
            (0.5, START_MS * MS),
            (COUNT - 1.0, (START_MS + (COUNT - 1) * 1_000) * MS),
        ]


async def test_the_legacy_server_is_read_whole_although_its_pages_leave_values_out(
    start_legacy_historian: StartHistorian,
) -> None:
    """Its continuation point is the time of the second value that did not fit: whoever follows it loses the first."""
    foreign = start_legacy_historian(LEGACY_PLANT)
    speed = foreign.address("Plant/Speed")
    async with connected(foreign.connection) as historian:
        historian._size.history_values = 1_000
        history = await read_history(historian, [speed], Span(START_MS * MS, (START_MS + COUNT * 1_000) * MS))
    assert np.array_equal(history.tags[speed].times, (START_MS + np.arange(COUNT) * 1_000) * MS)
    assert np.flatnonzero(history.tags[speed].status).tolist() == [7]


async def test_the_legacy_server_is_read_whole_where_it_fails_to_answer(start_legacy_historian: StartHistorian) -> None:
    """One value more than asked for, and it never answers: then less is asked for."""
    foreign = start_legacy_historian(LEGACY_PLANT)
    speed = foreign.address("Plant/Speed")
    async with connected(foreign.connection) as historian:
        assert historian._session is not None
        historian._session.timeout_s = 2.0
        historian._size.history_values = 1_000
        history = await read_history(historian, [speed], Span(START_MS * MS, (START_MS + 1_000_000) * MS))
    assert np.array_equal(history.tags[speed].times, (START_MS + np.arange(1_000) * 1_000) * MS)


async def test_the_legacy_server_keeps_only_changes_of_what_is_written(start_legacy_historian: StartHistorian) -> None:
    """So a result that stays the same has a history of one value; its current value has the newest source time."""
    foreign = start_legacy_historian(LEGACY_PLANT)
    score = foreign.address("Plant/Score")
    async with connected(replace(foreign.connection, accepted=frozenset({score}))) as historian:
        for at, value in enumerate([0.5, 0.5, 0.75]):
            await historian.write([Sample(score, (START_MS + at) * MS, value, 0)])
        foreign.kept.wait({"Plant/Score": START_MS + 2})
        history = await read_history(historian, [score], Span(START_MS * MS, (START_MS + 3) * MS))
    assert history.tags[score].values.tolist() == [0.5, 0.75]
    assert history.tags[score].times.tolist() == [START_MS * MS, (START_MS + 2) * MS]

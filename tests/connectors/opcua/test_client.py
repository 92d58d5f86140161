"""The OPC UA connector against a server that somebody else wrote (asyncua's), over an encrypted connection."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tagsight_connectors.connection import MessageSecurity
from tagsight_connectors.errors import AccessRefused, CertificateNotTrusted, NotConnected, UnknownTag, WriteNotAllowed
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.certificates import renew_certificate
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_OUT_OF_RANGE, BAD_SENSOR_FAILURE, BAD_TYPE_MISMATCH
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Access, DataType, Range
from tests.connectors.opcua.plant_server import (
    SECOND,
    START_NS,
    URI,
    VALUES,
    connection,
    free_port,
    plain,
    plant_server,
    trust_the_server,
)

SPEED, STATE, RUNNING, NOTHING, SET, SET_WHOLE = (
    f"nsu={URI};s=P101.{name}" for name in ("Speed", "State", "Running", "Nothing", "Set", "SetWhole")
)
pytestmark = pytest.mark.asyncio(loop_scope="module")  # a server takes seconds to start: one for all tests

WHOLE = Span(START_NS, START_NS + VALUES * SECOND)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plant")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def port(folder: Path) -> AsyncIterator[int]:
    port = free_port()
    async with plant_server(port, folder):
        trust_the_server(folder)
        yield port


@pytest_asyncio.fixture(loop_scope="module")
async def historian(port: int, folder: Path) -> AsyncIterator[OpcUaHistorian]:
    historian = open_opcua(connection(port, folder, accepted=frozenset({SET, SET_WHOLE, f"nsu={URI};s=missing"})))
    await historian.connect()
    yield historian
    await historian.close()


async def test_tags_are_found_with_unit_range_type_and_rights(historian: OpcUaHistorian) -> None:
    tags = {tag.path: tag async for tag in historian.browse("Plant/**")}
    speed = tags["Plant/P101/Speed"]
    assert (speed.address, speed.unit, speed.eu_range) == (SPEED, "1/min", Range(0.0, 3000.0))
    assert (speed.data_type, speed.description, speed.historizing) == (DataType.NUMBER, "speed of the pump", True)
    assert Access.READ_HISTORY in speed.access
    assert Access.WRITE not in speed.access
    assert Access.WRITE in tags["Plant/P101/Set"].access
    assert tags["Plant/P101/State"].data_type == DataType.TEXT
    assert tags["Plant/P101/Running"].data_type == DataType.BOOLEAN
    assert tags["Plant/P101/Matrix"].data_type == DataType.OTHER
    assert not [path for path in tags if "EURange" in path]


@pytest.mark.parametrize(
    "pattern",
    [SPEED, "ns=2;s=P101.Speed", "**/Speed", "Plant/*/Sp?ed"],
    ids=["address", "index", "levels", "characters"],
)
async def test_a_pattern_or_an_address_names_one_tag(historian: OpcUaHistorian, pattern: str) -> None:
    assert [tag.address async for tag in historian.browse(pattern)] == [SPEED]


async def test_the_servers_own_nodes_are_no_tags(historian: OpcUaHistorian) -> None:
    assert not [tag async for tag in historian.browse() if tag.path.startswith("Server")]


async def test_histories_are_complete_with_times_values_and_qualities(historian: OpcUaHistorian) -> None:
    history = await read_history(historian, [SPEED, STATE, RUNNING, NOTHING], WHOLE)
    speed = history.tags[SPEED]
    assert np.array_equal(speed.times, START_NS + np.arange(VALUES) * SECOND)
    assert np.array_equal(speed.values, np.arange(VALUES))
    assert (speed.status[99::100] == BAD_SENSOR_FAILURE).all()
    assert np.count_nonzero(speed.status) == VALUES // 100
    assert history.tags[STATE].values[4] == "state 1"
    assert history.tags[RUNNING].values[:2].tolist() == [1.0, 0.0]
    assert len(history.tags[NOTHING]) == 0


async def test_a_history_larger_than_a_request_comes_in_pages(historian: OpcUaHistorian) -> None:
    historian._size.history_values = 700
    sizes = [len(page.history) async for page in historian.read_raw([SPEED], WHOLE)]
    assert sum(sizes) == VALUES
    assert max(sizes) <= 700


async def test_the_end_of_the_span_does_not_belong_to_it(historian: OpcUaHistorian) -> None:
    history = await read_history(historian, [SPEED], Span(START_NS + 1, START_NS + 3 * SECOND))
    assert history.tags[SPEED].values.tolist() == [1.0, 2.0]


async def test_an_unknown_tag_is_an_error_although_this_server_answers_good(historian: OpcUaHistorian) -> None:
    with pytest.raises(UnknownTag):
        await read_history(historian, [f"nsu={URI};s=P101.Sped"], WHOLE)
    with pytest.raises(UnknownTag):
        await read_history(historian, ["nsu=urn:elsewhere;s=P101.Speed"], WHOLE)


async def test_current_values_come_in_order_and_unknown_ones_are_bad(historian: OpcUaHistorian) -> None:
    samples = await historian.read_current([STATE, "nsu=urn:elsewhere;s=x", SPEED, f"nsu={URI};s=x"])
    assert [sample.value for sample in samples] == ["stopped", None, 1.5, None]
    assert samples[1].status == samples[3].status == BAD_NODE_ID_UNKNOWN


async def test_a_written_sample_is_there_with_its_time_and_status(historian: OpcUaHistorian) -> None:
    samples = [Sample(SET, START_NS, 2.5, 0x40000000), Sample(SET_WHOLE, START_NS, 7.0, 0)]
    assert [outcome.status for outcome in await historian.write(samples)] == [0, 0]
    read = await historian.read_current([SET, SET_WHOLE])
    assert [(each.value, each.time_ns, each.status) for each in read] == [(2.5, START_NS, 0x40000000), (7, START_NS, 0)]


async def test_what_does_not_fit_is_refused_and_does_not_hinder_the_rest(historian: OpcUaHistorian) -> None:
    samples = [
        Sample(SET_WHOLE, START_NS, 70_000, 0),
        Sample(SET, START_NS, "text", 0),
        Sample(f"nsu={URI};s=missing", START_NS, 1.0, 0),
        Sample(SET, START_NS, 3.0, 0),
    ]
    statuses = [outcome.status for outcome in await historian.write(samples)]
    assert statuses == [BAD_OUT_OF_RANGE, BAD_TYPE_MISMATCH, BAD_NODE_ID_UNKNOWN, 0]


async def test_nothing_is_sent_when_one_address_is_not_accepted(historian: OpcUaHistorian) -> None:
    before = await historian.read_current([SET])
    with pytest.raises(WriteNotAllowed, match=r"P101\.Speed"):
        await historian.write([Sample(SET, START_NS, 99.0, 0), Sample(SPEED, START_NS, 0.0, 0)])
    assert await historian.read_current([SET]) == before


async def test_it_says_who_is_there_and_how_we_are_connected(historian: OpcUaHistorian, folder: Path) -> None:
    description = await historian.describe()
    assert description.security == "Basic256Sha256 SignAndEncrypt, user tagsight"
    assert description.certificate == TrustList(folder / "client").list()[0].thumbprint
    assert description.server_time_ns is not None
    assert description.server_time_ns > START_NS


async def test_a_server_that_is_not_trusted_is_refused_until_it_is_added(port: int, tmp_path: Path) -> None:
    historian = open_opcua(connection(port, tmp_path))
    with pytest.raises(CertificateNotTrusted, match="not trusted") as refusal:
        await historian.connect()
    TrustList(tmp_path / "client").add(refusal.value.thumbprint)
    await historian.connect()
    await historian.close()


async def test_a_wrong_password_is_refused(port: int, folder: Path) -> None:
    with pytest.raises(AccessRefused):
        await open_opcua(connection(port, folder, password="wrong")).connect()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def unencrypted_port(folder: Path) -> AsyncIterator[int]:
    port = free_port()
    async with plant_server(port, folder, secure=False, values=10, users=False):
        yield port


async def test_a_server_without_encryption_is_refused(unencrypted_port: int, tmp_path: Path) -> None:
    with pytest.raises(AccessRefused, match="no endpoint with SignAndEncrypt"):
        await open_opcua(connection(unencrypted_port, tmp_path)).connect()


async def test_a_password_is_never_sent_in_the_clear(tmp_path: Path) -> None:
    port = free_port()
    unencrypted = connection(port, tmp_path, security=MessageSecurity.NONE)
    async with plant_server(port, tmp_path, secure=False, values=1):
        with pytest.raises(AccessRefused, match="no way to send it encrypted"):
            await open_opcua(unencrypted).connect()
        with pytest.raises(AccessRefused, match="the server takes user names"):
            await open_opcua(plain(port, tmp_path)).connect()


async def test_a_renewed_certificate_is_used_at_the_next_connection(port: int, folder: Path) -> None:
    ours = connection(port, folder)
    historian = OpcUaHistorian(ours)
    await historian.connect()
    new = renew_certificate(own_certificate(ours))
    assert (await historian.describe()).url == ours.url
    await historian.connect()
    assert historian._client is not None
    assert historian._client.security_policy.host_certificate == new.certificate.read_bytes()
    await historian.close()


async def test_nobody_is_anonymous_without_having_said_so(unencrypted_port: int, tmp_path: Path) -> None:
    silent = replace(plain(unencrypted_port, tmp_path), anonymous=False)
    with pytest.raises(AccessRefused, match="no user is set"):
        await open_opcua(silent).connect()


async def test_without_encryption_only_where_it_is_set(unencrypted_port: int, tmp_path: Path) -> None:
    historian = open_opcua(plain(unencrypted_port, tmp_path))
    await historian.connect()
    assert (await historian.describe()).security == "None, anonymous"
    assert len((await read_history(historian, [SPEED], WHOLE)).tags[SPEED]) == 10
    await historian.close()


async def test_nothing_listens() -> None:
    with pytest.raises(NotConnected):
        await open_opcua(plain(free_port(), Path())).connect()


@pytest.mark.slow
async def test_a_server_that_went_away_is_not_connected_and_comes_back(folder: Path) -> None:
    port = free_port()
    historian = open_opcua(connection(port, folder))
    async with plant_server(port, folder, values=1):
        trust_the_server(folder)
        await historian.connect()
    with pytest.raises(NotConnected):
        await historian.read_current([SPEED])
    async with plant_server(port, folder, values=1):
        await historian.connect()
        assert (await historian.read_current([SPEED]))[0].value == 1.5
    await historian.close()


async def test_closing_twice_or_before_connecting_is_harmless(port: int, folder: Path) -> None:
    historian = open_opcua(connection(port, folder))
    await historian.close()
    await historian.connect()
    await historian.close()
    await historian.close()
    with pytest.raises(NotConnected):
        await historian.describe()

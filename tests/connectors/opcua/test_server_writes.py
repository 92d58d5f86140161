"""Who may write what to our server, and when the answer is Good."""

from typing import Any

import pytest
from asyncua import Client, ua

from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.embedded import EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.serving import ClientWrite
from tests.connectors.opcua.served_plant import (
    START,
    START_NS,
    URI,
    VARIABLES,
    Plant,
    RealClock,
    authenticate,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

Codes = ua.StatusCodes


class Inbox(MemorySource):
    """As the ledger is one: keeps what operators write, refuses some, sets Feedback back to 0 once stored."""

    def __init__(self) -> None:
        super().__init__(VARIABLES)
        self.broken = False

    def accept(self, write: ClientWrite) -> bool:
        if self.broken:
            raise OSError(28, "No space left on device")
        if write.identifier.endswith("Feedback") and not 0 <= int(write.value) <= 3:
            return False
        self.written.append(write)
        self.append([Sample(write.identifier, write.time_ns, 0, 0)])
        return True


@pytest.fixture(scope="module")
def source() -> MemorySource:
    return Inbox()


async def answer_to(plant: Plant, client: Client, name: str, value: Any, kind: ua.VariantType) -> int:
    node = await plant.node(client, f"Plant/P101/{name}")
    write = ua.WriteValue(NodeId=node.nodeid, AttributeId=ua.AttributeIds.Value)
    write.Value = ua.DataValue(ua.Variant(value, kind))
    (answer,) = await client.uaclient.write(ua.WriteParameters(NodesToWrite=[write]))
    return int(answer.value)


async def test_an_operators_feedback_is_stored_and_then_shown_as_the_source_says(plant: Plant) -> None:
    async with plant.client("olga") as client:
        assert await answer_to(plant, client, "Feedback", 2, ua.VariantType.Int32) == Codes.Good
        assert await (await plant.node(client, "Plant/P101/Feedback")).read_value() == 0
    write = plant.source.written[-1]
    assert (write.identifier, write.value, write.user) == ("Plant/P101/Feedback", 2, "olga")


@pytest.mark.parametrize(
    ("user", "name", "value", "kind", "answer"),
    [
        pytest.param("olga", "Off", True, "Boolean", Codes.BadUserAccessDenied, id="operator needs more rights"),
        pytest.param("erik", "Off", True, "Boolean", Codes.Good, id="engineer suffices"),
        pytest.param("ada", "Feedback", 1, "Int32", Codes.Good, id="admin includes operator"),
        pytest.param("ada", "Speed", 1.0, "Double", Codes.BadNotWritable, id="outputs are read-only for all"),
        pytest.param("olga", "Feedback", 7, "Int32", Codes.BadOutOfRange, id="the source refuses"),
        pytest.param("olga", "Feedback", 1.0, "Double", Codes.BadTypeMismatch, id="another type"),
        pytest.param("olga", "Feedback", [1, 2], "Int32", Codes.BadTypeMismatch, id="an array"),
        pytest.param("olga", "Feedback", None, "Null", Codes.BadTypeMismatch, id="no value"),
        pytest.param("olga", "Nothing", 1, "Int32", Codes.BadNodeIdUnknown, id="unknown"),
    ],
)
async def test_a_write_is_answered_by_role_and_type(
    plant: Plant, user: str, name: str, value: Any, *, kind: str, answer: int
) -> None:
    async with plant.client(user) as client:
        assert await answer_to(plant, client, name, value, ua.VariantType[kind]) == answer


async def test_a_write_that_could_not_be_stored_is_not_answered_good(plant: Plant) -> None:
    assert isinstance(plant.source, Inbox)
    plant.source.broken = True
    try:
        async with plant.client("olga") as client:
            answer = await answer_to(plant, client, "Feedback", 1, ua.VariantType.Int32)
            assert answer == Codes.BadResourceUnavailable
    finally:
        plant.source.broken = False


@pytest.mark.parametrize(("user", "writable"), [("olga", False), ("erik", True)])
async def test_user_access_level_tells_what_this_user_may_write(plant: Plant, user: str, writable: bool) -> None:  # noqa: FBT001
    async with plant.client(user) as client:
        off = await plant.node(client, "Plant/P101/Off")
        assert (ua.AccessLevel.CurrentWrite in await off.get_user_access_level()) is writable


async def test_other_attributes_than_the_value_cannot_be_written(plant: Plant) -> None:
    async with plant.client("ada") as client:
        node = await plant.node(client, "Plant/P101/Feedback")
        with pytest.raises(ua.uaerrors.BadNotWritable):
            await node.write_attribute(ua.AttributeIds.Description, ua.DataValue(ua.LocalizedText("mine")))


async def test_a_historian_keeps_source_time_and_status_of_written_results(tmp_path: Any) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    settings = ServerSettings("127.0.0.1", 0, tmp_path / "server", "urn:test:server", URI, poll_s=0)
    historian = EmbeddedHistorian(plant.source, settings, authenticate, RealClock())
    plant.server = historian.server
    async with historian, plant.client("olga") as client:
        node = await plant.node(client, "Results/Score")
        for value in (0.5, 0.7):  # the second replaces the first: same source time
            status = ua.StatusCode(ua.UInt32(0x40000000))
            await node.write_value(ua.DataValue(ua.Variant(value, ua.VariantType.Double), status, START))
        shown = await node.read_data_value(raise_on_bad_status=False)
        assert (shown.Value.Value, shown.StatusCode.value, shown.SourceTimestamp) == (0.7, 0x40000000, START)
    stored, _ = plant.source.history("Results/Score", Span(0, 2**62), 10, 0)
    assert (stored.times.tolist(), stored.values.tolist()) == ([START_NS], [0.7])

"""What clients see of our OPC UA server over SignAndEncrypt."""

import asyncio
import stat
from pathlib import Path

import pytest
from asyncua import ua

from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.limits import SERVER_FOLDER_CHILDREN
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.serving import ServedVariable
from tests.connectors.opcua.served_plant import START, START_NS, URI, Plant, speed_history

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_client_browses_folders_by_level(plant: Plant) -> None:
    async with plant.client() as client:
        index = await client.get_namespace_index(URI)
        pump = await client.nodes.objects.get_child([f"{index}:Plant", f"{index}:P101"])
        names = {(await child.read_browse_name()).Name for child in await pump.get_children()}
        assert names == {"Speed", "Running", "State", "Message", "Feedback", "Off"}


async def test_a_number_tells_its_unit_range_and_description(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        assert await (await speed.get_child("0:EURange")).read_value() == ua.Range(0, 3000)
        assert (await (await speed.get_child("0:EngineeringUnits")).read_value()).DisplayName.Text == "rpm"
        assert (await speed.read_description()).Text == "Speed of the pump"
        assert (await speed.read_type_definition()).Identifier == ua.ObjectIds.AnalogUnitRangeType


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Speed", "Double"), ("State", "Int32"), ("Running", "Boolean"), ("Message", "String")],
)
async def test_each_variable_has_its_data_type(plant: Plant, name: str, kind: str) -> None:
    async with plant.client() as client:
        node = await plant.node(client, f"Plant/P101/{name}")
        assert await node.read_data_type() == ua.NodeId(getattr(ua.ObjectIds, kind))


async def test_a_variable_tells_how_it_is_made(plant: Plant) -> None:
    plant.source.add(ServedVariable("Plant/P103/Wear", "Plant/P103/Wear", definition="sum of the hours"), None)
    await plant.server.publish()
    async with plant.client() as client:
        wear = await plant.node(client, "Plant/P103/Wear")
        assert await (await wear.get_child("0:Definition")).read_value() == "sum of the hours"
        assert (await wear.read_type_definition()).Identifier == ua.ObjectIds.DataItemType
    plant.source.remove("Plant/P103/Wear")
    await plant.server.publish()


async def test_variables_say_that_their_history_can_be_read(plant: Plant) -> None:
    async with plant.client() as client:
        speed = await plant.node(client, "Plant/P101/Speed")
        assert ua.AccessLevel.HistoryRead in await speed.get_access_level()
        assert (await speed.read_attribute(ua.AttributeIds.Historizing)).Value.Value is True


async def test_the_newest_value_comes_with_its_source_time(plant: Plant) -> None:
    async with plant.client() as client:
        value = await (await plant.node(client, "Plant/P101/Speed")).read_data_value()
        assert value.Value.Value == 999.0
        assert (value.SourceTimestamp - START).total_seconds() == 999


async def test_a_variable_without_a_value_waits_for_initial_data(plant: Plant) -> None:
    async with plant.client() as client:
        value = await (await plant.node(client, "Plant/P101/Message")).read_data_value(raise_on_bad_status=False)
        assert value.StatusCode.value == ua.StatusCodes.BadWaitingForInitialData


async def test_a_subscription_gets_what_the_source_says(plant: Plant) -> None:
    seen: asyncio.Queue[object] = asyncio.Queue()

    class Sink:
        def datachange_notification(self, _node: object, value: object, _data: object) -> None:
            seen.put_nowait(value)

    async with plant.client() as client:
        state = await plant.node(client, "Plant/P101/State")
        plant.source.append([Sample("Plant/P101/State", START_NS, 3, 0)])
        await plant.server.publish()
        subscription = await client.create_subscription(50, Sink())
        await subscription.subscribe_data_change(state)
        assert await asyncio.wait_for(seen.get(), 10) == 3
        plant.source.append([Sample("Plant/P101/State", START_NS + 1_000, 4, 0)])
        await plant.server.publish()
        assert await asyncio.wait_for(seen.get(), 10) == 4
        await subscription.delete()


async def test_new_variables_appear_and_old_ones_go_without_a_restart(plant: Plant) -> None:
    new = ServedVariable("Plant/P102/Speed", "Plant/P102/Speed")
    plant.source.add(new, speed_history(5))
    await plant.server.publish()
    async with plant.client() as client:
        node = await plant.node(client, new.identifier)
        assert await node.read_value() == 4.0
        plant.source.remove(new.identifier)
        await plant.server.publish()
        with pytest.raises(ua.uaerrors.BadNodeIdUnknown):
            await node.read_value()


async def test_the_private_key_is_for_its_owner_only(plant: Plant) -> None:
    assert stat.S_IMODE(plant.server.certificate.key.stat().st_mode) == 0o600


async def test_no_folder_has_more_than_a_thousand_children(tmp_path: Path) -> None:
    many = [ServedVariable(f"All/V{number}", f"All/V{number}") for number in range(2_500)]
    plant = Plant(tmp_path, MemorySource(many))
    plant.trust(plant.own())
    async with plant.make_server(), plant.client() as client:
        index = await client.get_namespace_index(URI)
        folder, found = await client.nodes.objects.get_child(f"{index}:All"), 0
        while folder is not None:
            children = await folder.get_children_descriptions()
            assert len(children) <= SERVER_FOLDER_CHILDREN
            more = [child for child in children if child.BrowseName.Name == "more"]
            found += len(children) - len(more)
            folder = client.get_node(more[0].NodeId) if more else None
        assert found == 2_500

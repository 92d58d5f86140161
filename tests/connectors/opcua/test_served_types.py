"""Objects of a type of ours, as a client finds them; NodeIds and browse names outlive restarts and versions."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from asyncua import Client, Node, ua

from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.serving import ServedType, ServedTypes, ServedVariable
from tagsight_connectors.tag import DataType, Range
from tests.connectors.opcua.served_plant import URI, Plant

IDS = ua.ObjectIds
TYPES_URI = "urn:test:types"
SCORE = ServedVariable("Score", "Score", unit="%", eu_range=Range(0, 2), definition="a distance")
NOTE = ServedVariable("Note", "Note", DataType.TEXT)
TYPES = ServedTypes(
    TYPES_URI,
    "1.0.0",
    "2026-01-31",
    (ServedType("PumpType", "a pump", (SCORE, NOTE), frozenset({"Note"}), ("Lower",)),),
)
VARIABLES = (
    ServedVariable("P101/Health/Score", "P101/Health/Score", unit="%", eu_range=Range(0, 2), part_of="PumpType"),
    ServedVariable("P101/Health/Other", "P101/Health/Other", part_of="PumpType"),
    ServedVariable("P101/Health/Lower/flow", "P101/Health/Lower/flow"),
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


def plant_in(folder: Path) -> Plant:
    plant = Plant(folder, MemorySource(VARIABLES))
    plant.trust(plant.own())
    return plant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    plant = plant_in(tmp_path_factory.mktemp("plant"))
    async with plant.make_server(types=TYPES):
        yield plant


async def pump_of(client: Client) -> tuple[Node, int, int]:
    results, types = await client.get_namespace_index(URI), await client.get_namespace_index(TYPES_URI)
    return await client.nodes.objects.get_child([f"{results}:P101", f"{results}:Health"]), results, types


async def test_the_folder_of_its_variables_is_an_instance_of_the_type(plant: Plant) -> None:
    async with plant.client() as client:
        pump, _results, types = await pump_of(client)
        assert await pump.read_type_definition() == ua.NodeId("PumpType", types)
        parents = await client.get_node(ua.NodeId("PumpType", types)).get_references(
            IDS.HasSubtype, ua.BrowseDirection.Inverse
        )
        assert [one.NodeId for one in parents] == [ua.NodeId(IDS.BaseObjectType)]


async def test_parts_that_the_type_knows_have_its_browse_names(plant: Plant) -> None:
    async with plant.client() as client:
        pump, results, types = await pump_of(client)
        held = await pump.get_references(IDS.HasComponent, ua.BrowseDirection.Forward)
        names = {(one.BrowseName.Name, one.BrowseName.NamespaceIndex) for one in held}
        assert names == {("Score", types), ("Lower", types), ("Other", results)}
        score = await pump.get_child(f"{types}:Score")
        assert score.nodeid == ua.NodeId("P101/Health/Score", results)


async def test_the_type_declares_what_its_parts_are(plant: Plant) -> None:
    async with plant.client() as client:
        types = await client.get_namespace_index(TYPES_URI)
        score, note = (client.get_node(ua.NodeId(f"PumpType/{name}", types)) for name in ("Score", "Note"))
        assert await score.read_data_type() == ua.NodeId(IDS.Double)
        assert await score.read_type_definition() == ua.NodeId(IDS.AnalogUnitRangeType)
        assert await (await score.get_child("0:EURange")).read_value() == ua.Range(0, 2)
        assert (await (await score.get_child("0:EngineeringUnits")).read_value()).DisplayName.Text == "%"
        assert await (await score.get_child("0:Definition")).read_value() == "a distance"
        rules = [await node.get_referenced_nodes(IDS.HasModellingRule) for node in (score, note)]
        wanted = [IDS.ModellingRule_Mandatory, IDS.ModellingRule_Optional]
        assert [rule[0].nodeid.Identifier for rule in rules] == wanted


async def test_node_ids_and_browse_names_are_the_same_after_a_restart(plant: Plant, tmp_path: Path) -> None:
    async def names(of: Plant) -> dict[str, str]:
        async with of.client() as client:
            pump, *_ = await pump_of(client)
            return {str(one.nodeid): str(await one.read_browse_name()) for one in await pump.get_children()}

    again = plant_in(tmp_path)
    async with again.make_server(types=TYPES):
        assert await names(again) == await names(plant)


async def test_a_model_that_gets_more_outputs_keeps_the_nodes_that_it_had(plant: Plant) -> None:
    async with plant.client() as client:
        pump, results, types = await pump_of(client)
        before = {str(child.nodeid) for child in await pump.get_children()}
        plant.source.add(ServedVariable("P101/Health/Note", "P101/Health/Note", DataType.TEXT, part_of="PumpType"))
        await plant.server.publish()
        after = {str(child.nodeid) for child in await pump.get_children()}
        assert after - before == {str(ua.NodeId("P101/Health/Note", results))}
        assert before < after
        assert (await (await pump.get_child(f"{types}:Note")).read_browse_name()).NamespaceIndex == types

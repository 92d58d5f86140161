"""Every kind of value and of NodeId that node-opcua serves."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tagsight_connectors.errors import UnknownTag, Unsupported
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import BAD_TYPE_MISMATCH
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import DataType
from tests.interop.foreign import NODE_URI
from tests.interop.node_space import NodeSpace, node_space

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400), pytest.mark.asyncio(loop_scope="module")]

WHOLE = Span(1_700_000_000_000_000_000, 1_700_000_002_000_000_000)

NUMBERS = {
    "SByte": [-128.0, 127.0],
    "Byte": [0.0, 255.0],
    "Int16": [-32768.0, 32767.0],
    "UInt16": [0.0, 65535.0],
    "Int32": [-2147483648.0, 2147483647.0],
    "UInt32": [0.0, 4294967295.0],
    "Int64": [-(2.0**53), 2.0**53],
    "UInt64": [0.0, 2.0**63],
    "Float": [-1.5, 0.25],
    "Double": [1e-300, 1e300],
    "Boolean": [0.0, 1.0],
}
STATES = {
    "Mode": (["Manual", "Cascade"], "states: Manual, Auto, Cascade"),  # EnumValues, or the type's definition
    "Step": (["Drain", "9"], "states: Idle, Fill, Drain"),  # EnumStrings, and a number that has no name
    "Valve": (["Open", "Closed"], "states: Closed, Open"),  # MultiStateDiscreteType
    "Fan": (["On", "Off"], "states: Off, On"),  # MultiStateValueDiscreteType
}


@pytest.fixture(scope="module")
def space(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeSpace]:
    with node_space(node_modules, tmp_path_factory.mktemp("types"), "types") as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def historian(space: NodeSpace) -> AsyncIterator[OpcUaHistorian]:
    historian = open_opcua(space.connection)
    await historian.connect()
    yield historian
    await historian.close()


async def values(historian: OpcUaHistorian, *addresses: str) -> list[list[float | str]]:
    history = await read_history(historian, addresses, WHOLE)
    return [history.tags[address].values.tolist() for address in addresses]


def address(name: str) -> str:
    return f"nsu={NODE_URI};s={name}"


async def test_every_number_is_read_with_its_smallest_and_largest_value(historian: OpcUaHistorian) -> None:
    assert await values(historian, *map(address, NUMBERS)) == list(NUMBERS.values())
    current = await historian.read_current([address("Int64"), address("UInt64"), address("Boolean")])
    assert [sample.value for sample in current] == [2**53, 2**63, True]


async def test_texts_are_states_in_whatever_type_they_come(historian: OpcUaHistorian) -> None:
    expected = [["stopped", "running"], ["aus", "an"]]
    assert await values(historian, address("String"), address("LocalizedText")) == expected


@pytest.mark.parametrize("name", STATES)
async def test_states_are_read_by_their_names(historian: OpcUaHistorian, name: str) -> None:
    expected, listed = STATES[name]
    (tag,) = [tag async for tag in historian.browse(f"Plant/{name}")]
    assert (tag.data_type, tag.description) == (DataType.TEXT, listed)
    assert (await values(historian, tag.address))[0][:2] == expected
    (current,) = await historian.read_current([tag.address])
    assert current.value == expected[-1] or name == "Fan"


async def test_the_number_of_a_state_is_read_where_it_is_asked_for(historian: OpcUaHistorian) -> None:
    (tag,) = [tag async for tag in historian.browse("as=number;ns=2;s=Mode")]
    assert (tag.path, tag.data_type) == ("Plant/Mode", DataType.NUMBER)
    assert await values(historian, tag.address) == [[0.0, 5.0]]
    assert (await historian.read_current([tag.address]))[0].value == 5


async def test_elements_of_arrays_are_found_by_path_and_read_by_index(historian: OpcUaHistorian) -> None:
    elements = [tag async for tag in historian.browse("Plant/Temps[*]")]
    assert [(tag.path, tag.data_type) for tag in elements] == [
        (f"Plant/Temps[{index}]", DataType.NUMBER) for index in range(3)
    ]
    assert [tag.address async for tag in historian.browse("Plant/Temps[2]")] == [elements[2].address]
    assert await values(historian, *(tag.address for tag in elements)) == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert await values(historian, f"index=2;{address('Names')}") == [["c", "f"]]
    assert [each.value for each in await historian.read_current([tag.address for tag in elements])] == [4.0, 5.0, 6.0]


async def test_a_node_whose_name_ends_like_an_element_is_itself(historian: OpcUaHistorian) -> None:
    tags = [tag.address async for tag in historian.browse("Plant/Flows[1]")]
    assert tags == [address("Flows[1]")]
    assert await values(historian, *tags) == [[7.0, 8.0]]


async def test_an_element_that_is_not_there_is_an_unknown_tag(historian: OpcUaHistorian) -> None:
    with pytest.raises(UnknownTag) as unknown:
        await values(historian, f"index=3;{address('Temps')}")
    assert "3 elements" in unknown.value.mend
    assert [tag async for tag in historian.browse(f"index=3;{address('Temps')}")] == []
    with pytest.raises(Unsupported, match="no array"):
        await values(historian, f"index=0;{address('Double')}")


@pytest.mark.parametrize(
    ("name", "kind"), [("DateTime", "DateTime"), ("Guid", "Guid"), ("ByteString", "ByteString"), ("Temps", "arrays")]
)
async def test_what_is_neither_number_nor_text_is_refused_by_name(
    historian: OpcUaHistorian, name: str, kind: str
) -> None:
    assert [tag.data_type async for tag in historian.browse(f"Plant/{name}")] == [DataType.OTHER]
    with pytest.raises(Unsupported, match=kind):
        await values(historian, address(name))
    (current,) = await historian.read_current([address(name)])
    assert (current.value, current.status) == (None, BAD_TYPE_MISMATCH)


@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("Numeric", "i=4711"),
        ("Strange", "s=a;b=c / d[3]"),
        ("Guid2", "g=72962b91-fa75-4ae6-8d28-b404dc7daf63"),
        ("Opaque", "b=AQID/w=="),
    ],
    ids=["numeric", "text", "guid", "opaque"],
)
async def test_nodes_of_every_kind_have_an_address_that_is_browsed_and_read(
    historian: OpcUaHistorian, name: str, identifier: str
) -> None:
    (by_path,) = [tag.address async for tag in historian.browse(f"Plant/{name}")]
    assert by_path == f"nsu={NODE_URI};{identifier}"
    assert [tag.path async for tag in historian.browse(f"ns=2;{identifier}")] == [f"Plant/{name}"]
    assert await values(historian, by_path) == [[1.0, 2.0]]


async def test_a_circle_of_folders_ends(historian: OpcUaHistorian) -> None:
    paths = [tag.path async for tag in historian.browse("**/Double")]
    assert paths == ["Plant/Double"]

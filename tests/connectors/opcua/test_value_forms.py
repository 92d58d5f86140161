"""States by name and elements of arrays, from a server that knows no index ranges (asyncua's)."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from asyncua import Server, ua
from asyncua.ua.ua_binary import struct_to_binary
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.aggregates import Aggregate, Computer
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.opcua.enumerations import names_of
from tagsight_connectors.opcua.variants import Structure
from tagsight_connectors.quality import BAD_NO_DATA
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import DataType
from tests.connectors.opcua.plant_server import SECOND, START_NS, URI, data_value, free_port, plain

STATE, TEMPS = f"nsu={URI};s=State", f"nsu={URI};s=Temps"
WHOLE = Span(START_NS, START_NS + 10 * SECOND)
TIMES = [START_NS + at * SECOND for at in range(3)]


@pytest_asyncio.fixture
async def historian(tmp_path: Path) -> AsyncIterator[OpcUaHistorian]:
    server, port = Server(), free_port()
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    server.set_identity_tokens([ua.AnonymousIdentityToken])
    index = await server.register_namespace(URI)
    history = server.iserver.history_manager.storage
    state_type = ua.NodeId(ua.ObjectIds.ServerState)
    for name, variant, values, kind in (
        ("State", ua.Variant(1, ua.VariantType.Int32), [0, 5, 99], state_type),
        ("Temps", ua.Variant([1.0, 2.0], ua.VariantType.Double), [[1.0, 2.0], [3.0], [5.0, 6.0, 7.0]], None),
    ):
        node = await server.nodes.objects.add_variable(
            ua.NodeId(name, index), ua.QualifiedName(name, index), variant, datatype=kind
        )
        for attribute in (ua.AttributeIds.AccessLevel, ua.AttributeIds.UserAccessLevel):
            await node.set_attr_bit(attribute, ua.AccessLevel.HistoryRead)
        await history.new_historized_node(node.nodeid, None)
        for at, value in enumerate(values):
            stored = data_value(at, value)
            stored.Value = ua.Variant(value, variant.VariantType)
            await history.save_node_value(node.nodeid, stored)
    async with server:
        historian = open_opcua(plain(port, tmp_path))
        await historian.connect()
        yield historian
        await historian.close()


async def test_states_and_elements_are_read_where_the_server_helps_with_neither(historian: OpcUaHistorian) -> None:
    (tag,) = [tag async for tag in historian.browse("State")]
    assert tag.data_type is DataType.TEXT
    first, second, third = f"index=0;{TEMPS}", f"index=1;{TEMPS}", f"as=number;{STATE}"
    history = (await read_history(historian, [STATE, first, second, third], WHOLE)).tags
    assert history[STATE].values.tolist() == ["Running", "Test", "99"]
    assert history[third].values.tolist() == [0.0, 5.0, 99.0]
    assert history[first].values.tolist() == [1.0, 3.0, 5.0]
    assert np.array_equal(history[second].values, [2.0, np.nan, 6.0], equal_nan=True)
    assert history[second].status.tolist() == [0, BAD_NO_DATA, 0]
    assert history[first].times.tolist() == TIMES


async def test_aggregates_of_an_element_are_computed_here_and_of_a_state_not_at_all(historian: OpcUaHistorian) -> None:
    first = f"index=0;{TEMPS}"
    found = await historian.read_processed([first], WHOLE, Aggregate.AVERAGE, 10 * SECOND)
    assert (found.tags[first].values.tolist(), found.computed_by[first]) == ([3.0], Computer.TAGSIGHT)
    with pytest.raises(Unsupported, match="State"):
        await historian.read_processed([STATE], WHOLE, Aggregate.AVERAGE, SECOND)


def structure(value: object, encoding: int) -> Structure:
    return Structure(ua.NodeId(encoding), bytes(struct_to_binary(value)))


@given(st.dictionaries(st.integers(-(2**63), 2**63 - 1), st.text(min_size=1), max_size=10))
def test_names_are_those_of_the_values_and_of_the_definition(names: dict[int, str]) -> None:
    values = [
        structure(ua.EnumValueType(Value=number, DisplayName=ua.LocalizedText(name)), 8251)
        for number, name in names.items()
    ]
    assert names_of(values) == names
    fields = [
        ua.EnumField(Value=number, DisplayName=ua.LocalizedText(name), Name="x") for number, name in names.items()
    ]
    assert names_of(structure(ua.EnumDefinition(Fields=fields), 123)) == names


@given(st.binary(max_size=60))
def test_no_bytes_raise(body: bytes) -> None:
    assert isinstance(names_of(Structure(ua.NodeId(123), body)), dict)
    assert isinstance(names_of([Structure(ua.NodeId(8251), body)]), dict)


def test_positions_without_a_name_are_left_out() -> None:
    assert names_of(["Closed", None, "Open", ""]) == {0: "Closed", 2: "Open"}
    assert names_of(7) == {}

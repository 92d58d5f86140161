"""The names of states: of enumerations (by their data type) and of multi-state items (by their own properties).

EnumValues and EnumStrings are properties of the variable (OPC 10000-8, 5.3.3) or of its data type (OPC 10000-3, 8.40);
newer servers have them in the attribute DataTypeDefinition of the type.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.service import Service, batches
from tagsight_connectors.opcua.variants import Structure
from tagsight_connectors.opcua.wire import WireReader

Names = Mapping[int, str]
"""Number of a state -> its name."""

EMPTY: Final[Names] = {}

PROPERTIES: Final = ("EnumValues", "EnumStrings")
"""In the order in which they are believed: the numbers of EnumStrings are only positions."""

PROPERTIES_PER_NODE: Final = 100

LEAST_FIELD: Final = 14
"""Bytes of the smallest EnumField: its value, two texts, a name."""

_VALUE: Final = int(ua.ObjectIds.EnumValueType_Encoding_DefaultBinary)
_DEFINITION: Final = int(ua.ObjectIds.EnumDefinition_Encoding_DefaultBinary)


def names_of(value: Any) -> Names:
    """The names in a value of EnumStrings, EnumValues or DataTypeDefinition; none in anything else."""
    try:
        if isinstance(value, Structure):
            return _of_definition(value)
        if not isinstance(value, list):
            return EMPTY
        if value and all(isinstance(each, Structure) for each in value):
            return dict(map(_of_value, value))
        return {number: name for number, name in enumerate(value) if isinstance(name, str) and name}
    except MalformedData:  # without names it is still a number
        return EMPTY


def _of_value(value: Structure) -> tuple[int, str]:
    if value.type_id != ua.NodeId(_VALUE):
        raise MalformedData("EnumValues", f"an element of type {value.type_id.to_string()}")
    reader = WireReader(value.body, where="EnumValues")
    number = reader.int64()
    return number, reader.localized_text() or str(number)


def _of_definition(value: Structure) -> Names:
    if value.type_id != ua.NodeId(_DEFINITION):  # of a structure
        return EMPTY
    reader = WireReader(value.body, where="DataTypeDefinition")
    names: dict[int, str] = {}
    for _ in range(reader.array_length(LEAST_FIELD)):
        number, shown, _description, name = (
            reader.int64(),
            reader.localized_text(),
            reader.localized_text(),
            reader.string(),
        )
        names[number] = shown or name or str(number)
    return names


@dataclass
class Enumerations:
    """What the states of one server are called; kept for the session.

    Attributes:
        service: the session.
        types: data types of the server.
    """

    service: Service
    types: DataTypes
    _of_types: dict[ua.NodeId, Names] = field(default_factory=dict)

    async def of_type(self, data_type: ua.NodeId) -> Names:
        """Names of an enumeration's states; none for any other data type."""
        if not await self.types.is_enumeration(data_type):
            return EMPTY
        if data_type not in self._of_types:
            properties = (await self.properties([data_type]))[0]
            found = (await self.of_properties([properties]))[0]
            if not found:
                found = names_of((await self.service.read([(data_type, ua.AttributeIds.DataTypeDefinition)]))[0][0])
            self._of_types[data_type] = found
        return self._of_types[data_type]

    async def of_properties(self, properties: Sequence[Mapping[str, ua.NodeId]]) -> list[Names]:
        """Names by the properties of each node (name -> NodeId)."""
        chosen = [next((each[name] for name in PROPERTIES if name in each), None) for each in properties]
        nodes = [node for node in chosen if node is not None]
        values = iter(await self.service.read([(node, ua.AttributeIds.Value) for node in nodes]))
        return [EMPTY if node is None else names_of(next(values)[0]) for node in chosen]

    async def properties(self, nodes: Sequence[ua.NodeId]) -> list[dict[str, ua.NodeId]]:
        """Those properties of each node that name states."""
        found: list[dict[str, ua.NodeId]] = []
        for part in batches(nodes, self.service.size.browse_nodes):
            results = await self.service.browse([_properties(node) for node in part], PROPERTIES_PER_NODE)
            if len(results) != len(part):
                raise MalformedData("Browse answer", f"{len(results)} results for {len(part)} nodes")
            for result in results:
                references = (result.References or []) if not int(result.StatusCode.value) >> 31 else []
                found.append(
                    {one.BrowseName.Name: one.NodeId for one in references if one.BrowseName.Name in PROPERTIES}
                )
                if result.ContinuationPoint:
                    await self.service.browse_next([result.ContinuationPoint], release=True)
        return found


def _properties(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasProperty),
        IncludeSubtypes=True,
        NodeClassMask=0,
        ResultMask=ua.BrowseResultMask.All,
    )

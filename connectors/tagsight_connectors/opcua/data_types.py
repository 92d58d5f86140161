"""From the DataType attribute of a node to the built-in type below it, and to what TagSight makes of that."""

from typing import Final

from asyncua import ua

from tagsight_connectors.opcua.service import Service
from tagsight_connectors.tag import DataType

DEEPEST_TYPE: Final = 16

ABSTRACT: Final = {26: 11, 27: 8, 28: 9, 29: 6}
"""Number, Integer, UInteger, Enumeration: what is written to them."""

ENUMERATION: Final = 29

KNOWN: Final = frozenset(range(1, 26)) | set(ABSTRACT)


def kind_of(built_in: int) -> DataType:
    """What TagSight makes of a built-in type."""
    if built_in == 1:
        return DataType.BOOLEAN
    if 2 <= built_in <= 11:
        return DataType.NUMBER
    return DataType.TEXT if built_in in {12, 21} else DataType.OTHER


class DataTypes:
    """Built-in types of the data types of one server, learned by walking up HasSubtype; kept for the session."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._known: dict[ua.NodeId, int] = {}

    async def built_in(self, data_type: ua.NodeId) -> int:
        """Number of the built-in type (1 Boolean ... 25); 0 if it cannot be told."""
        number = await self._standard(data_type)
        return ABSTRACT.get(number, number)

    async def is_enumeration(self, data_type: ua.NodeId) -> bool:
        """Its values are numbers of states."""
        return await self._standard(data_type) == ENUMERATION

    async def _standard(self, data_type: ua.NodeId) -> int:
        if data_type not in self._known:
            self._known[data_type] = await self._walk(data_type)
        return self._known[data_type]

    async def _walk(self, data_type: ua.NodeId) -> int:
        current = data_type
        for _ in range(DEEPEST_TYPE):
            if current.NamespaceIndex == 0 and current.Identifier in KNOWN:
                return int(current.Identifier)
            results = await self._service.browse([_supertype(current)], 1)
            references = (results[0].References or []) if results else []
            if not references:
                return 0
            current = references[0].NodeId
        return 0


def _supertype(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Inverse,
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HasSubtype),
        IncludeSubtypes=True,
        NodeClassMask=0,
        ResultMask=0,
    )

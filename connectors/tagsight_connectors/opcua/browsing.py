"""The tags of a server: every variable below Objects, by hierarchical references, without the server's own node.

Breadth first, so that a variable that can be reached on several ways has its shortest path; each node is visited once,
so that circles end. Properties are not tags: `EURange` and `EngineeringUnits` become part of their variable.
"""

import struct
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import LimitExceeded, MalformedData
from tagsight_connectors.opcua.data_types import DataTypes, kind_of
from tagsight_connectors.opcua.error_mapping import TooLarge, status_error
from tagsight_connectors.opcua.service import Reading, Service, batches
from tagsight_connectors.opcua.variants import Structure
from tagsight_connectors.opcua.wire import WireReader
from tagsight_connectors.patterns import matches
from tagsight_connectors.tag import Access, DataType, Range, Tag

MOST_NODES: Final = 500_000
"""Nodes below Objects that are looked at."""

DEEPEST_FOLDER: Final = 40

REFERENCES_PER_ANSWER: Final = 5_000

TAGS_PER_READ: Final = 100

SERVER: Final = ua.NodeId(ua.ObjectIds.Server)
OBJECTS: Final = ua.NodeId(ua.ObjectIds.ObjectsFolder)

ATTRIBUTES: Final = (
    ua.AttributeIds.DataType,
    ua.AttributeIds.ValueRank,
    ua.AttributeIds.UserAccessLevel,
    ua.AttributeIds.Historizing,
    ua.AttributeIds.Description,
)

_ACCESS_BITS: Final = (
    (0x01, Access.READ),
    (0x02, Access.WRITE),
    (0x04, Access.READ_HISTORY),
    (0x08, Access.WRITE_HISTORY),
    (0x20, Access.WRITE_STATUS),
    (0x40, Access.WRITE_TIME),
)

_RANGE: Final = struct.Struct("<dd")


@dataclass
class _Node:
    node: ua.NodeId
    path: tuple[str, ...]
    variable: bool = False
    eu_range: ua.NodeId | None = None
    unit: ua.NodeId | None = None


@dataclass
class Browser:
    """Walks the address space of one session."""

    service: Service
    types: DataTypes
    _seen: set[ua.NodeId] = field(default_factory=set)

    async def browse(self, pattern: str) -> AsyncGenerator[Tag, None]:
        """Tags that match, in the order of the walk."""
        namespaces = self.service.namespaces
        variables = [
            each
            for each in await self._walk()
            if matches(pattern, Tag(namespaces.address(each.node), "/".join(each.path)))
        ]
        for part in batches(variables, TAGS_PER_READ):
            for tag in await self._tags(part):
                yield tag

    async def _walk(self) -> list[_Node]:
        """All variables; memory is bounded by `MOST_NODES`."""
        self._seen = {OBJECTS, SERVER}
        variables: list[_Node] = []
        level = [_Node(OBJECTS, ())]
        for _ in range(DEEPEST_FOLDER):
            found: list[_Node] = []
            for part in batches(level, self.service.size.browse_nodes):
                found += await self._children(part)
            variables += [each for each in found if each.variable]
            if not found:
                return variables
            level = found
        raise LimitExceeded("levels of folders below Objects", DEEPEST_FOLDER, DEEPEST_FOLDER + 1)

    async def _children(self, parents: Sequence[_Node]) -> list[_Node]:
        try:
            results = await self.service.browse([_forward(each.node) for each in parents], REFERENCES_PER_ANSWER)
        except TooLarge:
            if len(parents) == 1 or not self.service.size.halve("browse_nodes"):
                raise
            middle = len(parents) // 2
            return [*await self._children(parents[:middle]), *await self._children(parents[middle:])]
        if len(results) != len(parents):
            raise MalformedData("Browse answer", f"{len(results)} results for {len(parents)} nodes")
        found: list[_Node] = []
        for parent, result in zip(parents, results, strict=True):
            async for reference in self._references(parent, result):
                found += self._follow(parent, reference)
        return found

    async def _references(self, parent: _Node, result: Any) -> AsyncIterator[Any]:
        """The references of one node, over all its continuation points."""
        count = 0
        while True:
            status = int(result.StatusCode.value)
            if status >> 31:
                raise status_error(status, url=self.service.url, what=f"browse of {'/'.join(parent.path) or 'Objects'}")
            for reference in result.References or []:
                count += 1
                yield reference
            if not result.ContinuationPoint:
                return
            if not result.References or count > MOST_NODES:
                await self.service.browse_next([result.ContinuationPoint], release=True)
                raise LimitExceeded(
                    limit=f"references of {'/'.join(parent.path) or 'Objects'}", allowed=MOST_NODES, found=count
                )
            result = (await self.service.browse_next([result.ContinuationPoint]))[0]

    def _follow(self, parent: _Node, reference: Any) -> list[_Node]:
        node, name = _local(reference.NodeId), reference.BrowseName.Name or ""
        if _is_property(reference.TypeDefinition):
            self._note_property(parent, name, node)
            return []
        if node is None or node in self._seen:
            return []
        self._seen.add(node)
        if len(self._seen) > MOST_NODES:
            raise LimitExceeded("nodes below Objects", MOST_NODES, len(self._seen))
        return [_Node(node, (*parent.path, name), reference.NodeClass == ua.NodeClass.Variable)]

    @staticmethod
    def _note_property(parent: _Node, name: str, node: ua.NodeId | None) -> None:
        if name == "EURange":
            parent.eu_range = node
        elif name == "EngineeringUnits":
            parent.unit = node

    async def _tags(self, variables: Sequence[_Node]) -> list[Tag]:
        items = [(each.node, attribute) for each in variables for attribute in ATTRIBUTES]
        readings = await self.service.read(items)
        properties = [node for each in variables for node in (each.eu_range, each.unit) if node is not None]
        values = await self.service.read([(node, ua.AttributeIds.Value) for node in properties])
        known = dict(zip(properties, values, strict=True))
        await self.types.built_in_all(
            reading[0] for reading in readings[:: len(ATTRIBUTES)] if isinstance(reading[0], ua.NodeId)
        )
        rows = batches(readings, len(ATTRIBUTES))
        return [await self._tag(each, row, known) for each, row in zip(variables, rows, strict=True)]

    async def _tag(self, node: _Node, row: Sequence[Reading], known: dict[ua.NodeId, Reading]) -> Tag:
        data_type, rank, access, historizing, description = (value for value, _, _ in row)
        kind = DataType.OTHER
        if isinstance(data_type, ua.NodeId) and not (isinstance(rank, int) and rank >= 0):
            kind = kind_of(await self.types.built_in(data_type))
        return Tag(
            address=self.service.namespaces.address(node.node),
            path="/".join(node.path),
            data_type=kind,
            unit=unit_of(known[node.unit][0]) if node.unit is not None else "",
            eu_range=range_of(known[node.eu_range][0]) if node.eu_range is not None else None,
            description=description if isinstance(description, str) else "",
            historizing=historizing is True,
            access=access_of(access),
        )


def access_of(level: Any) -> Access:
    """Rights of a UserAccessLevel byte."""
    if not isinstance(level, int):
        return Access.NONE
    return Access(sum(right.value for bit, right in _ACCESS_BITS if level & bit))


def range_of(value: Any) -> Range | None:
    """A Range structure; None for anything else, and for a range without extent."""
    if not isinstance(value, Structure) or len(value.body) < _RANGE.size:
        return None
    low, high = _RANGE.unpack_from(value.body)
    return Range(low, high) if low < high else None


def unit_of(value: Any) -> str:
    """The display name of an EUInformation structure; "" for anything else."""
    if not isinstance(value, Structure):
        return ""
    reader = WireReader(value.body, where="EngineeringUnits")
    try:
        reader.string()
        reader.int32()
        return reader.localized_text() or ""
    except MalformedData:  # a unit is an ornament: without it the tag is still a tag
        return ""


def _forward(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
        IncludeSubtypes=True,
        NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
        ResultMask=ua.BrowseResultMask.All,
    )


def _local(node: Any) -> ua.NodeId | None:
    """An ExpandedNodeId as a NodeId; None for a node of another server."""
    if getattr(node, "ServerIndex", 0):
        return None
    return ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)


def _is_property(type_definition: Any) -> bool:
    return type_definition.NamespaceIndex == 0 and type_definition.Identifier == ua.ObjectIds.PropertyType

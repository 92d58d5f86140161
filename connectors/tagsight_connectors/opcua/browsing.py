"""The tags of a server: every variable below Objects, by hierarchical references, without the server's own node.

Breadth first, so that a variable that can be reached on several ways has its shortest path; each node is visited once,
so that circles end; folders that the pattern cannot mean are left out. An address needs no walk: the way up from its
node to Objects tells its path. Properties are not tags: `EURange` and `EngineeringUnits` become part of their variable.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import HistorianError, LimitExceeded, MalformedData, NotConnected, UnknownTag
from tagsight_connectors.opcua.enumerations import Enumerations
from tagsight_connectors.opcua.error_mapping import TooLarge, status_error
from tagsight_connectors.opcua.selection import element_asked, selection_of
from tagsight_connectors.opcua.service import Service, batches
from tagsight_connectors.opcua.tag_facts import Found, TagFacts
from tagsight_connectors.patterns import matches, may_lead_to
from tagsight_connectors.tag import Tag

MOST_NODES: Final = 500_000
"""Nodes below Objects that are looked at."""

DEEPEST_FOLDER: Final = 40

REFERENCES_PER_ANSWER: Final = 5_000

TAGS_PER_READ: Final = 100

NODES_UPWARD: Final = 1_000
"""Nodes on all ways from a variable up to Objects."""

SERVER: Final = ua.NodeId(ua.ObjectIds.Server)
OBJECTS: Final = ua.NodeId(ua.ObjectIds.ObjectsFolder)

_HAS_PROPERTY: Final = ua.NodeId(ua.ObjectIds.HasProperty)
_ADDRESSES: Final = ("nsu=", "i=", "s=", "g=", "b=")


@dataclass
class Browser:
    """Walks the address space of one session."""

    service: Service
    enumerations: Enumerations
    _seen: set[ua.NodeId] = field(default_factory=set)
    _wanted: Callable[[Sequence[str]], bool] = field(default=lambda _path: True)

    async def browse(self, pattern: str) -> AsyncGenerator[Tag, None]:
        """Tags that match, in the order of the walk."""
        facts = TagFacts(self.service, self.enumerations)
        selection = selection_of(pattern)
        if selection.node.startswith(_ADDRESSES):
            variable = await self._by_address(selection.node)
            for tag in await facts.selected(variable, selection) if variable else ():
                yield tag
            if variable or selection.prefix:
                return
        async for tag in self._by_pattern(pattern, facts):
            yield tag

    async def _by_pattern(self, pattern: str, facts: TagFacts) -> AsyncIterator[Tag]:
        element = element_asked(pattern)
        patterns = (pattern, element[0]) if element else (pattern,)
        walked = await self._walk(patterns)
        variables = self._matching(pattern, walked)
        for part in batches(variables, TAGS_PER_READ):
            for tag in await facts.tags(part):
                yield tag
        if element:
            named = {"/".join(each.path) for each in variables}
            for tag in await facts.elements(self._matching(element[0], walked), element[1]):
                if tag.path not in named:
                    yield tag

    def _matching(self, pattern: str, variables: Sequence[Found]) -> list[Found]:
        address = self.service.namespaces.address
        return [each for each in variables if matches(pattern, Tag(address(each.node), "/".join(each.path)))]

    async def _by_address(self, address: str) -> Found | None:
        """The variable with this address; None where the way up does not tell its path."""
        try:
            node = self.service.namespaces.node(address)
            (name, status, _), (node_class, _, _) = await self.service.read(
                [(node, ua.AttributeIds.BrowseName), (node, ua.AttributeIds.NodeClass)]
            )
            if status >> 31 or node_class != int(ua.NodeClass.Variable) or not isinstance(name, str):
                return None
            path = await self._way_up(node, name)
        except NotConnected:
            raise
        except (UnknownTag, HistorianError):  # a server that does not browse upward is walked
            return None
        if path is None:
            return None
        found = Found(node, path, variable=True)
        await self._children([found])
        return found

    async def _way_up(self, node: ua.NodeId, name: str) -> tuple[str, ...] | None:
        """The shortest path from Objects; None for what does not lie below it, and for properties."""
        level: dict[ua.NodeId, tuple[str, ...]] = {node: (name,)}
        seen = {node, SERVER}
        for _ in range(DEEPEST_FOLDER):
            above: dict[ua.NodeId, tuple[str, ...]] = {}
            for part in batches(list(level), self.service.size.browse_nodes):
                results = await self.service.browse([_inverse(each) for each in part], REFERENCES_PER_ANSWER)
                for child, result in zip(part, results, strict=True):
                    async for reference in self._references(Found(child, level[child]), result):
                        parent = _local(reference.NodeId)
                        if reference.ReferenceTypeId == _HAS_PROPERTY or parent is None or parent in seen:
                            continue
                        if parent == OBJECTS:
                            return level[child]
                        seen.add(parent)
                        above[parent] = (reference.BrowseName.Name or "", *level[child])
            if not above or len(seen) > NODES_UPWARD:
                return None
            level = above
        return None

    async def _walk(self, patterns: Sequence[str]) -> list[Found]:
        """All variables that may match; memory is bounded by `MOST_NODES`."""
        self._seen = {OBJECTS, SERVER}
        self._wanted = lambda path: any(may_lead_to(pattern, path) for pattern in patterns)
        variables: list[Found] = []
        level = [Found(OBJECTS, ())]
        for _ in range(DEEPEST_FOLDER):
            found: list[Found] = []
            for part in batches(level, self.service.size.browse_nodes):
                found += await self._children(part)
            variables += [each for each in found if each.variable]
            if not found:
                return variables
            level = found
        raise LimitExceeded("levels of folders below Objects", DEEPEST_FOLDER, DEEPEST_FOLDER + 1)

    async def _children(self, parents: Sequence[Found]) -> list[Found]:
        try:
            results = await self.service.browse([_forward(each.node) for each in parents], REFERENCES_PER_ANSWER)
        except TooLarge:
            if len(parents) == 1 or not self.service.size.halve("browse_nodes"):
                raise
            middle = len(parents) // 2
            return [*await self._children(parents[:middle]), *await self._children(parents[middle:])]
        if len(results) != len(parents):
            raise MalformedData("Browse answer", f"{len(results)} results for {len(parents)} nodes")
        found: list[Found] = []
        for parent, result in zip(parents, results, strict=True):
            async for reference in self._references(parent, result):
                found += self._follow(parent, reference)
        return found

    async def _references(self, parent: Found, result: Any) -> AsyncIterator[Any]:
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

    def _follow(self, parent: Found, reference: Any) -> list[Found]:
        node, name = _local(reference.NodeId), reference.BrowseName.Name or ""
        if _is_property(reference.TypeDefinition):
            parent.note_property(name, node)
            return []
        path = (*parent.path, name)
        if node is None or node in self._seen or not self._wanted(path):
            return []
        self._seen.add(node)
        if len(self._seen) > MOST_NODES:
            raise LimitExceeded("nodes below Objects", MOST_NODES, len(self._seen))
        return [Found(node, path, variable=reference.NodeClass == ua.NodeClass.Variable)]


def _forward(node: ua.NodeId) -> ua.BrowseDescription:
    return ua.BrowseDescription(
        NodeId=node,
        BrowseDirection=ua.BrowseDirection.Forward,
        ReferenceTypeId=ua.NodeId(ua.ObjectIds.HierarchicalReferences),
        IncludeSubtypes=True,
        NodeClassMask=ua.NodeClass.Object | ua.NodeClass.Variable,
        ResultMask=ua.BrowseResultMask.All,
    )


def _inverse(node: ua.NodeId) -> ua.BrowseDescription:
    description = _forward(node)
    description.BrowseDirection = ua.BrowseDirection.Inverse
    return description


def _local(node: Any) -> ua.NodeId | None:
    """An ExpandedNodeId as a NodeId; None for a node of another server."""
    if getattr(node, "ServerIndex", 0):
        return None
    return ua.NodeId(node.Identifier, node.NamespaceIndex, node.NodeIdType)


def _is_property(type_definition: Any) -> bool:
    return type_definition.NamespaceIndex == 0 and type_definition.Identifier == ua.ObjectIds.PropertyType

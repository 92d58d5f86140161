"""From the variables that a walk found to tags: data type, rights, unit, range, states, elements of arrays."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import MalformedData
from tagsight_connectors.opcua.data_types import kind_of
from tagsight_connectors.opcua.enumerations import PROPERTIES, Enumerations, Names
from tagsight_connectors.opcua.selection import Selection
from tagsight_connectors.opcua.service import Reading, Service, batches
from tagsight_connectors.opcua.variants import Structure
from tagsight_connectors.opcua.wire import WireReader
from tagsight_connectors.tag import Access, DataType, Range, Tag

MOST_ELEMENTS: Final = 1_000
"""Elements of one array that are listed."""

NAMED_STATES: Final = 20
"""States that a description lists."""

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


@dataclass(slots=True)
class Found:
    """A node that a walk came to.

    Attributes:
        node: its NodeId.
        path: names of its levels below Objects.
        variable: it has a value; otherwise it is a folder or an object.
        properties: those of its properties that say something about the tag, by name.
    """

    node: ua.NodeId
    path: tuple[str, ...]
    variable: bool = False
    properties: dict[str, ua.NodeId] | None = None

    def note_property(self, name: str, node: ua.NodeId | None) -> None:
        """Keep it if it says something about the tag."""
        if node is not None and (name in {"EURange", "EngineeringUnits"} or name in PROPERTIES):
            self.properties = {**(self.properties or {}), name: node}


@dataclass(frozen=True, slots=True)
class TagFacts:
    """Asks what is known of variables.

    Attributes:
        service: the session.
        enumerations: names of states.
    """

    service: Service
    enumerations: Enumerations

    async def tags(self, variables: Sequence[Found], selection: Selection | None = None) -> list[Tag]:
        """One tag for each variable; `selection`: of the address that was asked for, for all of them."""
        readings = await self.service.read([(each.node, attribute) for each in variables for attribute in ATTRIBUTES])
        shown = [[(each.properties or {}).get(name) for name in ("EURange", "EngineeringUnits")] for each in variables]
        nodes = [node for pair in shown for node in pair if node is not None]
        values = await self.service.read([(node, ua.AttributeIds.Value) for node in nodes])
        known = dict(zip(nodes, values, strict=True))
        states = await self.enumerations.of_properties([each.properties or {} for each in variables])
        rows = batches(readings, len(ATTRIBUTES))
        asked = selection or Selection("")
        return [
            await self._tag(each, row, [known.get(node, _NO_READING) for node in pair], names, asked)
            for each, row, pair, names in zip(variables, rows, shown, states, strict=True)
        ]

    async def selected(self, variable: Found, selection: Selection) -> list[Tag]:
        """What an address asks for of its variable; nothing where that has no such element."""
        if selection.index is None:
            return await self.tags([variable], selection)
        return await self.elements([variable], selection.index)

    async def elements(self, variables: Sequence[Found], index: int | None) -> list[Tag]:
        """The elements of arrays (that one, or all) as tags; nothing for what is no array."""
        found: list[Tag] = []
        values = await self.service.read([(each.node, ua.AttributeIds.Value) for each in variables])
        for each, (value, _, _) in zip(variables, values, strict=True):
            for at in _wanted(value, index):
                found += await self.tags([each], Selection("", at))
        return found

    async def _tag(
        self, found: Found, row: Sequence[Reading], shown: Sequence[Reading], states: Names, selection: Selection
    ) -> Tag:
        data_type, rank, access, historizing, description = (value for value, _, _ in row)
        kind = DataType.OTHER
        if isinstance(data_type, ua.NodeId):
            kind = kind_of(await self.enumerations.types.built_in(data_type))
            states = states or await self.enumerations.of_type(data_type)
        if isinstance(rank, int) and rank >= 0 and selection.index is None:
            kind = DataType.OTHER
        if kind is DataType.NUMBER and states and not selection.number:
            kind = DataType.TEXT
        words = description if isinstance(description, str) else ""
        return Tag(
            address=selection.prefix + self.service.namespaces.address(found.node),
            path="/".join(found.path) + ("" if selection.index is None else f"[{selection.index}]"),
            data_type=kind,
            unit=unit_of(shown[1][0]),
            eu_range=range_of(shown[0][0]),
            description=words or _listed(states),
            historizing=historizing is True,
            access=access_of(access),
        )


_NO_READING: Final[Reading] = (None, 0, None)


def _wanted(value: Any, index: int | None) -> range:
    """Which elements of a value are there: all, or that one; of a value that is not known yet that one may be."""
    if index is None:
        return range(min(len(value), MOST_ELEMENTS) if isinstance(value, list) else 0)
    there = value is None or (isinstance(value, list) and index < len(value))
    return range(index, index + 1) if there else range(0)


def _listed(states: Names) -> str:
    names = list(states.values())
    more = ", ..." if len(names) > NAMED_STATES else ""
    return f"states: {', '.join(names[:NAMED_STATES])}{more}" if names else ""


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

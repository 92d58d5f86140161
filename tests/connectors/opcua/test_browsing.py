"""The walk through address spaces that are made to trap it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from asyncua import ua

from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.opcua import browsing
from tagsight_connectors.opcua.address import Namespaces
from tagsight_connectors.opcua.browsing import Browser
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.enumerations import Enumerations
from tagsight_connectors.opcua.request_size import RequestSize

OBJECTS = ua.NodeId(ua.ObjectIds.ObjectsFolder)
DOUBLE = ua.NodeId(ua.ObjectIds.Double)
BAD_UNKNOWN = 0x80340000


def node(name: str) -> ua.NodeId:
    return ua.NodeId(name, 1)


@dataclass
class Space:
    """The services of a server with these references: parent -> (child, is it a variable)."""

    references: dict[str, list[tuple[str, bool]]]
    page: int = 3
    upward: bool = True
    elsewhere: frozenset[str] = frozenset()
    url: str = "opc.tcp://double"
    size: RequestSize = field(default_factory=RequestSize)
    namespaces: Namespaces = field(default_factory=lambda: Namespaces(["", "urn:x"]))
    browsed: int = 0
    _points: dict[bytes, list[Any]] = field(default_factory=dict)

    async def read(self, items: Sequence[tuple[ua.NodeId, ua.AttributeIds]]) -> list[tuple[Any, int, int | None]]:
        variables = {child: variable for found in self.references.values() for child, variable in found}
        answers: list[tuple[Any, int, int | None]] = []
        for asked, attribute in items:
            name = str(asked.Identifier)
            values = {
                ua.AttributeIds.BrowseName: name,
                ua.AttributeIds.NodeClass: 2 if variables.get(name) else 1,
                ua.AttributeIds.DataType: DOUBLE,
                ua.AttributeIds.ValueRank: -1,
            }
            answers.append((values.get(attribute), 0 if name in variables else BAD_UNKNOWN, None))
        return answers

    async def browse(self, descriptions: Sequence[ua.BrowseDescription], at_most: int) -> list[Any]:
        del at_most
        self.browsed += len(descriptions)
        return [self._page(self._found(each)) for each in descriptions]

    async def browse_next(self, points: Sequence[bytes], *, release: bool = False) -> list[Any]:
        return [] if release else [self._page(self._points.pop(point)) for point in points]

    def _found(self, asked: ua.BrowseDescription) -> list[Any]:
        name = "Objects" if asked.NodeId == OBJECTS else str(asked.NodeId.Identifier)
        if asked.BrowseDirection == ua.BrowseDirection.Forward:
            return [self._reference(child, variable) for child, variable in self.references.get(name, [])]
        if not self.upward:
            return []
        parents = [parent for parent, found in self.references.items() if name in {child for child, _ in found}]
        return [self._reference(parent, variable=False) for parent in parents]

    def _reference(self, name: str, variable: bool) -> ua.ReferenceDescription:  # noqa: FBT001 - a row of the table
        found = OBJECTS if name == "Objects" else node(name)
        target = ua.ExpandedNodeId(found.Identifier, found.NamespaceIndex, found.NodeIdType)
        if name in self.elsewhere:
            target = ua.ExpandedNodeId(found.Identifier, found.NamespaceIndex, found.NodeIdType, None, 1)
        return ua.ReferenceDescription(
            ReferenceTypeId=ua.NodeId(ua.ObjectIds.Organizes),
            NodeId=target,
            BrowseName=ua.QualifiedName(name, 1),
            NodeClass=ua.NodeClass.Variable if variable else ua.NodeClass.Object,
        )

    def _page(self, references: list[Any]) -> ua.BrowseResult:
        point = b""
        if len(references) > self.page:
            point = random.Random(len(self._points)).randbytes(4) + bytes((len(self._points),))
            self._points[point] = references[self.page :]
        return ua.BrowseResult(ua.StatusCode(ua.UInt32(0)), point or None, references[: self.page])


async def paths(space: Space, pattern: str = "**") -> list[str]:
    types = DataTypes(space)  # type: ignore[arg-type]
    browser = Browser(space, Enumerations(space, types))  # type: ignore[arg-type]
    return [tag.path async for tag in browser.browse(pattern)]


async def test_circles_end_and_every_variable_has_its_shortest_path() -> None:
    space = Space(
        {
            "Objects": [("A", False), ("B", False)],
            "A": [("B", False), ("A", False), ("Objects", False), ("T", True)],
            "B": [("A", False), ("C", False)],
            "C": [("A", False), ("T", True), ("U", True)],
            "U": [("C", False), ("V", True)],
        }
    )
    assert await paths(space) == ["A/T", "B/C/U", "B/C/U/V"]


async def test_nodes_of_another_server_are_not_followed() -> None:
    references = {"Objects": [("A", False), ("Far", False)], "A": [("T", True), ("FarT", True)], "Far": [("X", True)]}
    assert await paths(Space(references, elsewhere=frozenset({"Far", "FarT"}))) == ["A/T"]


async def test_many_references_come_in_pages() -> None:
    names = [f"T{at:03}" for at in range(100)]
    space = Space({"Objects": [("A", False)], "A": [(name, True) for name in names]}, page=7)
    assert await paths(space) == [f"A/{name}" for name in names]


async def test_folders_that_the_pattern_cannot_mean_are_not_opened() -> None:
    references = {"Objects": [(f"F{at}", False) for at in range(50)]}
    references |= {f"F{at}": [(f"T{at}", True)] for at in range(50)}
    space = Space(references)
    assert await paths(space, "F7/*") == ["F7/T7"]
    assert space.browsed <= 3  # Objects, the folder, its variable
    everything = Space(references)
    assert await paths(everything, "**/T7") == ["F7/T7"]
    assert everything.browsed > 50


async def test_a_name_with_a_slash_counts_as_two_levels() -> None:
    space = Space({"Objects": [("Feed 1/min", True), ("A/B", False)], "A/B": [("T", True)]})
    assert await paths(space, "Feed 1/min") == ["Feed 1/min"]
    assert await paths(space, "A/*/T") == ["A/B/T"]
    assert await paths(space, "A/T") == []


async def test_a_variable_is_found_by_the_way_that_the_pattern_names() -> None:
    space = Space({"Objects": [("T", True), ("A", False)], "A": [("T", True)]})
    assert await paths(space, "A/*") == ["A/T"]
    assert await paths(space) == ["T"]


@pytest.mark.parametrize("upward", [True, False], ids=["upward", "downward-only"])
async def test_an_address_is_found_also_in_a_circle(upward: bool) -> None:  # noqa: FBT001 - a parameter
    references = {"Objects": [("A", False)], "A": [("B", False)], "B": [("A", False), ("T", True)], "T": [("B", False)]}
    references["Objects"] += [(f"F{at}", False) for at in range(50)]
    space = Space(references, upward=upward)
    assert await paths(space, "nsu=urn:x;s=T") == ["A/B/T"]
    assert space.browsed < 10 or not upward
    assert await paths(space, "nsu=urn:x;s=gone") == []


async def test_a_folder_without_end_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    deep = {f"F{at}": [(f"F{at + 1}", False)] for at in range(100)}
    with pytest.raises(LimitExceeded, match="levels of folders"):
        await paths(Space({"Objects": [("F0", False)], **deep}))
    monkeypatch.setattr(browsing, "MOST_NODES", 50)
    with pytest.raises(LimitExceeded, match="nodes below Objects"):
        await paths(Space({"Objects": [(f"T{at}", True) for at in range(51)]}, page=100))

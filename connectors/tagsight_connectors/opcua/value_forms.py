"""In what form the values of each address are read: enumerations by the names of their states, elements of arrays.

A number of a state is no measure (0 Manual, 1 Auto, 2 Cascade: Auto does not lie between the others), so the name is
what conditions compare and what people see; `as=number;` before the address asks for the number all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from asyncua import ua

from tagsight_connectors.errors import HistorianError, UnknownTag, Unsupported
from tagsight_connectors.history import Page, Sample, TagHistory
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.enumerations import EMPTY, Enumerations, Names
from tagsight_connectors.opcua.selection import selection_of
from tagsight_connectors.opcua.service import Reading, Service
from tagsight_connectors.quality import BAD_TYPE_MISMATCH

_INTEGERS: Final = range(2, 10)
_ABSTRACT: Final = frozenset({ua.NodeId(ua.ObjectIds.Number), ua.NodeId(ua.ObjectIds.BaseDataType)})
_UNTYPED: Final = 24  # BaseDataType: the value itself says what it is
_READABLE: Final = frozenset({*range(1, 13), 16, 21, _UNTYPED, 0})


@dataclass(frozen=True, slots=True)
class Form:
    """How one address is read.

    Attributes:
        names: of its states; none: as it comes.
        index: of the element; None: not of an array.
        readable: a number, Boolean or text.
    """

    names: Names = field(default_factory=dict)
    index: int | None = None
    readable: bool = True


AS_IT_COMES: Final = Form()


@dataclass
class Forms:
    """The forms of one session's addresses; asked once each.

    Attributes:
        service: the session.
        types: data types of the server.
        enumerations: names of states.
    """

    service: Service
    types: DataTypes
    enumerations: Enumerations
    _known: dict[str, Form] = field(default_factory=dict)
    _refused: dict[str, HistorianError] = field(default_factory=dict)

    async def learn(self, addresses: Sequence[str]) -> None:
        """Ask for what is not known yet. A node that is not there has no form, and whoever reads it says so."""
        new = [
            address
            for address in dict.fromkeys(addresses)
            if address not in self._known or address in self._refused  # an array may have grown
        ]
        nodes = [self.service.namespaces.node(address) for address in new]
        readings = await self.service.read([(node, ua.AttributeIds.DataType) for node in nodes])
        there = [
            (address, node, reading[0])
            for address, node, reading in zip(new, nodes, readings, strict=True)
            if isinstance(reading[0], ua.NodeId) and not reading[1] >> 31
        ]
        built_in = {address: await self.types.built_in(data_type) for address, _, data_type in there}
        names = {address: await self.enumerations.of_type(data_type) for address, _, data_type in there}
        items = [
            (address, node)
            for address, node, data_type in there
            if not names[address] and (built_in[address] in _INTEGERS or data_type in _ABSTRACT)
        ]
        properties = await self.enumerations.properties([node for _, node in items])
        found = await self.enumerations.of_properties(properties)
        names.update((address, one) for (address, _), one in zip(items, found, strict=True))
        await self._check_elements([(address, node) for address, node, _ in there])
        for address, _, _ in there:
            selection = selection_of(address)
            shown = EMPTY if selection.number else names[address]
            self._known[address] = Form(shown, selection.index, built_in[address] in _READABLE)

    async def require(self, addresses: Sequence[str]) -> None:
        """Learn them all.

        Raises:
            UnknownTag: an element beyond the end of its array.
            Unsupported: an element of what is no array.
        """
        await self.learn(addresses)
        for address in addresses:
            if address in self._refused:
                raise self._refused[address]

    def of(self, address: str) -> Form:
        """The form of an address; after `learn`."""
        return self._known.get(address, AS_IT_COMES)

    def is_plain(self, address: str) -> bool:
        """The server's own numbers are what is read: it may compute with them."""
        form = self.of(address)
        return not form.names and form.index is None

    def page(self, page: Page) -> Page:
        """A page of history, numbers of states replaced by their names."""
        names, history = self.of(page.address).names, page.history
        if not names or history.values.dtype.kind == "O":
            return page
        return Page(page.address, TagHistory(history.times, _named(history.values, names), history.status))

    def sample(self, address: str, reading: Reading) -> Sample:
        """A current value."""
        form = self.of(address)
        value, status, time_ns = reading
        if form.index is not None and isinstance(value, list):
            value = value[form.index] if form.index < len(value) else None
        if form.names and isinstance(value, int):
            value = form.names.get(value, str(value))
        if value is not None and not (form.readable and isinstance(value, bool | int | float | str)):
            return Sample(address, time_ns or 0, None, status if status >> 31 else BAD_TYPE_MISMATCH)
        return Sample(address, time_ns or 0, value, status)

    async def _check_elements(self, there: Sequence[tuple[str, ua.NodeId]]) -> None:
        """Servers that do not know index ranges answer for an element that is not there too."""
        asked = [(address, node) for address, node in there if selection_of(address).index is not None]
        values = await self.service.read([(node, ua.AttributeIds.Value) for _, node in asked])
        for (address, _), (value, status, _) in zip(asked, values, strict=True):
            self._refused.pop(address, None)
            index = selection_of(address).index or 0
            if isinstance(value, list) and value and index >= len(value):
                self._refused[address] = UnknownTag(
                    address, mend=f"The array has {len(value)} elements; the first one is index=0."
                )
            if value is not None and not isinstance(value, list) and not status >> 31:
                self._refused[address] = Unsupported(
                    what=f"{address}: the tag is no array", mend="Leave `index=...;` out."
                )


def _named(values: Any, names: Names) -> "np.ndarray[Any, np.dtype[np.object_]]":
    shown = np.full(len(values), None, dtype=object)
    for number in np.unique(values[~np.isnan(values)]):
        shown[values == number] = names.get(int(number), f"{number:g}") if number == int(number) else f"{number:g}"
    return shown

"""Values in the data type of the node that they are written to; what does not fit is refused, never bent."""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import UnknownTag
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.service import Service
from tagsight_connectors.quality import BAD_NODE_ID_UNKNOWN, BAD_OUT_OF_RANGE, BAD_TYPE_MISMATCH

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_BOUNDS: Final = {
    2: (-(2**7), 2**7 - 1),
    3: (0, 2**8 - 1),
    4: (-(2**15), 2**15 - 1),
    5: (0, 2**16 - 1),
    6: (-(2**31), 2**31 - 1),
    7: (0, 2**32 - 1),
    8: (-(2**63), 2**63 - 1),
    9: (0, 2**64 - 1),
}
"""Least and greatest value of the integer types, by the number of the built-in type."""


@dataclass
class Refused(Exception):
    """A sample that is not sent, and the StatusCode that says why."""

    status: int


@dataclass
class NodeTypes:
    """The built-in data type of each address, asked once.

    Attributes:
        service: the session.
        types: data types of the server.
    """

    service: Service
    types: DataTypes
    _known: dict[str, int] = field(default_factory=dict)

    def of(self, address: str) -> int:
        """Number of the built-in type; -1 for a node that the server does not have. After `learn`."""
        return self._known[address]

    async def learn(self, addresses: Sequence[str]) -> None:
        """Ask for those that are not known; a node that was missing is asked for again."""
        unknown = [address for address in dict.fromkeys(addresses) if self._known.get(address, -1) < 0]
        nodes: dict[str, ua.NodeId] = {}
        for address in unknown:
            self._known[address] = -1
            try:
                nodes[address] = self.service.namespaces.node(address)
            except UnknownTag:
                continue
        readings = await self.service.read([(node, ua.AttributeIds.DataType) for node in nodes.values()])
        for address, (data_type, status, _) in zip(nodes, readings, strict=True):
            if not status >> 31 and isinstance(data_type, ua.NodeId):
                self._known[address] = await self.types.built_in(data_type)


def source_time(time_ns: int) -> dt.datetime:
    """As asyncua takes it; 100 ns are lost, microseconds stay."""
    return _EPOCH + dt.timedelta(microseconds=time_ns // 1000)


def converted(value: Any, built_in: int) -> ua.Variant:
    """The value in the node's own type; raises Refused where it does not fit, so that nothing is ever bent."""
    if built_in < 0:
        raise Refused(BAD_NODE_ID_UNKNOWN)
    if value is None:
        return _nothing(built_in)
    if built_in in {12, 21}:
        return _text(value, built_in)
    if isinstance(value, str):
        raise Refused(BAD_TYPE_MISMATCH)
    if isinstance(value, int) and abs(value) >= 2**64:  # beyond every whole type, and perhaps beyond Double
        raise Refused(BAD_OUT_OF_RANGE)
    if built_in == 1:
        return ua.Variant(_truth(value), ua.VariantType.Boolean)
    if built_in in {10, 11}:
        return ua.Variant(_floating(value, built_in), ua.VariantType(built_in))
    if built_in in _BOUNDS:
        return ua.Variant(_whole(value, built_in), ua.VariantType(built_in))
    raise Refused(BAD_TYPE_MISMATCH)


def _nothing(built_in: int) -> ua.Variant:
    """No number is NaN where the type has it: servers such as node-opcua take Null for no type, whatever the status."""
    if built_in in {10, 11}:
        return ua.Variant(math.nan, ua.VariantType(built_in))
    return ua.Variant(None, ua.VariantType.Null)


def _text(value: Any, built_in: int) -> ua.Variant:
    if not isinstance(value, str):
        raise Refused(BAD_TYPE_MISMATCH)
    if built_in == 21:
        return ua.Variant(ua.LocalizedText(value), ua.VariantType.LocalizedText)
    return ua.Variant(value, ua.VariantType.String)


def _truth(value: Any) -> bool:
    if value not in {0, 1}:
        raise Refused(BAD_OUT_OF_RANGE)
    return bool(value)


def _floating(value: Any, built_in: int) -> float:
    if built_in == 10 and math.isfinite(value) and abs(value) > 3.4e38:
        raise Refused(BAD_OUT_OF_RANGE)
    return float(value)


def _whole(value: Any, built_in: int) -> int:
    least, greatest = _BOUNDS[built_in]
    if not math.isfinite(value) or value != int(value) or not least <= value <= greatest:
        raise Refused(BAD_OUT_OF_RANGE)
    return int(value)

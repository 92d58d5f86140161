"""Writing results: the one module that sends Write, and only to addresses of the accepted list (design law 3).

A sample goes with its source time and status. A server that refuses that (BadWriteNotSupported) gets the status
without the time, and if it refuses that too, the bare value, but only of a sample whose status is Good: a bare value
reads as Good, and a Bad sample must never become one. The loss is told in `WriteOutcome.time_kept`.
"""

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.errors import MalformedData, UnknownTag, WriteNotAllowed
from tagsight_connectors.history import Sample, WriteOutcome
from tagsight_connectors.opcua.data_types import DataTypes
from tagsight_connectors.opcua.error_mapping import TooLarge
from tagsight_connectors.opcua.service import Service
from tagsight_connectors.quality import (
    BAD_NODE_ID_UNKNOWN,
    BAD_OUT_OF_RANGE,
    BAD_TYPE_MISMATCH,
    BAD_WRITE_NOT_SUPPORTED,
    Quality,
    quality_of,
)

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


class Form(IntEnum):
    """What of a sample a server takes, from everything to the least."""

    FULL = 0
    WITHOUT_TIME = 1
    BARE = 2


@dataclass
class Refused(Exception):
    """A sample that is not sent, and the StatusCode that says why."""

    status: int


@dataclass
class Writer:
    """Writes on one session.

    Attributes:
        service: the session.
        types: data types of the server.
        accepted: the addresses that may be written to, in the form in which they will be named.
        form: what this server takes; found out by its answers, kept for the session.
    """

    service: Service
    types: DataTypes
    accepted: frozenset[str]
    form: Form = Form.FULL
    _built_in: dict[str, int] = field(default_factory=dict)

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """One outcome for each sample. Raises WriteNotAllowed before anything is sent."""
        check_fence(samples, self.accepted)
        await self._learn_types([sample.address for sample in samples])
        outcomes: list[WriteOutcome] = []
        while len(outcomes) < len(samples):
            part = samples[len(outcomes) : len(outcomes) + self.service.size.write_nodes]
            try:
                outcomes += await self._write(part)
            except TooLarge:
                if not self.service.size.halve("write_nodes"):
                    raise
        return outcomes

    async def _write(self, samples: Sequence[Sample]) -> list[WriteOutcome]:
        """One batch, again in a lesser form for the samples whose form the server refused."""
        outcomes: list[WriteOutcome | None] = [None] * len(samples)
        for form in Form:
            waiting = [at for at, outcome in enumerate(outcomes) if _refused_form(outcome)]
            if form < self.form or not waiting:
                continue
            for at, outcome in zip(waiting, await self._send([samples[at] for at in waiting], form), strict=True):
                outcomes[at] = outcome
            if all(_refused_form(outcomes[at]) for at in waiting) and form < Form.BARE:
                self.form = Form(form + 1)
        return [outcome for outcome in outcomes if outcome is not None]

    async def _send(self, samples: Sequence[Sample], form: Form) -> list[WriteOutcome]:
        outcomes: dict[int, int] = {}
        values: list[tuple[int, ua.WriteValue]] = []
        for at, sample in enumerate(samples):
            try:
                values.append((at, self._value(sample, form)))
            except Refused as refusal:
                outcomes[at] = refusal.status
        if values:
            results = await self.service.write([value for _, value in values])
            if len(results) != len(values):
                raise MalformedData("Write answer", f"{len(results)} results for {len(values)} values")
            outcomes |= {at: result for (at, _), result in zip(values, results, strict=True)}
        return [WriteOutcome(sample.address, outcomes[at], form == Form.FULL) for at, sample in enumerate(samples)]

    def _value(self, sample: Sample, form: Form) -> ua.WriteValue:
        if form == Form.BARE and quality_of(sample.status) != Quality.GOOD:
            raise Refused(BAD_WRITE_NOT_SUPPORTED)
        variant = converted(sample.value, self._built_in[sample.address])
        data_value = ua.DataValue(
            Value=variant,
            StatusCode=None if form == Form.BARE else ua.StatusCode(ua.UInt32(sample.status)),
            SourceTimestamp=_EPOCH + dt.timedelta(microseconds=sample.time_ns // 1000) if form == Form.FULL else None,
        )
        return ua.WriteValue(
            NodeId=self.service.namespaces.node(sample.address), AttributeId=ua.AttributeIds.Value, Value=data_value
        )

    async def _learn_types(self, addresses: Sequence[str]) -> None:
        """The data type of each address that was not written before; -1 for one that the server does not have."""
        unknown = [address for address in dict.fromkeys(addresses) if self._built_in.get(address, -1) < 0]
        nodes: dict[str, ua.NodeId] = {}
        for address in unknown:
            self._built_in[address] = -1
            try:
                nodes[address] = self.service.namespaces.node(address)
            except UnknownTag:
                continue
        readings = await self.service.read([(node, ua.AttributeIds.DataType) for node in nodes.values()])
        for address, (data_type, status, _) in zip(nodes, readings, strict=True):
            if not status >> 31 and isinstance(data_type, ua.NodeId):
                self._built_in[address] = await self.types.built_in(data_type)


def check_fence(samples: Sequence[Sample], accepted: frozenset[str]) -> None:
    """The write fence: raises WriteNotAllowed if one address is not in the accepted list."""
    for sample in samples:
        if sample.address not in accepted:
            raise WriteNotAllowed(what=f"write to {sample.address}", cause="it is not in the accepted list")


def converted(value: Any, built_in: int) -> ua.Variant:
    """The value in the node's own type; raises Refused where it does not fit, so that nothing is ever bent."""
    if built_in < 0:
        raise Refused(BAD_NODE_ID_UNKNOWN)
    if value is None:
        return ua.Variant(None, ua.VariantType.Null)
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


def _refused_form(outcome: WriteOutcome | None) -> bool:
    return outcome is None or outcome.status == BAD_WRITE_NOT_SUPPORTED

"""Writing results: the one module that sends Write and HistoryUpdate, only to addresses of the accepted list (law 3).

Write: a sample goes with its source time and status. A server that refuses that (BadWriteNotSupported) gets the status
without the time, and if it refuses that too, the bare value, but only of a sample whose status is Good: a bare value
reads as Good, and a Bad sample must never become one. The loss is told in `WriteOutcome.time_kept`.

HistoryUpdate (OPC 10000-11, 6.9): the mode Update, which inserts or replaces, so sending a value again is harmless.
GoodEntryInserted and GoodEntryReplaced confirm like Good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from asyncua import ua

from tagsight_connectors.errors import MalformedData, WriteNotAllowed
from tagsight_connectors.history import Sample, WriteOutcome
from tagsight_connectors.opcua.error_mapping import TooLarge
from tagsight_connectors.opcua.service import Service
from tagsight_connectors.opcua.write_values import NodeTypes, Refused, converted, source_time
from tagsight_connectors.quality import BAD_WRITE_NOT_SUPPORTED, Quality, quality_of


class Form(IntEnum):
    """What of a sample a server takes, from everything to the least."""

    FULL = 0
    WITHOUT_TIME = 1
    BARE = 2


class Writing(Protocol):
    """One way of storing samples in a historian."""

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """One outcome for each sample. Raises WriteNotAllowed before anything is sent."""


@dataclass
class Writer:
    """The Write service on one session.

    Attributes:
        service: the session.
        types: of the nodes that are written to.
        accepted: the addresses that may be written to, in the form in which they will be named.
        form: what this server takes; found out by its answers, kept for the session.
    """

    service: Service
    types: NodeTypes
    accepted: frozenset[str]
    form: Form = Form.FULL

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """One outcome for each sample. Raises WriteNotAllowed before anything is sent."""
        check_fence(samples, self.accepted)
        await self.types.learn([sample.address for sample in samples])
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
        variant = converted(sample.value, self.types.of(sample.address))
        data_value = ua.DataValue(
            Value=variant,
            StatusCode=None if form == Form.BARE else ua.StatusCode(ua.UInt32(sample.status)),
            SourceTimestamp=source_time(sample.time_ns) if form == Form.FULL else None,
        )
        return ua.WriteValue(
            NodeId=self.service.namespaces.node(sample.address), AttributeId=ua.AttributeIds.Value, Value=data_value
        )


@dataclass
class HistoryWriter:
    """HistoryUpdate on one session.

    Attributes:
        service: the session.
        types: of the nodes that are written to.
        accepted: the addresses that may be written to, in the form in which they will be named.
    """

    service: Service
    types: NodeTypes
    accepted: frozenset[str]

    async def write(self, samples: Sequence[Sample]) -> Sequence[WriteOutcome]:
        """One outcome for each sample. Raises WriteNotAllowed before anything is sent."""
        check_fence(samples, self.accepted)
        await self.types.learn([sample.address for sample in samples])
        outcomes: list[WriteOutcome] = []
        while len(outcomes) < len(samples):
            part = samples[len(outcomes) : len(outcomes) + self.service.size.update_values]
            try:
                outcomes += await self._write(part)
            except TooLarge:
                if not self.service.size.halve("update_values"):
                    raise
        return outcomes

    async def _write(self, samples: Sequence[Sample]) -> list[WriteOutcome]:
        """One request, with the values of each node together, ascending by time."""
        statuses: dict[int, int] = {}
        values: dict[str, dict[int, ua.DataValue]] = {}
        for at in sorted(range(len(samples)), key=lambda at: samples[at].time_ns):
            try:
                values.setdefault(samples[at].address, {})[at] = self._value(samples[at])
            except Refused as refusal:
                statuses[at] = refusal.status
        statuses |= await self._sent({address: found for address, found in values.items() if found})
        return [WriteOutcome(sample.address, statuses[at]) for at, sample in enumerate(samples)]

    async def _sent(self, values: Mapping[str, Mapping[int, ua.DataValue]]) -> dict[int, int]:
        details = [
            ua.UpdateDataDetails(
                NodeId=self.service.namespaces.node(address),
                PerformInsertReplace=ua.PerformUpdateType.Update,
                UpdateValues=list(found.values()),
            )
            for address, found in values.items()
        ]
        answers = await self.service.history_update(details) if details else []
        if len(answers) != len(details):
            raise MalformedData("HistoryUpdate answer", f"{len(answers)} results for {len(details)} nodes")
        statuses: dict[int, int] = {}
        for found, (of_node, of_values) in zip(values.values(), answers, strict=True):
            results = of_values or [of_node] * len(found)  # nothing about the values: what is said of the node counts
            if len(results) != len(found):
                raise MalformedData("HistoryUpdate answer", f"{len(results)} results for {len(found)} values")
            statuses |= dict(zip(found, results, strict=True))
        return statuses

    def _value(self, sample: Sample) -> ua.DataValue:
        return ua.DataValue(
            Value=converted(sample.value, self.types.of(sample.address)),
            StatusCode=ua.StatusCode(ua.UInt32(sample.status)),
            SourceTimestamp=source_time(sample.time_ns),
        )


def check_fence(samples: Sequence[Sample], accepted: frozenset[str]) -> None:
    """The write fence: raises WriteNotAllowed if one address is not in the accepted list."""
    for sample in samples:
        if sample.address not in accepted:
            raise WriteNotAllowed(what=f"write to {sample.address}", cause="it is not in the accepted list")


def _refused_form(outcome: WriteOutcome | None) -> bool:
    return outcome is None or outcome.status == BAD_WRITE_NOT_SUPPORTED

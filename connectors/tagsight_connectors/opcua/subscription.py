"""Monitored items of one session: values as they change, with everything that can be lost on the way noticed.

* A queue that was full: the server sets the overflow bit, or (asyncua does not) as many values come as the queue holds.
* A server that samples (its revised sampling interval is not 0) tells one of several changes: so it says `sampled`.
* A message that is missing in the sequence is asked for again; one that is gone ends the subscription, because nobody
  can say what it held.
* A server that gives no sign of life for three keep-alive times is believed dead.

The answers are decoded by our own decoder. Nothing here tries again: whoever keeps the values begins a new one.
"""

import asyncio
import contextlib
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from asyncua import ua

from tagsight_connectors.errors import HistorianError, MalformedData
from tagsight_connectors.history import Sample, TagHistory
from tagsight_connectors.live import Arrived, Receiver
from tagsight_connectors.opcua.error_mapping import status_error
from tagsight_connectors.opcua.publishing import (
    Created,
    Item,
    Message,
    decode_created,
    decode_items,
    decode_publish,
    decode_republish,
)
from tagsight_connectors.opcua.service import Reading, Service, batches
from tagsight_connectors.opcua.value_forms import Forms

PUBLISHING_MS: Final = 1_000.0
SAMPLING_MS: Final = 0.0
"""As fast as the server samples; servers that report by exception report every change."""

KEEP_ALIVE_COUNT: Final = 5
"""Publishing intervals without a change after which the server gives a sign of life."""

LIFETIME_COUNT: Final = 120
QUEUE: Final = 500
"""Values of one tag that the server keeps between two publishings; it may allow less."""

VALUES_PER_MESSAGE: Final = 1_000
"""Some 30 ms of decoding, and then the event loop is free."""

ITEMS_PER_REQUEST: Final = 200
REQUESTS_WAITING: Final = 3
"""Publish requests that wait at the server, so that it need not wait for us."""

SILENCES: Final = 3.0
"""Keep-alive times without any message, after which the server counts as dead."""

GOODBYE_S: Final = 0.5
"""Longest wait for each of the server's answers at the end of a subscription."""

MOST_MISSING: Final = 100
"""Messages that are asked for again at once."""

OVERFLOW: Final = 0x480
"""Info type DataValue, and the bit Overflow (OPC 10000-4, 7.39)."""

_INFO_BITS: Final = 0xFFFF0000
_SEQUENCE_END: Final = 2**32


@dataclass
class _Monitored:
    address: str
    queue: int = 0
    sampled: bool = False


@dataclass
class Subscription:
    """`LiveSubscription` on one session.

    Attributes:
        service: of the session.
        forms: how each address is read.
        receiver: of the values.
        monotonic: s.
    """

    service: Service
    forms: Forms
    receiver: Receiver
    monotonic: Callable[[], float] = time.monotonic
    _created: Created = field(init=False, default=Created(0, PUBLISHING_MS, KEEP_ALIVE_COUNT))
    _items: dict[int, _Monitored] = field(init=False, default_factory=dict)
    _failure: str = field(init=False, default="")
    _heard_at: float = field(init=False, default=0.0)
    _next: int = field(init=False, default=1)
    _unacknowledged: list[int] = field(init=False, default_factory=list)
    _loop: "asyncio.Task[None] | None" = field(init=False, default=None)

    @property
    def failure(self) -> str:
        """Why nothing arrives any more; "" while the server gives signs of life."""
        silent = self.monotonic() - self._heard_at
        if not self._failure and silent > SILENCES * self._keep_alive_s:
            self._failure = f"the server gave no sign of life for {silent:.0f} s"
        return self._failure

    async def begin(self) -> None:
        """Make the subscription. Raises HistorianError."""
        request = ua.CreateSubscriptionRequest()
        request.Parameters = ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=PUBLISHING_MS,
            RequestedLifetimeCount=LIFETIME_COUNT,
            RequestedMaxKeepAliveCount=KEEP_ALIVE_COUNT,
            MaxNotificationsPerPublish=VALUES_PER_MESSAGE,
            PublishingEnabled=True,
        )
        result, created = decode_created(await self.service.answer(request, "CreateSubscription"))
        self._check(result, "CreateSubscription")
        if created is None or not math.isfinite(created.publishing_ms):
            raise MalformedData("CreateSubscription answer", "it names no subscription")
        self._created = created
        self._heard_at = self.monotonic()
        self._loop = asyncio.create_task(self._run())

    async def watch(self, addresses: Sequence[str]) -> Mapping[str, str]:
        """Begin to watch; answers why not, for those that the server refuses."""
        await self.forms.learn(addresses)
        refused: dict[str, str] = {}
        for part in batches(list(addresses), ITEMS_PER_REQUEST):
            handles = range(len(self._items) + 1, len(self._items) + 1 + len(part))
            for handle, address in zip(handles, part, strict=True):
                self._items[handle] = _Monitored(address)  # its first value may come before the answer
            for handle, item in zip(handles, await self._create(part, handles), strict=True):
                self._items[handle].queue, self._items[handle].sampled = item.queue, item.sampling_ms > 0
                if item.status >> 31:
                    error = status_error(item.status, url=self.service.url, what=self._items[handle].address)
                    refused[self._items[handle].address] = str(error)
        return refused

    async def close(self) -> None:
        """End it; what the server says to that does not matter."""
        self._failure = self._failure or "it was closed"
        request = ua.DeleteSubscriptionsRequest()
        request.Parameters.SubscriptionIds = [self._created.identifier]
        with contextlib.suppress(HistorianError):  # answers the requests that wait, too
            await self.service.answer(request, "DeleteSubscriptions", min(self.service.timeout_s, GOODBYE_S))
        if self._loop is not None:
            await asyncio.wait([self._loop], timeout=GOODBYE_S)
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    # --- inside ---

    @property
    def _keep_alive_s(self) -> float:
        count = max(self._created.keep_alive_count, 1)
        return max(self._created.publishing_ms, 1.0) / 1_000.0 * count + self.service.timeout_s / SILENCES

    async def _create(self, addresses: Sequence[str], handles: Iterable[int]) -> list[Item]:
        request = ua.CreateMonitoredItemsRequest()
        request.Parameters.SubscriptionId = self._created.identifier
        request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
        request.Parameters.ItemsToCreate = [
            self._item(address, handle) for address, handle in zip(addresses, handles, strict=True)
        ]
        result, items = decode_items(await self.service.answer(request, "CreateMonitoredItems"))
        self._check(result, "CreateMonitoredItems")
        if len(items) != len(addresses):
            raise MalformedData("CreateMonitoredItems answer", f"{len(items)} results for {len(addresses)} tags")
        return items

    def _item(self, address: str, handle: int) -> ua.MonitoredItemCreateRequest:
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=self.service.namespaces.node(address), AttributeId=ua.AttributeIds.Value
            ),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=ua.MonitoringParameters(
                ClientHandle=handle, SamplingInterval=SAMPLING_MS, QueueSize=QUEUE, DiscardOldest=True
            ),
        )

    async def _run(self) -> None:
        """Keep requests waiting at the server and take what it answers, in order, until something fails."""
        waiting: deque[asyncio.Task[bytes]] = deque()
        try:
            while not self._failure:
                while len(waiting) < REQUESTS_WAITING:
                    waiting.append(asyncio.create_task(self._publish()))
                message = decode_publish(await waiting.popleft())
                self._check(message.result, "Publish")
                await self._take(message)
        except HistorianError as error:
            self._failure = self._failure or str(error)
        finally:
            if waiting:
                await asyncio.wait(waiting, timeout=GOODBYE_S if self._failure else 0.0)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _publish(self) -> bytes:
        request = ua.PublishRequest()
        acknowledged, self._unacknowledged = self._unacknowledged, []
        request.Parameters.SubscriptionAcknowledgements = [
            ua.SubscriptionAcknowledgement(self._created.identifier, number) for number in acknowledged
        ]
        return await self.service.answer(request, "Publish", SILENCES * self._keep_alive_s)

    async def _take(self, message: Message) -> None:
        """One message in its place of the sequence."""
        self._heard_at = self.monotonic()
        if message.subscription != self._created.identifier:
            return  # of a subscription that was deleted
        if message.ended is not None:
            error = status_error(message.ended, url=self.service.url, what="the subscription")
            self._failure = f"the server ended it: {error}"
            return
        missing = (message.sequence - self._next) % _SEQUENCE_END
        if 0 < missing < _SEQUENCE_END // 2:
            for number in range(min(missing, MOST_MISSING + 1)):
                await self._again((self._next + number) % _SEQUENCE_END or 1, missing)
        if not message.empty:
            self._next = (message.sequence + 1) % _SEQUENCE_END or 1
            self._unacknowledged.append(message.sequence)
        self._hand_on(message)

    async def _again(self, number: int, missing: int) -> None:
        """Ask for a message that did not come. Raises MalformedData when it is gone."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = self._created.identifier
        request.Parameters.RetransmitSequenceNumber = number
        message = decode_republish(await self.service.answer(request, "Republish"))
        if missing > MOST_MISSING or message.result >> 31 or message.sequence != number:
            raise MalformedData("the subscription", f"message {number} was lost, and the server has it no more")
        self._unacknowledged.append(number)
        self._hand_on(message)

    def _hand_on(self, message: Message) -> None:
        by_handle: dict[int, list[Reading]] = {}
        for handle, reading in message.values:
            by_handle.setdefault(handle, []).append(reading)
        known = [(self._items[handle], rows) for handle, rows in by_handle.items() if handle in self._items]
        self.receiver.receive([self._arrived(item, rows) for item, rows in known], message.published_ns)

    def _arrived(self, item: _Monitored, readings: Sequence[Reading]) -> Arrived:
        full = len(readings) >= item.queue > 1
        lost = full or any(status & OVERFLOW == OVERFLOW for _, status, _ in readings)
        timed = [reading for reading in readings if (reading[2] or 0) > 0]  # 0: no time
        samples = [self.forms.sample(item.address, _plain(reading)) for reading in timed]
        return Arrived(item.address, history_of(samples), lost or len(timed) < len(readings), item.sampled)

    def _check(self, result: int, what: str) -> None:
        if result >> 31:
            raise status_error(result, url=self.service.url, what=what)


def _plain(reading: Reading) -> Reading:
    """Without the bits that belong to the transport: historians do not keep them."""
    value, status, time_ns = reading
    return value, status & _INFO_BITS if status & OVERFLOW == OVERFLOW else status, time_ns


def history_of(samples: Sequence[Sample]) -> TagHistory:
    """Samples of one tag as a history; text wins where there are both."""
    text = any(isinstance(sample.value, str) for sample in samples)
    values: Any = np.array([_number(sample.value) for sample in samples], dtype=np.float64)
    if text:
        values = np.array([None if each.value is None else str(each.value) for each in samples], dtype=object)
    times = np.array([sample.time_ns for sample in samples], dtype=np.int64)
    return TagHistory(times, values, np.array([sample.status for sample in samples], dtype=np.uint32))


def _number(value: object) -> float:
    return float(value) if isinstance(value, bool | int | float) else math.nan

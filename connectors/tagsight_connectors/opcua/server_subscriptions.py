"""Subscriptions of a server of ours: asyncua's, with little work for each value, and filters as the standard has them.

asyncua 2.1 copies each value, makes an object to tell it and encodes that object by walking it; it searches all items
for the one to modify or delete; it sends any number of values in one message and forgets a message once it was sent
again. The services and the publishing loop are asyncua's; the methods that are replaced here are private in parts, and
`test_server_subscriptions.py` pins what we rely on.
"""

from collections.abc import Callable
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.server.internal_subscription import InternalSubscription
from asyncua.server.monitored_item_service import MonitoredItemService
from asyncua.server.subscription_service import SubscriptionService

from tagsight_connectors.opcua.data_filters import EVERY_CHANGE, DataFilter, checked
from tagsight_connectors.opcua.limits import (
    SERVER_NOTIFICATION_BYTES,
    SERVER_UNACKNOWLEDGED_BYTES,
    SERVER_VALUES_PER_MESSAGE,
)
from tagsight_connectors.opcua.notification_encoding import Change, notification_of, with_overflow
from tagsight_connectors.serving import ServedVariable

Codes = ua.StatusCodes

VariableOf = Callable[[ua.NodeId], ServedVariable | None]
DISABLED: Final = ua.MonitoringMode.Disabled


class ServedItems(MonitoredItemService):  # type: ignore[misc]
    """The monitored items of one subscription."""

    isub: "ServedSubscription"

    async def datachange_callback(self, handle: int, value: Any, error: Any = None) -> None:
        """What the address space calls for each new value: queue it, if the item's filter lets it pass."""
        if error:
            await super().datachange_callback(handle, value, error)
            return
        item = self._monitored_items[self._monitored_datachange[handle]]
        if item.mode == DISABLED:
            return
        seen, wanted = item.mvalue, getattr(item, "checked_filter", EVERY_CHANGE)
        if wanted.passes(seen.current_dvalue, value):
            seen.current_dvalue = value  # never changed by anybody, so it need not be copied
            self.isub.queue(item, value)

    async def _create_data_change_monitored_item(self, params: Any) -> Any:
        wanted = self._checked(params.RequestedParameters.Filter, params.ItemToMonitor)
        if not isinstance(wanted, DataFilter):
            result, _ = self._make_monitored_item_common(params)
            result.StatusCode = ua.StatusCode(ua.UInt32(wanted))
            return result
        result = await super()._create_data_change_monitored_item(params)
        if result.StatusCode.is_good():
            self._monitored_items[result.MonitoredItemId].checked_filter = wanted
        return result

    def _modify_monitored_item(self, params: Any) -> Any:
        result, item = ua.MonitoredItemModifyResult(), self._monitored_items.get(params.MonitoredItemId)
        if item is None:
            result.StatusCode = ua.StatusCode(Codes.BadMonitoredItemIdInvalid)
            return result
        wanted = params.RequestedParameters
        if wanted.Filter and item.callback_handle is not None:
            found = self._checked(wanted.Filter, item.read_value_id)
            if not isinstance(found, DataFilter):
                result.StatusCode = ua.StatusCode(ua.UInt32(found))
                return result
            item.checked_filter = found
        item.filter = wanted.Filter or item.filter
        item.queue_size = result.RevisedQueueSize = wanted.QueueSize
        item.client_handle = wanted.ClientHandle
        result.RevisedSamplingInterval = wanted.SamplingInterval
        return result

    def _delete_monitored_items(self, mid: int) -> Any:
        item = self._monitored_items.get(mid)
        if item is None or item.callback_handle is None:
            return super()._delete_monitored_items(mid)
        self.aspace.delete_datachange_callback(item.callback_handle)
        self._monitored_datachange.pop(item.callback_handle, None)
        self.isub.forget(mid)
        del self._monitored_items[mid]
        return ua.StatusCode()

    async def _set_monitoring_mode(self, mode: Any, mid: int) -> Any:
        if mode == DISABLED and mid in self._monitored_items:
            self._monitored_items[mid].mvalue.current_dvalue = None  # so that it is told when it is enabled again
            self.isub.forget(mid)
        return await super()._set_monitoring_mode(mode, mid)

    def _checked(self, wanted: Any, watched: Any) -> DataFilter | int:
        return checked(wanted, watched.AttributeId, self.isub.variable_of(watched.NodeId))


class ServedSubscription(InternalSubscription):  # type: ignore[misc]
    """A client's subscription."""

    most: int = SERVER_VALUES_PER_MESSAGE
    monitored_item_srv: Any
    _triggered_datachanges: dict[int, list[Change]]

    def __init__(self, variable_of: VariableOf, most: int, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.variable_of = variable_of
        self.most = min(most or SERVER_VALUES_PER_MESSAGE, SERVER_VALUES_PER_MESSAGE)
        self.monitored_item_srv = ServedItems(self, self.monitored_item_srv.aspace)

    def queue(self, item: Any, value: Any) -> None:
        """Keep a value for the next message; the oldest of a full queue goes, and the next one says so."""
        waiting = self._triggered_datachanges.setdefault(item.monitored_item_id, [])
        if waiting and len(waiting) >= item.queue_size > 0:
            del waiting[: len(waiting) - item.queue_size + 1]
            if waiting:
                handle, oldest = waiting[0]
                waiting[0] = handle, with_overflow(oldest)
        waiting.append((item.client_handle, value))

    def forget(self, item: int) -> None:
        """Of an item that is gone nothing more is told."""
        self._triggered_datachanges.pop(item, None)

    async def publish_results(self, requestdata: Any = None) -> bool:
        """Publish; what does not fit into one message goes into further ones, as far as the client asks for them."""
        sent = used = bool(await super().publish_results(requestdata))
        while sent and self._publishing_enabled and self._triggered_datachanges:
            sent = bool(await super().publish_results())
        return used

    def republish(self, nb: int) -> Any:
        """A message once more; the client still has to acknowledge it."""
        result = self._not_acknowledged_results.get(nb)
        if result is None:
            raise ServiceError(Codes.BadMessageNotAvailable)
        return result.NotificationMessage

    def _pop_publish_result(self) -> Any:
        result = super()._pop_publish_result()
        result.MoreNotifications = self._publishing_enabled and bool(self._triggered_datachanges)
        self._forget_messages()
        result.AvailableSequenceNumbers = list(self._not_acknowledged_results)
        return result

    def _forget_messages(self) -> None:
        """The oldest ones of a client that does not acknowledge."""
        kept = self._not_acknowledged_results
        sizes = {number: _size(result) for number, result in kept.items()}
        while sum(sizes.values()) > SERVER_UNACKNOWLEDGED_BYTES and len(sizes) > 1:
            oldest = next(iter(sizes))
            del sizes[oldest], kept[oldest]

    def _pop_triggered_datachanges(self, result: Any) -> None:
        """Encoded at once: bytes are all that is kept until the client acknowledges them."""
        if self._triggered_datachanges:
            changes = [change for queue in self._triggered_datachanges.values() for change in queue]
            told, count = notification_of(changes, self.most, SERVER_NOTIFICATION_BYTES)
            self._triggered_datachanges = _without_first(self._triggered_datachanges, count)
            result.NotificationMessage.NotificationData.append(told)


def _without_first(queues: dict[int, list[Change]], count: int) -> dict[int, list[Change]]:
    left = {}
    for item, queue in queues.items():
        if len(queue) > count:
            left[item] = queue[count:]
        count = max(count - len(queue), 0)
    return left


def _size(result: Any) -> int:
    told = result.NotificationMessage.NotificationData
    return sum(len(one.Body or b"") for one in told if isinstance(one, ua.ExtensionObject))


class ServedSubscriptions(SubscriptionService):  # type: ignore[misc]
    """All subscriptions of a server."""

    def __init__(self, aspace: Any, iserver: Any, variable_of: VariableOf) -> None:
        super().__init__(aspace, iserver)
        self._variable_of = variable_of

    async def create_subscription(
        self, params: Any, callback: Any, session_id: ua.NodeId, request_callback: Any = None
    ) -> Any:
        """As asyncua's, for a client; the server's own stay asyncua's."""
        if request_callback is None:
            return await super().create_subscription(params, callback, session_id)
        if len(self.subscriptions) >= self.iserver.max_subscriptions:
            raise ServiceError(Codes.BadTooManySubscriptions)
        result = ua.CreateSubscriptionResult()
        result.RevisedPublishingInterval = params.RequestedPublishingInterval
        result.RevisedLifetimeCount = self._clamp_lifetime_count(params.RequestedLifetimeCount)
        result.RevisedMaxKeepAliveCount = self._clamp_keep_alive_count(params.RequestedMaxKeepAliveCount)
        self._sub_id_counter += 1
        number = result.SubscriptionId = self._sub_id_counter
        subscription = ServedSubscription(
            self._variable_of,
            params.MaxNotificationsPerPublish,
            result,
            self.aspace,
            callback,
            session_id,
            request_callback=request_callback,
            delete_callback=lambda: self.subscriptions.pop(number, None),
            no_acks_limit=self.iserver.max_unacked_messages_per_subscription,
            max_queue_size=self.iserver.max_monitored_item_queue_size,
            publishing_enabled=params.PublishingEnabled,
        )
        await subscription.start()
        self.subscriptions[number] = subscription
        return result

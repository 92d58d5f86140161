"""Sessions with budgets: what one client may hold and ask, and nothing of another client's."""

import asyncio
import contextlib
import datetime as dt
import math
import secrets
from collections.abc import Iterable
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession, SessionState

from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.condition_methods import ConditionMethods
from tagsight_connectors.opcua.conditions import event_items
from tagsight_connectors.opcua.event_filter import EventFilter
from tagsight_connectors.opcua.server_history import ContinuationPoints
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.opcua.server_space import WRITE, ServedSpace
from tagsight_connectors.opcua.server_subscriptions import ServedSubscriptions
from tagsight_connectors.opcua.server_writes import ClientWrites, may_write
from tagsight_connectors.serving import ServedVariable

Codes = ua.StatusCodes

TOKEN_BYTES: Final = 32
CLOCK_STEP_S: Final = 1.0


def at_most(items: Any, limit: int) -> None:
    """Refuse a request with more operations than announced."""
    if items is not None and len(items) > limit:
        raise ServiceError(Codes.BadTooManyOperations)


class GuardedSession(InternalSession):  # type: ignore[misc]
    """A session of a client. The services are asyncua's, after our checks."""

    iserver: "GuardedInternalServer"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.points = ContinuationPoints()
        self.peer_certificate: bytes | None = None
        self.iserver.unregister_external_session(self)
        # asyncua counts tokens upwards, so that a session could be guessed
        self.auth_token = ua.NodeId(secrets.token_bytes(TOKEN_BYTES), 0, ua.NodeIdType.ByteString)
        self.iserver.register_external_session(self)

    @property
    def address(self) -> str:
        """Network address of the client."""
        return str(self.name[0]) if isinstance(self.name, tuple) else str(self.name)

    async def read(self, params: Any) -> Any:
        """Read; what the user may write is told by UserAccessLevel."""
        at_most(params.NodesToRead, limits.SERVER_NODES_PER_READ)
        results = await super().read(params)
        for index, wanted in enumerate(params.NodesToRead):
            if wanted.AttributeId == ua.AttributeIds.UserAccessLevel:
                results[index] = self._user_access(wanted.NodeId, results[index])
        return results

    def _user_access(self, node_id: ua.NodeId, value: ua.DataValue) -> ua.DataValue:
        space = self.iserver.served_space
        node = space.find(node_id)
        if node is None:
            return value
        level = space.access_of(node.variable)
        if not may_write(node.variable, self.user):
            level &= ~WRITE & 0x1F
        return ua.DataValue(ua.Variant(level, ua.VariantType.Byte))

    async def write(self, params: Any) -> list[ua.StatusCode]:
        """Write to the source, never to a node."""
        at_most(params.NodesToWrite, limits.SERVER_NODES_PER_WRITE)
        return await self.iserver.writes.write(params.NodesToWrite or [], self.user)

    async def call(self, params: Any) -> list[Any]:
        """Methods of conditions, and no others."""
        at_most(params, limits.SERVER_METHODS_PER_CALL)
        if self.iserver.methods is None:
            raise ServiceError(Codes.BadServiceUnsupported)
        return await self.iserver.methods.call(params or [], self.user, self._own_subscriptions_by_id().keys())

    async def browse(self, params: Any) -> Any:
        """Browse."""
        at_most(params.NodesToBrowse, limits.SERVER_NODES_PER_BROWSE)
        return await super().browse(params)

    async def translate_browsepaths_to_nodeids(self, params: Any) -> Any:
        """Find nodes by path."""
        at_most(params, limits.SERVER_NODES_PER_TRANSLATE)
        return await super().translate_browsepaths_to_nodeids(params)

    async def create_subscription(self, params: Any, callback: Any, request_callback: Any = None) -> Any:
        """A subscription within the session's budget, not faster than we can serve."""
        if len(self._own_subscriptions()) >= limits.SERVER_SUBSCRIPTIONS_PER_SESSION:
            raise ServiceError(Codes.BadTooManySubscriptions)
        wanted = params.RequestedPublishingInterval
        wanted = wanted if math.isfinite(wanted) else limits.SERVER_PUBLISHING_MS_MOST
        least, most = limits.SERVER_PUBLISHING_MS_LEAST, limits.SERVER_PUBLISHING_MS_MOST
        params.RequestedPublishingInterval = min(max(wanted, least), most)
        return await super().create_subscription(params, callback, request_callback)

    async def create_monitored_items(self, params: Any) -> Any:
        """Monitored items within the budgets."""
        at_most(params.ItemsToCreate, limits.SERVER_ITEMS_PER_CALL)
        self._check_own(params.SubscriptionId)
        count = len(params.ItemsToCreate or [])
        own = sum(_items(subscription) for subscription in self._own_subscriptions())
        everybody = sum(_items(each) for each in self.subscription_service.subscriptions.values())
        if own + count > limits.SERVER_MONITORED_ITEMS_PER_SESSION:
            raise ServiceError(Codes.BadTooManyMonitoredItems)
        if everybody + count > limits.SERVER_MONITORED_ITEMS:
            raise ServiceError(Codes.BadTooManyMonitoredItems)
        self._check_filters(params.ItemsToCreate or [])
        results = await super().create_monitored_items(params)
        self._give_room(params, results)
        return results

    def _check_filters(self, items: list[Any]) -> None:
        """Asyncua takes a filter for one of the right kind."""
        events = [item for item in items if item.ItemToMonitor.AttributeId == ua.AttributeIds.EventNotifier]
        own = _event_items(self._own_subscriptions())
        everybody = _event_items(self.subscription_service.subscriptions.values())
        if events and (
            len(events) + own > limits.SERVER_EVENT_ITEMS_PER_SESSION
            or len(events) + everybody > limits.SERVER_EVENT_ITEMS
        ):
            raise ServiceError(Codes.BadTooManyMonitoredItems)
        for item in events:
            EventFilter.checked(item.RequestedParameters.Filter)
        if any(isinstance(item.RequestedParameters.Filter, ua.EventFilter) for item in items if item not in events):
            raise ServiceError(Codes.BadFilterNotAllowed)

    def _give_room(self, params: Any, results: list[Any]) -> None:
        """A refresh is longer than the queue of a value."""
        subscription = self._own_subscriptions_by_id()[params.SubscriptionId]
        numbers = {item.monitored_item_id: item for item in event_items(subscription)}
        for result in results:
            if result.MonitoredItemId in numbers:
                numbers[result.MonitoredItemId].queue_size = limits.SERVER_EVENTS_PER_ITEM
                result.RevisedQueueSize = limits.SERVER_EVENTS_PER_ITEM

    async def modify_monitored_items(self, params: Any) -> Any:
        """Change items; asyncua takes any queue size here."""
        at_most(params.ItemsToModify, limits.SERVER_ITEMS_PER_CALL)
        self._check_own(params.SubscriptionId)
        subscription = self._own_subscriptions_by_id()[params.SubscriptionId]
        events = {item.monitored_item_id for item in event_items(subscription)}
        for item in params.ItemsToModify or []:
            wanted = item.RequestedParameters
            of_event = item.MonitoredItemId in events
            wanted.QueueSize = min(max(wanted.QueueSize, 1), limits.SERVER_QUEUE_PER_ITEM)
            if of_event:
                wanted.QueueSize = limits.SERVER_EVENTS_PER_ITEM
            if wanted.Filter is not None and isinstance(wanted.Filter, ua.EventFilter) is not of_event:
                raise ServiceError(Codes.BadFilterNotAllowed)
            if wanted.Filter is not None and of_event:
                EventFilter.checked(wanted.Filter)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(self, params: Any) -> Any:
        """Delete items of an own subscription."""
        at_most(params.MonitoredItemIds, limits.SERVER_ITEMS_PER_CALL)
        self._check_own(params.SubscriptionId)
        return await super().delete_monitored_items(params)

    async def set_monitoring_mode(self, params: Any) -> Any:
        """Switch items of an own subscription."""
        at_most(params.MonitoredItemIds, limits.SERVER_ITEMS_PER_CALL)
        self._check_own(params.SubscriptionId)
        return await super().set_monitoring_mode(params)

    async def set_publishing_mode(self, params: Any) -> Any:
        """Switch own subscriptions."""
        for subscription in params.SubscriptionIds or []:
            self._check_own(subscription)
        return await super().set_publishing_mode(params)

    def modify_subscription(self, params: Any) -> Any:
        """Modify an own subscription."""
        self._check_own(params.SubscriptionId)
        return super().modify_subscription(params)

    def republish(self, params: Any) -> Any:
        """Repeat a notification of an own subscription."""
        self._check_own(params.SubscriptionId)
        return super().republish(params)

    async def delete_subscriptions(self, ids: list[int]) -> Any:
        """Delete own subscriptions; a foreign one is as good as unknown."""
        own = set(self._own_subscriptions_by_id())
        return await super().delete_subscriptions([each if each in own else 0 for each in ids])

    def publish(self, acks: Any = None) -> Any:
        """Acknowledge own notifications."""
        own = self._own_subscriptions_by_id()
        return super().publish([ack for ack in acks or [] if ack.SubscriptionId in own])

    def _own_subscriptions_by_id(self) -> dict[int, Any]:
        found = self.subscription_service.subscriptions
        return {number: each for number, each in found.items() if each.session_id == self.session_id}

    def _own_subscriptions(self) -> list[Any]:
        return list(self._own_subscriptions_by_id().values())

    def _check_own(self, subscription_id: int) -> None:
        if subscription_id not in self._own_subscriptions_by_id():
            raise ServiceError(Codes.BadSubscriptionIdInvalid)


def _event_items(subscriptions: Iterable[Any]) -> int:
    return sum(len(event_items(subscription)) for subscription in subscriptions)


def _items(subscription: Any) -> int:
    return len(subscription.monitored_item_srv._monitored_items)  # noqa: SLF001 - asyncua offers no count


class GuardedInternalServer(InternalServer):  # type: ignore[misc]
    """asyncua's server core, with our sessions, limits and clock."""

    time_task: Any
    served_space: ServedSpace
    writes: ClientWrites
    methods: ConditionMethods | None = None

    def __init__(self, user_manager: Any, clock: Clock) -> None:
        super().__init__(user_manager)
        self.subscription_service = ServedSubscriptions(self.aspace, self, self._variable_of)
        self.isession.subscription_service = self.subscription_service
        self.clock = clock
        self.allow_remote_admin = False
        self.max_session_timeout_ms = limits.SERVER_SESSION_TIMEOUT_MS
        self.max_unacked_messages_per_subscription = limits.SERVER_UNACKNOWLEDGED
        self.max_monitored_item_queue_size = limits.SERVER_QUEUE_PER_ITEM
        self.max_connections = limits.SERVER_CONNECTIONS
        self.max_subscriptions = limits.SERVER_SUBSCRIPTIONS

    def _variable_of(self, node_id: ua.NodeId) -> ServedVariable | None:
        node = self.served_space.find(node_id)
        return None if node is None else node.variable

    def decrypt_user_token(self, isession: Any, token: Any) -> tuple[str, str]:
        """Asyncua would decrypt here, in the event loop, and take broken algorithms; `Users.sign_in` did it already."""
        del isession
        return str(token.UserName), ""

    def verify_x509_token(self, isession: Any, token: Any, signature: Any) -> bytes:
        """Verified by `Users.sign_in` already; asyncua takes SHA-1 too."""
        del isession, signature
        return bytes(token.CertificateData)

    def create_session(self, name: Any, user: User | None = None, external: bool = False) -> Any:  # noqa: FBT001, FBT002 - asyncua's signature
        """A session within the budgets of the server and of the client's address."""
        if not external:
            return super().create_session(name)
        held = [session for session in self._external_sessions.values() if isinstance(session, GuardedSession)]
        ours = [session for session in held if session.address == str(name[0])]
        if len(held) >= limits.SERVER_SESSIONS or len(ours) >= limits.SERVER_SESSIONS_PER_ADDRESS:
            raise ServiceError(Codes.BadTooManySessions)
        return GuardedSession(self, self.aspace, self.subscription_service, name, user=user or User(), external=True)

    async def close_sessions(self) -> None:
        """End every client's session with its subscriptions."""
        for session in list(self._external_sessions.values()):
            if session.state is not SessionState.Closed:
                await session.close_session(delete_subs=True)

    async def stop(self) -> None:
        """Stop at once; asyncua would wait for its clock's second."""
        if self.time_task is not None:
            self.time_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.time_task
            self.time_task = None
        await super().stop()

    async def _set_current_time_loop(self) -> None:
        while not self._time_task_stop:
            now = dt.datetime.fromtimestamp(self.clock.now_ns() // 1_000 / 1e6, dt.UTC)
            await self.current_time_node.write_value(now)
            await asyncio.sleep(CLOCK_STEP_S)

"""The conditions of a server of ours, and who is told of them: events to subscribed clients, refreshes.

They have no nodes: a thousand of them cost what their states cost. What is queued for a client has a bound.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError

from tagsight_connectors.alarming import ConditionState
from tagsight_connectors.opcua.event_fields import (
    OVERFLOW,
    REFRESH_END,
    REFRESH_START,
    SERVER,
    Event,
    condition_event,
    server_event,
)
from tagsight_connectors.opcua.event_filter import EventFilter
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.quality import quality_of

UNSHELVE_TIME_HOLDS_NS: Final = 10_000_000_000
"""How old the time that is left of a shelving may be when it is told again."""


@dataclass
class Conditions:
    """What clients know of the conditions.

    Attributes:
        iserver: asyncua's server core: its subscriptions are told.
        namespace: index of our nodes.
        clock: of the server.
        states: by identifier.
    """

    iserver: Any
    namespace: int
    clock: Clock
    states: dict[str, ConditionState] = field(default_factory=dict)
    _shown: Sequence[ConditionState] = ()
    _events: dict[str, tuple[ConditionState, Event, int]] = field(default_factory=dict)

    def find(self, node_id: Any) -> ConditionState | None:
        """The condition with this ConditionId."""
        ours = node_id.NamespaceIndex == self.namespace and isinstance(node_id.Identifier, str)
        return self.states.get(node_id.Identifier) if ours else None

    def show(self, states: Sequence[ConditionState]) -> int:
        """Take these states over and tell clients what is new for them; how many events that were."""
        if states is self._shown:
            return 0
        before, self.states, self._shown = self.states, {one.identifier: one for one in states}, states
        told = [one for one in states if is_news(before.get(one.identifier), one)]
        told += [replace(one, enabled=False) for name, one in before.items() if name not in self.states and one.retain]
        for one in told:
            self._tell(self._items(), self._event(one))
        return len(told)

    def refresh(self, subscription: Any, item: int | None = None) -> None:
        """Tell one subscription (or one item of it) of everything that operators still need to see."""
        items = [(subscription, each) for each in event_items(subscription) if item in {None, each.monitored_item_id}]
        if item is not None and not items:
            raise ServiceError(ua.StatusCodes.BadMonitoredItemIdInvalid)
        now_ns = self.clock.now_ns()
        self._tell(items, server_event(REFRESH_START, "refresh begins", now_ns))
        for state in self.states.values():
            if state.retain:
                self._tell(items, self._event(state))
        self._tell(items, server_event(REFRESH_END, "refresh ends", now_ns))

    def _event(self, state: ConditionState) -> Event:
        """The same object for the same state: however often clients refresh, it takes memory once."""
        now_ns = self.clock.now_ns()
        known, event, made_ns = self._events.get(state.identifier, (None, None, 0))
        if event is None or known != state or (state.shelved and now_ns - made_ns > UNSHELVE_TIME_HOLDS_NS):
            event, made_ns = condition_event(state, self.namespace, now_ns), now_ns
        if state.retain:
            self._events[state.identifier] = state, event, made_ns
        else:
            self._events.pop(state.identifier, None)
        return event

    def _items(self) -> Iterator[tuple[Any, Any]]:
        for subscription in list(self.iserver.subscription_service.subscriptions.values()):
            for item in event_items(subscription):
                yield subscription, item

    def _tell(self, items: Iterable[tuple[Any, Any]], event: Event) -> None:
        for subscription, item in items:
            wanted = filter_of(item)
            if item.mode == ua.MonitoringMode.Reporting and wanted is not None and wanted.passes(event):
                queue = subscription._triggered_events.setdefault(item.monitored_item_id, [])  # noqa: SLF001 - asyncua drops the oldest unsaid
                self._make_room(queue, item, wanted)
                queue.append(_told(item, wanted, event))

    def _make_room(self, queue: list[Any], item: Any, wanted: EventFilter) -> None:
        """Drop the oldest events of a client that does not fetch them; the first of the queue then says so."""
        if len(queue) < item.queue_size:
            return
        if queue[0] is not getattr(item, "overflow", None):
            told = server_event(OVERFLOW, "events were dropped: refresh", self.clock.now_ns())
            queue[0] = item.overflow = _field_list(item, wanted, told)
        del queue[1 : len(queue) - item.queue_size + 2]


def is_news(before: ConditionState | None, now: ConditionState) -> bool:
    """Whether clients are told: every change of state, and the first complete message; not each new wording of it.

    Of a condition that nobody needs to see, a quality alone is no news.
    """
    if before is None:
        return now.retain
    if _without_words(before) != _without_words(now):
        return True
    return now.retain and (before.complete, quality_of(before.quality)) != (now.complete, quality_of(now.quality))


def _without_words(state: ConditionState) -> ConditionState:
    return replace(state, message="", complete=True, quality=0, quality_ns=0)


def filter_of(item: Any) -> EventFilter | None:
    """The checked filter of an event item; kept with it until the client changes it."""
    kept = getattr(item, "checked", None)
    if kept is not None and item.checked_from is item.filter:
        return kept
    try:
        item.checked = EventFilter.checked(item.filter)
    except ServiceError:
        return None
    item.checked_from = item.filter
    return item.checked


def event_items(subscription: Any) -> list[Any]:
    """Items of a subscription for the events of the server."""
    service = subscription.monitored_item_srv
    numbers = service._monitored_events.get(SERVER, ())  # noqa: SLF001 - asyncua offers no list
    return [service._monitored_items[number] for number in numbers if number in service._monitored_items]  # noqa: SLF001


def _told(item: Any, wanted: EventFilter, event: Event) -> Any:
    """What a client hears of an event; again the same object, for it may lie in many notifications."""
    if event.condition is None:
        return _field_list(item, wanted, event)
    kept = item.__dict__.setdefault("told", {})
    known, clauses, fields = kept.get(event.condition.Identifier, (None, None, None))
    if known is not event or clauses is not wanted:
        fields = _field_list(item, wanted, event)
    kept[event.condition.Identifier] = event, wanted, fields
    return fields


def _field_list(item: Any, wanted: EventFilter, event: Event) -> Any:
    return ua.EventFieldList(ClientHandle=item.client_handle, EventFields=event.select(wanted.clauses))

"""What an event of a condition tells: its fields by browse path, as OPC 10000-9 names them. Pure.

A condition of ours is an ExclusiveLimitAlarmType of a score with one limit, without branches and without nodes of its
own (OPC 10000-9, 5.5.2: a server need not show condition instances in its address space).
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.alarming import ConditionState, Shelving
from tagsight_connectors.opcua.server_writes import EPOCH, MICROSECOND

IDS: Final = ua.ObjectIds
KINDS: Final = ua.VariantType

SERVER: Final = ua.NodeId(IDS.Server)
REFRESH_START: Final = ua.NodeId(IDS.RefreshStartEventType)
REFRESH_END: Final = ua.NodeId(IDS.RefreshEndEventType)
OVERFLOW: Final = ua.NodeId(IDS.EventQueueOverflowEventType)
ALARM: Final = ua.NodeId(IDS.ExclusiveLimitAlarmType)
ALARM_TYPES: Final = tuple(
    ua.NodeId(number)
    for number in (
        IDS.ExclusiveLimitAlarmType, IDS.LimitAlarmType, IDS.AlarmConditionType, IDS.AcknowledgeableConditionType,
        IDS.ConditionType, IDS.BaseEventType,
    )
)  # fmt: skip
"""The type of our conditions and all that it is derived from."""

SYSTEM_SEVERITY: Final = 100
OCCURRENCE_BYTES: Final = 8
NOTHING: Final = ua.Variant(None)

SHELVING: Final = {
    Shelving.UNSHELVED: ("Unshelved", IDS.ShelvedStateMachineType_Unshelved),
    Shelving.TIMED: ("Timed Shelved", IDS.ShelvedStateMachineType_TimedShelved),
    Shelving.ONE_SHOT: ("One Shot Shelved", IDS.ShelvedStateMachineType_OneShotShelved),
}


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        types: its type, then all that it is derived from.
        condition: NodeId of the condition; None for the server's own events.
        fields: value by browse path, levels joined by `/`.
    """

    types: tuple[ua.NodeId, ...]
    condition: ua.NodeId | None = None
    fields: Mapping[str, ua.Variant] = field(default_factory=dict)

    def select(self, clauses: list[Any]) -> list[ua.Variant]:
        """The fields that a filter asks for; nothing for those that there are not."""
        return [self.pick(clause.BrowsePath or [], clause.AttributeId) for clause in clauses]

    def pick(self, path: list[Any], attribute: int) -> ua.Variant:
        """One field. An empty path with the attribute NodeId is the condition itself (OPC 10000-9, 5.5.2.13)."""
        if path:
            wanted = attribute in {0, ua.AttributeIds.Value}
            return self.fields.get("/".join(level.Name or "" for level in path), NOTHING) if wanted else NOTHING
        if attribute == ua.AttributeIds.NodeId and self.condition is not None:
            return ua.Variant(self.condition, KINDS.NodeId)
        return NOTHING


def server_event(kind: ua.NodeId, message: str, now_ns: int) -> Event:
    """An event of the server about its events: a refresh begins or ends, a queue was too short."""
    base = ua.NodeId(IDS.BaseEventType)
    types = (kind, base) if kind == OVERFLOW else (kind, ua.NodeId(IDS.SystemEventType), base)
    found = _base_fields(kind, SERVER, "Server", message, SYSTEM_SEVERITY)
    found |= {
        "EventId": ua.Variant(secrets.token_bytes(16), KINDS.ByteString),
        "Time": _time(now_ns),
        "ReceiveTime": _time(now_ns),
    }
    return Event(types, None, found)


def condition_event(state: ConditionState, namespace: int, now_ns: int) -> Event:
    """The event that tells the present state of a condition; the same state has the same EventId."""
    source = ua.NodeId(f"{state.source}/", namespace)
    found = _base_fields(ALARM, source, state.source, state.message, state.severity)
    found |= {
        "EventId": ua.Variant(event_id(state), KINDS.ByteString),
        "Time": _time(state.changed_ns or now_ns),
        "ReceiveTime": _time(now_ns),
    }
    found |= _condition_fields(state)
    found |= _alarm_fields(state, namespace, now_ns)
    return Event(ALARM_TYPES, ua.NodeId(state.identifier, namespace), found)


def event_id(state: ConditionState) -> bytes:
    """Names occurrence and state; a client hands it back with its acknowledgement, also after a restart of ours."""
    told = hashlib.sha256(repr(state).encode()).digest()
    return state.occurrence.to_bytes(OCCURRENCE_BYTES, "big", signed=True) + told[:OCCURRENCE_BYTES]


def occurrence_of(event: Any) -> int | None:
    """The occurrence that an EventId names; None where it is none of ours."""
    if not isinstance(event, bytes) or len(event) != 2 * OCCURRENCE_BYTES:
        return None
    return int.from_bytes(event[:OCCURRENCE_BYTES], "big", signed=True)


def _base_fields(kind: ua.NodeId, source: ua.NodeId, name: str, message: str, severity: int) -> dict[str, ua.Variant]:
    return {
        "EventType": ua.Variant(kind, KINDS.NodeId),
        "SourceNode": ua.Variant(source, KINDS.NodeId),
        "SourceName": ua.Variant(name, KINDS.String),
        "Message": _text(message),
        "Severity": ua.Variant(severity, KINDS.UInt16),
    }


def _condition_fields(state: ConditionState) -> dict[str, ua.Variant]:
    return {
        "ConditionClassId": ua.Variant(ua.NodeId(IDS.MaintenanceConditionClassType), KINDS.NodeId),
        "ConditionClassName": _text("MaintenanceConditionClassType"),
        "ConditionName": ua.Variant(state.name, KINDS.String),
        "BranchId": ua.Variant(ua.NodeId(), KINDS.NodeId),
        "Retain": ua.Variant(state.retain, KINDS.Boolean),
        "Quality": ua.Variant(ua.StatusCode(ua.UInt32(state.quality)), KINDS.StatusCode),
        "Quality/SourceTimestamp": _time(state.quality_ns),
        "LastSeverity": ua.Variant(state.severity, KINDS.UInt16),
        "LastSeverity/SourceTimestamp": _time(state.active_ns),
        "Comment": _text(state.comment),
        "Comment/SourceTimestamp": _time(state.comment_ns),
        "ClientUserId": ua.Variant(state.comment_by, KINDS.String),
        **_two_states("EnabledState", ("Enabled", "Disabled"), 0, on=state.enabled),
        **_two_states("AckedState", ("Acknowledged", "Unacknowledged"), state.acknowledged_ns, on=state.acknowledged),
        **_two_states("ConfirmedState", ("Confirmed", "Unconfirmed"), state.confirmed_ns, on=state.confirmed),
    }


def _alarm_fields(state: ConditionState, namespace: int, now_ns: int) -> dict[str, ua.Variant]:
    return {
        **_two_states("ActiveState", ("Active", "Inactive"), state.active_ns, on=state.active),
        **_two_states("SuppressedState", ("Suppressed", "Unsuppressed"), 0, on=state.suppressed),
        **_shelving_fields(state, now_ns),
        "SuppressedOrShelved": ua.Variant(state.suppressed or state.shelved, KINDS.Boolean),
        "InputNode": ua.Variant(ua.NodeId(state.input, namespace), KINDS.NodeId),
        "HighLimit": ua.Variant(state.limit, KINDS.Double),
        **_limit_fields(state),
    }


def _limit_fields(state: ConditionState) -> dict[str, ua.Variant]:
    """Where the score is: `High`, or nowhere (OPC 10000-9, 5.8.19.3: no state while the alarm is inactive)."""
    if not state.active:
        return {}
    high = ua.NodeId(IDS.ExclusiveLimitStateMachineType_High)
    return {
        "LimitState/CurrentState": _text("High"),
        "LimitState/CurrentState/Id": ua.Variant(high, KINDS.NodeId),
    }


def _shelving_fields(state: ConditionState, now_ns: int) -> dict[str, ua.Variant]:
    words, number = SHELVING[state.shelving]
    left_ms = max(state.shelved_until_ns - now_ns, 0) / 1e6 if state.shelved else 0.0
    return {
        "ShelvingState/CurrentState": _text(words),
        "ShelvingState/CurrentState/Id": ua.Variant(ua.NodeId(number), KINDS.NodeId),
        "ShelvingState/LastTransition/TransitionTime": _time(state.shelving_ns),
        "ShelvingState/UnshelveTime": ua.Variant(left_ms, KINDS.Double),
    }


def _two_states(name: str, words: tuple[str, str], changed_ns: int, *, on: bool) -> dict[str, ua.Variant]:
    return {
        name: _text(words[0] if on else words[1]),
        f"{name}/Id": ua.Variant(on, KINDS.Boolean),
        f"{name}/TransitionTime": _time(changed_ns),
    }


def _text(text: str) -> ua.Variant:
    return ua.Variant(ua.LocalizedText(text), KINDS.LocalizedText)


def _time(time_ns: int) -> ua.Variant:
    return ua.Variant(EPOCH + time_ns // 1_000 * MICROSECOND, KINDS.DateTime) if time_ns else NOTHING

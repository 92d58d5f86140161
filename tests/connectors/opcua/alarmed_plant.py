"""A plant with one condition on the score of a pump, and what a client hears of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from asyncua import Client, ua

from tagsight_connectors.alarming import Act, ConditionAct, ConditionState, Shelving
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tests.connectors.opcua.served_plant import SECOND, START_NS, URI, Plant, RealClock, authenticate

IDS = ua.ObjectIds
PUMP = ConditionState("P101/Health/Condition", "P101/Health", "P101/Health", "P101/Health/Score")
ALARM = replace(
    PUMP, occurrence=START_NS, active=True, active_ns=START_NS, acknowledged=False, message="P101: flow too low"
)
DEADLINE_S = 10
FIELDS = (
    "EventId", "EventType", "SourceNode", "SourceName", "Message", "Severity", "Time", "ConditionName", "Retain",
    "Quality", "Comment", "ClientUserId", "EnabledState/Id", "ActiveState/Id", "AckedState/Id", "ConfirmedState/Id",
    "SuppressedOrShelved", "ShelvingState/CurrentState/Id", "ShelvingState/UnshelveTime", "LimitState/CurrentState",
)  # fmt: skip


@dataclass
class Alarms:
    """As the ledger is one: acts become states only when it says so."""

    states: tuple[ConditionState, ...] = (PUMP,)
    longest_shelving_ns: int = 3_600 * SECOND
    acts: list[ConditionAct] = field(default_factory=list)
    broken: bool = False

    def conditions(self) -> tuple[ConditionState, ...]:
        return self.states

    def act(self, act: ConditionAct) -> bool:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.acts.append(act)
        return True

    def become(self, *states: ConditionState) -> None:
        self.states = states

    def follow(self) -> None:
        """Show what the newest act asked for."""
        act, state = self.acts[-1], self.states[0]
        said = {"comment": act.comment, "comment_by": act.user, "comment_ns": act.time_ns}
        if act.act is Act.ACKNOWLEDGE:
            self.become(replace(state, acknowledged=True, acknowledged_ns=act.time_ns, confirmed=False, **said))
        elif act.act is Act.SHELVE:
            until = {"shelved_until_ns": act.until_ns, "shelving_ns": act.time_ns}
            self.become(replace(state, shelving=Shelving.TIMED, **until))


class Ear:
    """What a subscription hears, as plain values by path."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def event_notification(self, event: Any) -> None:
        fields = event.get_event_props_as_fields_dict()
        self.heard.put_nowait({name: field.Value for name, field in fields.items()})

    async def next(self) -> dict[str, Any]:
        return await asyncio.wait_for(self.heard.get(), DEADLINE_S)


@dataclass
class AlarmedPlant(Plant):
    """`alarms` is what the server shows."""

    alarms: Alarms = field(default_factory=Alarms)

    def make_server(self, **changes: Any) -> TagServer:
        settings = ServerSettings("127.0.0.1", 0, self.folder / "server", "urn:test:server", URI, poll_s=0)
        self.server = TagServer(self.source, replace(settings, **changes), authenticate, RealClock(), self.alarms)
        return self.server

    async def become(self, *states: ConditionState) -> None:
        self.alarms.become(*states)
        await self.server.publish()

    @asynccontextmanager
    async def listening(
        self, user: str = "olga", where: Callable[[], ua.ContentFilter] = ua.ContentFilter
    ) -> AsyncIterator[tuple[Client, Ear, Any]]:
        """A client with a subscription to the events of the server."""
        async with self.client(user) as client:
            ear = Ear()
            subscription = await client.create_subscription(50, ear)
            wanted = ua.EventFilter(SelectClauses=[clause(path) for path in FIELDS], WhereClause=where())
            wanted.SelectClauses.append(
                ua.SimpleAttributeOperand(ua.NodeId(IDS.ConditionType), [], ua.AttributeIds.NodeId)
            )
            await subscription.subscribe_events(client.nodes.server, evfilter=wanted)
            yield client, ear, subscription

    async def call(self, client: Client, method: int, *arguments: ua.Variant, on: str = PUMP.identifier) -> int:
        """StatusCode of one method of the condition."""
        index = await client.get_namespace_index(URI)
        request = ua.CallMethodRequest(ua.NodeId(on, index), ua.NodeId(method), list(arguments))
        (result,) = await client.uaclient.call([request])
        return int(result.StatusCode.value)

    async def refresh(self, client: Client, subscription: Any) -> int:
        argument = ua.Variant(subscription.subscription_id, ua.VariantType.UInt32)
        method = ua.NodeId(IDS.ConditionType_ConditionRefresh)
        (result,) = await client.uaclient.call([ua.CallMethodRequest(ua.NodeId(IDS.ConditionType), method, [argument])])
        return int(result.StatusCode.value)


def clause(path: str) -> ua.SimpleAttributeOperand:
    levels = [ua.QualifiedName(level, 0) for level in path.split("/")]
    return ua.SimpleAttributeOperand(ua.NodeId(IDS.BaseEventType), levels, ua.AttributeIds.Value)


def event_and_comment(event: bytes, comment: str) -> tuple[ua.Variant, ua.Variant]:
    return (
        ua.Variant(event, ua.VariantType.ByteString),
        ua.Variant(ua.LocalizedText(comment), ua.VariantType.LocalizedText),
    )

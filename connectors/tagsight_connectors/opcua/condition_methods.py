"""What operators do to conditions over OPC UA: acknowledge, confirm, comment, shelve; and refreshes.

Nothing is changed here: an act is stored by the source before Good is answered, and becomes visible when the source
says so. Other methods are not served.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import ServiceError

from tagsight_connectors.alarming import Act, ConditionAct, ConditionSource, ConditionState
from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.conditions import Conditions
from tagsight_connectors.opcua.event_fields import occurrence_of
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.opcua.server_users import SignedIn
from tagsight_connectors.serving import UserRole

Codes = ua.StatusCodes
IDS: Final = ua.ObjectIds
KINDS: Final = ua.VariantType
MILLISECOND: Final = 1_000_000

ACTS: Final[dict[int, tuple[Act, tuple[ua.VariantType, ...]]]] = {
    IDS.AcknowledgeableConditionType_Acknowledge: (Act.ACKNOWLEDGE, (KINDS.ByteString, KINDS.LocalizedText)),
    IDS.AcknowledgeableConditionType_Confirm: (Act.CONFIRM, (KINDS.ByteString, KINDS.LocalizedText)),
    IDS.ConditionType_AddComment: (Act.COMMENT, (KINDS.ByteString, KINDS.LocalizedText)),
    IDS.ShelvedStateMachineType_TimedShelve: (Act.SHELVE, (KINDS.Double,)),
    IDS.ShelvedStateMachineType_TimedShelve2: (Act.SHELVE, (KINDS.Double, KINDS.LocalizedText)),
    IDS.ShelvedStateMachineType_OneShotShelve: (Act.SHELVE_ONCE, ()),
    IDS.ShelvedStateMachineType_OneShotShelve2: (Act.SHELVE_ONCE, (KINDS.LocalizedText,)),
    IDS.ShelvedStateMachineType_Unshelve: (Act.UNSHELVE, ()),
    IDS.ShelvedStateMachineType_Unshelve2: (Act.UNSHELVE, (KINDS.LocalizedText,)),
}
"""Methods by the NodeId that they have in their type, with the types of their arguments."""

REFRESHES: Final[dict[int, tuple[ua.VariantType, ...]]] = {
    IDS.ConditionType_ConditionRefresh: (KINDS.UInt32,),
    IDS.ConditionType_ConditionRefresh2: (KINDS.UInt32, KINDS.UInt32),
}

_log: Final = logging.getLogger(__name__)


@dataclass
class ConditionMethods:
    """The Call service of our servers."""

    conditions: Conditions
    source: ConditionSource
    clock: Clock
    stored: Callable[[], Awaitable[Any]]
    """Called after an act was stored."""

    async def call(self, calls: list[Any], user: Any, subscriptions: Collection[int]) -> list[Any]:
        """Answer each call by itself, in order; `subscriptions` are those of the caller."""
        answers = []
        for each in calls:
            answers.append(await self._answer(each, user, subscriptions))
            await asyncio.sleep(0)  # other clients are served between
        if any(answer == Codes.Good for answer in answers):
            await self.stored()
        return [ua.CallMethodResult(StatusCode=ua.StatusCode(ua.UInt32(answer))) for answer in answers]

    async def _answer(self, call: Any, user: Any, subscriptions: Collection[int]) -> int:
        method = call.MethodId.Identifier if call.MethodId.NamespaceIndex == 0 else None
        try:
            if method in REFRESHES:
                return self._refresh(_arguments(call, REFRESHES[method]), subscriptions)
            if method not in ACTS:
                return int(Codes.BadMethodInvalid)
            act, kinds = ACTS[method]
            return await self._act(act, call, _arguments(call, kinds), user)
        except ServiceError as refusal:
            return int(refusal.code)

    def _refresh(self, arguments: list[Any], subscriptions: Collection[int]) -> int:
        if arguments[0] not in subscriptions:
            return int(Codes.BadSubscriptionIdInvalid)
        subscription = self.conditions.iserver.subscription_service.subscriptions[arguments[0]]
        self.conditions.refresh(subscription, *arguments[1:])
        return int(Codes.Good)

    async def _act(self, act: Act, call: Any, arguments: list[Any], user: Any) -> int:
        state = self.conditions.find(call.ObjectId)
        if state is None:
            return int(Codes.BadNodeIdUnknown)
        if not isinstance(user, SignedIn) or user.rank is None or user.rank < UserRole.OPERATOR:
            return int(Codes.BadUserAccessDenied)
        asked = self._asked(act, state, arguments, str(user.name))
        try:
            taken = await asyncio.to_thread(self.source.act, asked)
        except Exception:  # noqa: BLE001 - the operator must not take a failed commit for Good, whatever failed
            _log.exception("an act on %s could not be stored", state.identifier)
            return int(Codes.BadResourceUnavailable)
        return int(Codes.Good if taken else Codes.BadOutOfRange)

    def _asked(self, act: Act, state: ConditionState, arguments: list[Any], user: str) -> ConditionAct:
        now_ns = self.clock.now_ns()
        occurrence = _occurrence(act, state, arguments[0]) if arguments and isinstance(arguments[0], bytes) else 0
        comment = _comment(arguments[-1]) if arguments and isinstance(arguments[-1], ua.LocalizedText) else ""
        until_ns = 0
        if act in {Act.SHELVE, Act.SHELVE_ONCE}:
            until_ns = now_ns + self._shelving_ns(act, state, arguments)
        elif act is Act.UNSHELVE and not state.shelved:
            raise ServiceError(Codes.BadConditionNotShelved)
        return ConditionAct(state.identifier, act, user, now_ns, occurrence, comment, until_ns)

    def _shelving_ns(self, act: Act, state: ConditionState, arguments: list[Any]) -> int:
        longest = self.source.longest_shelving_ns
        if act is Act.SHELVE_ONCE:
            if state.shelved:
                raise ServiceError(Codes.BadConditionAlreadyShelved)
            return longest
        wanted_ms = arguments[0]
        if not math.isfinite(wanted_ms) or not 0 < wanted_ms * MILLISECOND <= longest:
            raise ServiceError(Codes.BadShelvingTimeOutOfRange)
        return int(wanted_ms * MILLISECOND)


def _arguments(call: Any, kinds: tuple[ua.VariantType, ...]) -> list[Any]:
    """The arguments as plain values; raises ServiceError where they are not those of the method."""
    given = call.InputArguments or []
    if len(given) != len(kinds):
        raise ServiceError(Codes.BadArgumentsMissing if len(given) < len(kinds) else Codes.BadTooManyArguments)
    return [_argument(one, kind) for one, kind in zip(given, kinds, strict=True)]


def _argument(given: Any, kind: ua.VariantType) -> Any:
    if kind is KINDS.LocalizedText and (given.Value is None or given.VariantType is KINDS.Null):
        return ua.LocalizedText("")  # no comment
    if given.VariantType is not kind or given.is_array or given.Value is None:
        raise ServiceError(Codes.BadEventIdUnknown if kind is KINDS.ByteString else Codes.BadInvalidArgument)
    return given.Value


def _occurrence(act: Act, state: ConditionState, event: bytes) -> int:
    """The alarm that an EventId names, if it is the newest of the condition, and the act still to be done."""
    occurrence = occurrence_of(event)
    if not occurrence or occurrence != state.occurrence:
        raise ServiceError(Codes.BadEventIdUnknown)
    if act is Act.ACKNOWLEDGE and state.acknowledged:
        raise ServiceError(Codes.BadConditionBranchAlreadyAcked)
    if act is Act.CONFIRM and state.confirmed:
        raise ServiceError(Codes.BadConditionBranchAlreadyConfirmed)
    return occurrence


def _comment(text: Any) -> str:
    comment = text.Text or ""
    if len(comment) > limits.SERVER_COMMENT_CHARACTERS:
        raise ServiceError(Codes.BadOutOfRange)
    return str(comment)

"""What a client writes: judged by role and type, answered Good only after the source stored it."""

import asyncio
import datetime as dt
import logging
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua

from tagsight_connectors.opcua.limits import SERVER_TEXT_BYTES
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.opcua.server_space import ServedSpace, variant_type_of
from tagsight_connectors.opcua.server_users import SignedIn
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.serving import ClientWrite, ServedSource, ServedVariable
from tagsight_connectors.tag import DataType

MICROSECOND: Final = dt.timedelta(microseconds=1)
EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

Codes = ua.StatusCodes
_log: Final = logging.getLogger(__name__)


class Refused(Exception):
    """A write that is not taken; the code is the answer."""

    def __init__(self, code: int) -> None:
        super().__init__(f"0x{code:08X}")
        self.code = code


@dataclass
class ClientWrites:
    """The Write service of our servers."""

    space: ServedSpace
    source: ServedSource
    clock: Clock
    stored: Callable[[], Awaitable[Any]]
    """Called after values were stored, so that the nodes show what the source now says."""

    async def write(self, values: list[ua.WriteValue], user: Any) -> list[ua.StatusCode]:
        """Answer each value by itself, in order."""
        answers = [await self._answer(value, user) for value in values]
        if any(answer == Codes.Good for answer in answers):
            await self.stored()
        return [ua.StatusCode(ua.UInt32(answer)) for answer in answers]

    async def _answer(self, value: ua.WriteValue, user: Any) -> int:
        try:
            write = self._judged(value, user)
        except Refused as refusal:
            return refusal.code
        try:
            accepted = await asyncio.to_thread(self.source.accept, write)
        except Exception:  # noqa: BLE001 - the client must not take a failed commit for Good, whatever failed
            _log.exception("a write to %s could not be stored", write.identifier)
            return int(Codes.BadResourceUnavailable)
        return int(Codes.Good if accepted else Codes.BadOutOfRange)

    def _judged(self, value: ua.WriteValue, user: Any) -> ClientWrite:
        if value.AttributeId != ua.AttributeIds.Value:
            raise Refused(Codes.BadNotWritable)
        if value.IndexRange:
            raise Refused(Codes.BadWriteNotSupported)
        variable = self._writable(value.NodeId, user)
        data = value.Value
        status = int(data.StatusCode.value) if data.StatusCode is not None else 0
        if status and not self.space.client_times:
            raise Refused(Codes.BadWriteNotSupported)
        plain = _plain(variable, data.Value, status, any_number=self.space.client_times)
        time_ns = self.clock.now_ns()
        if self.space.client_times and data.SourceTimestamp is not None:
            time_ns = ns_of(data.SourceTimestamp)
        return ClientWrite(variable.identifier, plain, str(user.name), time_ns, status)

    def _writable(self, node_id: ua.NodeId, user: Any) -> ServedVariable:
        node = self.space.find(node_id)
        if node is None:
            raise Refused(Codes.BadNotWritable if node_id in self.space.space else Codes.BadNodeIdUnknown)
        if node.variable.writable_by is None:
            raise Refused(Codes.BadNotWritable)
        if not may_write(node.variable, user):
            raise Refused(Codes.BadUserAccessDenied)
        return node.variable


def may_write(variable: ServedVariable, user: Any) -> bool:
    """Whether the role of this user suffices."""
    if variable.writable_by is None or not isinstance(user, SignedIn) or user.rank is None:
        return False
    return user.rank >= variable.writable_by


def ns_of(time: dt.datetime) -> int:
    """UTC ns of a time that asyncua decoded."""
    aware = time if time.tzinfo is not None else time.replace(tzinfo=dt.UTC)
    return (aware - EPOCH) // MICROSECOND * 1_000


def _plain(variable: ServedVariable, variant: Any, status: int, *, any_number: bool) -> float | int | bool | str:
    """The Python value, if the type is the variable's own."""
    if variant is None or variant.VariantType is ua.VariantType.Null:
        if quality_of(status) is not Quality.BAD:
            raise Refused(Codes.BadTypeMismatch)
        return "" if variable.data_type is DataType.TEXT else math.nan
    if variant.is_array or variant.VariantType is not variant_type_of(variable):
        raise Refused(Codes.BadTypeMismatch)
    plain: float | int | bool | str | None = variant.Value
    if plain is None or (isinstance(plain, str) and len(plain.encode(errors="replace")) > SERVER_TEXT_BYTES):
        raise Refused(Codes.BadOutOfRange)
    if isinstance(plain, float) and not math.isfinite(plain) and not any_number:
        raise Refused(Codes.BadOutOfRange)
    return plain

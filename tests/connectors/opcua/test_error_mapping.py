"""Every error of asyncua, asyncio and sockets has a meaning of ours."""

import asyncio

import pytest
from asyncua import ua
from asyncua.common.utils import NotEnoughData, ServiceError, SocketClosedException
from asyncua.ua.uaerrors import UaStatusCodeErrors, UaStringParsingError, UaStructParsingError

from tagsight_connectors.errors import AccessRefused, HistorianError, MalformedData, NotConnected, UnknownTag
from tagsight_connectors.opcua.error_mapping import (
    NoAnswer,
    ServiceFailed,
    TooLarge,
    historian_error,
    is_mapped,
    our_errors,
    status_error,
)

CODES = sorted(kind.__name__ for kind in ua.UaStatusCodeError._subclasses.values() if kind is not UaStatusCodeErrors)


def test_every_status_code_error_of_asyncua_has_a_row() -> None:
    assert len(CODES) > 200
    assert [name for name in CODES if not is_mapped(name)] == []


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ua.UaStatusCodeError(ua.StatusCodes.BadSessionIdInvalid), NotConnected),
        (ua.UaStatusCodeError(ua.StatusCodes.BadTcpMessageTooLarge), TooLarge),
        (ua.UaStatusCodeError(ua.StatusCodes.BadUserAccessDenied), AccessRefused),
        (ua.UaStatusCodeError(ua.StatusCodes.BadTimeout), NoAnswer),
        (ua.UaStatusCodeError(ua.StatusCodes.BadNodeIdUnknown), UnknownTag),
        (ServiceError(ua.StatusCodes.BadCertificateUntrusted), AccessRefused),
        (UaStatusCodeErrors([0, ua.StatusCodes.BadInternalError]), ServiceFailed),
        (ConnectionResetError("reset"), NotConnected),
        (OSError(111, "refused"), NotConnected),
        (TimeoutError(), NoAnswer),
        (NotEnoughData("few"), MalformedData),
        (UaStructParsingError("x"), MalformedData),
        (UaStringParsingError("x"), MalformedData),
        (SocketClosedException("x"), ServiceFailed),
        (ua.UaError("x"), ServiceFailed),
        (RecursionError("deep"), MalformedData),
        (UnknownTag("a"), UnknownTag),
    ],
    ids=lambda each: each.__name__ if isinstance(each, type) else type(each).__name__,
)
def test_an_error_of_a_library_becomes_one_of_ours(error: Exception, expected: type[HistorianError]) -> None:
    found = historian_error(error, url="opc.tcp://a", what="Read")
    assert isinstance(found, expected)
    assert str(found)


def test_a_status_code_that_nobody_knows_is_a_failure_of_the_server() -> None:
    assert isinstance(status_error(0x8FFF0000, url="u", what="Read"), ServiceFailed)


async def test_a_cancellation_stays_one() -> None:
    with pytest.raises(asyncio.CancelledError):
        async with our_errors("u", "Read"):
            raise asyncio.CancelledError

"""What asyncua, the sockets and the StatusCodes of a server mean in our words: the one place that says it.

A test walks every StatusCode error of asyncua and fails on one that stands in no row here.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from asyncua import ua
from asyncua.common.utils import NotEnoughData, ServiceError
from asyncua.ua import status_codes
from asyncua.ua.uaerrors import UaStringParsingError, UaStructParsingError

from tagsight_connectors.errors import (
    AccessRefused,
    CertificateNotTrusted,
    HistorianError,
    LimitExceeded,
    MalformedData,
    NotConnected,
    UnknownTag,
    Unsupported,
)


@dataclass
class TooLarge(LimitExceeded):
    """The server finds a request or its answer too large; a smaller request may do."""

    limit: str = "size of one request or answer"
    allowed: int = 0
    found: int = 0
    cause: str = ""

    def __str__(self) -> str:
        return f"the server refuses a request or an answer of this size: {self.cause}"


@dataclass
class NoAnswer(NotConnected):
    """A request was not answered in time; a smaller one may be."""


@dataclass
class Silent(NotConnected):
    """Nor was a small request after it: the peer is gone without a word, or busy with what was asked for long."""


@dataclass
class ServiceFailed(HistorianError):
    """The server could not do what was asked, for a reason of its own. Asking later may help."""

    what: str
    cause: str
    mend: str = "Look into the historian's own log for this time."

    def __str__(self) -> str:
        return f"{self.what} failed: {self.cause}"


CONNECTION: Final = (
    "BadCommunicationError BadConnectionClosed BadConnectionRejected BadDisconnect BadEndOfStream "
    "BadExpectedStreamToBlock BadMaxConnectionsReached BadNoCommunication BadNotConnected BadOperationAbandoned "
    "BadOutOfMemory BadProtocolVersionUnsupported BadRequestCancelledByClient BadRequestCancelledByRequest "
    "BadRequestInterrupted BadRequestNotComplete BadResourceUnavailable BadSecureChannelClosed "
    "BadSecureChannelIdInvalid BadSecureChannelTokenUnknown BadSequenceNumberInvalid BadServerHalted "
    "BadServerNotConnected BadServerTooBusy BadSessionClosed BadSessionIdInvalid BadSessionNotActivated BadShutdown "
    "BadTcpEndpointUrlInvalid BadTcpInternalError BadTcpNotEnoughResources BadTcpSecureChannelUnknown "
    "BadTcpServerTooBusy BadTooManySessions BadWaitingForResponse BadWouldBlock"
)
TIMEOUT: Final = "BadRequestTimeout BadTimeout"
SIZE: Final = (
    "BadEncodingLimitsExceeded BadQueryTooComplex BadRequestTooLarge BadResponseTooLarge BadTcpMessageTooLarge "
    "BadTooManyOperations BadTooManyMatches BadTooManyArguments"
)
ACCESS: Final = (
    "BadIdentityChangeNotSupported BadIdentityTokenInvalid BadIdentityTokenRejected BadInsufficientClientProfile "
    "BadLicenseExpired BadLicenseLimitsExceeded BadLicenseNotAvailable BadNoDeleteRights BadNotReadable "
    "BadNotWritable BadRequestNotAllowed BadRequiresLock BadLocked BadUserAccessDenied BadUserSignatureInvalid "
    "BadTicketInvalid BadTicketRequired BadNotExecutable"
)
CERTIFICATE: Final = (
    "BadApplicationSignatureInvalid BadCertificateChainIncomplete BadCertificateHostNameInvalid BadCertificateInvalid "
    "BadCertificateIssuerRevocationUnknown BadCertificateIssuerRevoked BadCertificateIssuerTimeInvalid "
    "BadCertificateIssuerUseNotAllowed BadCertificatePolicyCheckFailed BadCertificateRevocationUnknown "
    "BadCertificateRevoked BadCertificateTimeInvalid BadCertificateUntrusted BadCertificateUriInvalid "
    "BadCertificateUseNotAllowed BadNoValidCertificates BadNonceInvalid BadSecurityChecksFailed "
    "BadSecurityModeInsufficient BadSecurityModeRejected BadSecurityPolicyRejected"
)
NODE: Final = "BadNodeIdInvalid BadNodeIdUnknown BadNodeIdRejected BadNodeNotInView BadNotFound BadObjectDeleted"
MISSING_SERVICE: Final = (
    "BadAggregateConfigurationRejected BadAggregateInvalidInputs BadAggregateListMismatch BadAggregateNotSupported "
    "BadBoundNotFound BadBoundNotSupported BadDataEncodingInvalid BadDataEncodingUnsupported "
    "BadHistoryOperationInvalid BadHistoryOperationUnsupported BadLocaleNotSupported BadMaxAgeInvalid "
    "BadNotImplemented BadNotSupported BadServiceUnsupported BadTimestampNotSupported BadTimestampsToReturnInvalid "
    "BadWriteNotSupported"
)
DATA: Final = (
    "BadDecodingError BadEncodingError BadDataTypeIdUnknown BadUnknownResponse BadTcpMessageTypeInvalid "
    "BadInvalidTimestamp BadInvalidTimestampArgument BadTypeMismatch BadOutOfRange BadNumericOverflow BadSyntaxError "
    "BadAttributeIdInvalid BadIndexRangeInvalid BadIndexRangeNoData BadIndexRangeDataMismatch BadStructureMissing "
    "BadArgumentsMissing BadInvalidArgument BadRequestTypeInvalid BadRequestHeaderInvalid"
)
FAILURE: Final = (
    "Bad BadConfigurationError BadContinuationPointInvalid BadDataLost BadDataUnavailable BadDependentValueChanged "
    "BadDeviceFailure BadDominantValueChanged BadInternalError BadInvalidState BadNoContinuationPoints BadNoData "
    "BadNoDataAvailable BadNoMatch BadNoValue BadNothingToDo BadOutOfService BadSemaphoreFileMissing BadSensorFailure "
    "BadTransactionFailed BadTransactionPending BadUnexpectedError BadWaitingForInitialData "
    "BadEdited_OutOfRange BadEdited_OutOfRange_DominantValueChanged "
    "BadEdited_OutOfRange_DominantValueChanged_DependentValueChanged BadInitialValue_OutOfRange "
    "BadOutOfRange_DominantValueChanged BadOutOfRange_DominantValueChanged_DependentValueChanged"
)
FOREIGN_SERVICE: Final = (
    "BadAlreadyExists BadBrowseDirectionInvalid BadBrowseNameDuplicated BadBrowseNameInvalid BadContentFilterInvalid "
    "BadDataSetIdInvalid BadDeadbandFilterInvalid BadDiscoveryUrlMissing BadDuplicateReferenceNotAllowed "
    "BadEntryExists BadInvalidSelfReference BadMessageNotAvailable BadMethodInvalid BadNoEntryExists "
    "BadNoSubscription BadNodeAttributesInvalid BadNodeClassInvalid BadNodeIdExists BadNotTypeDefinition "
    "BadParentNodeIdInvalid BadReferenceLocalOnly BadReferenceNotAllowed BadReferenceTypeIdInvalid "
    "BadSequenceNumberUnknown BadServerIndexInvalid BadServerNameMissing BadServerUriInvalid BadShelvingTimeOutOfRange "
    "BadSourceNodeIdInvalid BadStateNotActive BadSubscriptionIdInvalid BadTargetNodeIdInvalid BadTooManyMonitoredItems "
    "BadTooManyPublishRequests BadTooManySubscriptions BadTypeDefinitionInvalid BadViewIdUnknown "
    "BadViewParameterMismatch BadViewTimestampInvalid BadViewVersionInvalid BadRefreshInProgress BadEventIdUnknown "
    "BadEventNotAcknowledgeable BadEventFilterInvalid BadDialogNotActive BadDialogResponseInvalid "
    "BadConditionAlreadyDisabled BadConditionAlreadyEnabled BadConditionAlreadyShelved BadConditionBranchAlreadyAcked "
    "BadConditionBranchAlreadyConfirmed BadConditionDisabled BadConditionNotShelved BadFilterElementInvalid "
    "BadFilterLiteralInvalid BadFilterNotAllowed BadFilterOperandCountMismatch BadFilterOperandInvalid "
    "BadFilterOperatorInvalid BadFilterOperatorUnsupported BadMonitoredItemFilterInvalid "
    "BadMonitoredItemFilterUnsupported BadMonitoredItemIdInvalid BadMonitoringModeInvalid"
)
"""Codes of services that we never call: an answer with one of them is not an answer to our question."""

_ROWS: Final = (CONNECTION, TIMEOUT, SIZE, ACCESS, CERTIFICATE, NODE, MISSING_SERVICE, DATA, FAILURE, FOREIGN_SERVICE)
_ROW_OF: Final = {name: row for row in _ROWS for name in row.split()}


def is_mapped(code_name: str) -> bool:
    """Is there a row for this StatusCode?"""
    return code_name in _ROW_OF


def status_error(code: int, *, url: str, what: str) -> HistorianError:
    """What a Bad StatusCode means. A code that nobody knows is a failure of the server."""
    name, text = status_codes.get_name_and_doc(code)
    cause = f"{name} ({text})" if text else name
    make = _MEANING[_ROW_OF.get(name, FAILURE)]
    return make(url, what, cause)


def _our_certificate_refused(cause: str) -> CertificateNotTrusted:
    return CertificateNotTrusted(
        what="our certificate",
        cause=cause,
        mend="Accept TagSight's certificate in the historian's own list of trusted clients.",
    )


_MEANING: Final[Mapping[str, Callable[[str, str, str], HistorianError]]] = {
    CONNECTION: lambda url, _what, cause: NotConnected(url, cause),
    TIMEOUT: lambda url, _what, cause: NoAnswer(url, cause),
    SIZE: lambda _url, _what, cause: TooLarge(cause=cause),
    ACCESS: lambda _url, what, cause: AccessRefused(what, cause),
    CERTIFICATE: lambda _url, _what, cause: _our_certificate_refused(cause),
    NODE: lambda _url, what, _cause: UnknownTag(what),
    MISSING_SERVICE: lambda _url, what, cause: Unsupported(f"{what}: {cause}"),
    DATA: lambda _url, what, cause: MalformedData(what, cause),
    FOREIGN_SERVICE: lambda _url, what, cause: MalformedData(what, cause),
    FAILURE: lambda _url, what, cause: ServiceFailed(what, cause),
}


def historian_error(  # noqa: PLR0911 - one line for each kind of error
    error: Exception, *, url: str, what: str
) -> HistorianError:
    """What any exception of asyncua, asyncio or a socket means."""
    match error:
        case HistorianError():
            return error
        case ua.UaStatusCodeError() | ServiceError():
            return status_error(int(error.code or 0x80000000), url=url, what=what)
        case TimeoutError():
            return NoAnswer(url, f"no answer to {what} in time")
        case OSError():
            return NotConnected(url, f"{type(error).__name__}: {error}")
        case NotEnoughData() | UaStructParsingError() | UaStringParsingError():
            return MalformedData(what, str(error))
        case ua.UaError():
            return ServiceFailed(what, str(error))
        case _:  # asyncua's decoder raises whatever Python raises on bytes that it did not expect
            return MalformedData(what, f"{type(error).__name__}: {error}")


@asynccontextmanager
async def our_errors(url: str, what: str) -> AsyncIterator[None]:
    """Inside, everything that is raised becomes a HistorianError; cancellation stays what it is."""
    try:
        yield
    except Exception as error:
        mapped = historian_error(error, url=url, what=what)
        if mapped is error:
            raise
        raise mapped from error

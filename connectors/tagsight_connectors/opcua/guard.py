"""The guard in front of asyncua's services: what a peer may say before and after its channel is secure.

asyncua 2.1 starts every connection with the policy None and never asks again, so a peer without a secure channel can
create a session, read and write. Here every message passes `GuardedProcessor`: certificates are checked before any
cryptography, discovery alone passes on an unsecured channel, services that we do not offer are refused, decoding has
a budget. The hooks are private; `test_server_guard.py` shows each refusal end to end.
"""

import asyncio
import logging
import struct
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import Buffer, NotEnoughData, ServiceError
from asyncua.crypto.security_policies import SecurityPolicyNone
from asyncua.crypto.uacrypto import InvalidSignature
from asyncua.server.uaprocessor import UaProcessor
from asyncua.ua.ua_binary import nodeid_from_binary, struct_from_binary, uatcp_to_binary

from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.bounded_decoding import decoding_budget
from tagsight_connectors.opcua.certificates import leaf_certificate
from tagsight_connectors.opcua.chunk_sealing import sealed
from tagsight_connectors.opcua.endpoints import POLICIES
from tagsight_connectors.opcua.server_history import HistoryReads
from tagsight_connectors.opcua.server_passwords import password_of
from tagsight_connectors.opcua.server_sessions import GuardedSession
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.opcua.server_users import Judges, Users
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.opcua.user_certificates import proven_certificate

Codes = ua.StatusCodes
IDS: Final = ua.ObjectIds

_log: Final = logging.getLogger(__name__)

SERVICE: Final = "Request_Encoding_DefaultBinary"


def _services(*names: str) -> frozenset[int]:
    return frozenset(int(getattr(IDS, name + SERVICE)) for name in names)


DISCOVERY: Final = _services("GetEndpoints", "FindServers", "CloseSecureChannel")
"""What passes on a channel without security."""

OFFERED: Final = DISCOVERY | _services(
    "CreateSession", "ActivateSession", "CloseSession", "Read", "Write", "HistoryRead", "Browse",
    "TranslateBrowsePathsToNodeIds", "RegisterNodes", "UnregisterNodes", "CreateSubscription", "ModifySubscription",
    "DeleteSubscriptions", "SetPublishingMode", "Publish", "Republish", "CreateMonitoredItems",
    "ModifyMonitoredItems", "DeleteMonitoredItems", "SetMonitoringMode", "Call",
)  # fmt: skip
"""Everything that we serve; of methods those of conditions alone. Not: AddNodes and its kin, RegisterServer,
TransferSubscriptions."""

(CREATE_SESSION,) = _services("CreateSession")
(ACTIVATE_SESSION,) = _services("ActivateSession")
(HISTORY_READ,) = _services("HistoryRead")
(REGISTER_NODES,) = _services("RegisterNodes")

CHUNKS_AT_ONCE: Final = 4
"""Chunks of a long answer in one write: 256 KiB, as much as a client takes from its socket at once."""

UNDECODABLE: Final = (NotEnoughData, RecursionError, struct.error, UnicodeError, ValueError, TypeError, KeyError)
"""What asyncua's decoder raises on bytes that mean nothing."""


class Rejected(Exception):
    """The peer broke the protocol or is not trusted: an Error message, then the connection ends."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code
        self.why = why


@dataclass(frozen=True, slots=True)
class Rules:
    """What the guard needs to judge."""

    trust: TrustList
    users: Users
    history: HistoryReads
    clock: Clock
    security_none: bool
    sign: bool = False


class GuardedProcessor(UaProcessor):  # type: ignore[misc]
    """One connection: asyncua's processor behind our checks."""

    session: Any

    def __init__(self, iserver: Any, transport: Any, transport_limits: Any, rules: Rules) -> None:
        super().__init__(iserver, transport, transport_limits)
        self._rules = rules
        self._greeted = False

    @property
    def address(self) -> str:
        """Network address of the client."""
        return str(self.name[0]) if isinstance(self.name, tuple) else str(self.name)

    async def process(self, header: Any, body: Any) -> bool:
        """Serve one chunk; False: the connection ends."""
        try:
            with decoding_budget():
                return await self._process_chunk(header, body)
        except Rejected as rejected:
            _log.warning("connection of %s ended: %s", self.address, rejected.why)
            self._send_error(rejected.code, rejected.why)
        except (ua.UaError, InvalidSignature, *UNDECODABLE) as error:
            _log.warning("connection of %s ended: undecodable message (%s)", self.address, type(error).__name__)
            self._send_error(int(Codes.BadTcpMessageTypeInvalid), "message not understood")
        return False

    async def _process_chunk(self, header: Any, body: Any) -> bool:
        kind = header.MessageType
        if kind == ua.MessageType.Hello:
            return self._acknowledge(struct_from_binary(ua.Hello, body))
        if not self._greeted:
            raise Rejected(int(Codes.BadTcpMessageTypeInvalid), "no Hello")
        if kind == ua.MessageType.SecureOpen:
            await self._check_opening(body.copy(header.body_size))
        elif kind not in (ua.MessageType.SecureMessage, ua.MessageType.SecureClose):
            raise Rejected(int(Codes.BadTcpMessageTypeInvalid), f"unexpected message {kind!r}")
        elif not self._connection.is_open():
            raise Rejected(int(Codes.BadTcpSecureChannelUnknown), "no secure channel")
        if self._unsecured_flood(header):
            raise Rejected(int(Codes.BadTcpMessageTooLarge), "message too large for an unsecured channel")
        going_on: bool = await super().process(header, body)
        return going_on

    def _unsecured_flood(self, header: Any) -> bool:
        waiting = self._connection._incoming_size  # noqa: SLF001 - asyncua offers no count
        too_large: bool = waiting + header.body_size > limits.SERVER_UNSECURED_BYTES
        return too_large and not self._has_session()

    def _has_session(self) -> bool:
        return self.session is not None and self.session.is_activated()

    def _acknowledge(self, hello: Any) -> bool:
        if self._greeted:
            raise Rejected(int(Codes.BadTcpMessageTypeInvalid), "a second Hello")
        least = limits.SERVER_CHUNK_BYTES_LEAST
        if hello.ReceiveBufferSize < least or hello.SendBufferSize < least:
            raise Rejected(int(Codes.BadConnectionRejected), "buffers too small")
        self._greeted = True
        own = self._limits
        own.max_send_buffer = min(hello.ReceiveBufferSize, own.max_send_buffer)
        # asyncua would take the client's limits for its own; ours for requests stay what they are
        acknowledge = ua.Acknowledge(
            ProtocolVersion=ua.UInt32(0),
            ReceiveBufferSize=ua.UInt32(min(hello.SendBufferSize, own.max_recv_buffer)),
            SendBufferSize=ua.UInt32(own.max_send_buffer),
            MaxMessageSize=ua.UInt32(own.max_message_size),
            MaxChunkCount=ua.UInt32(own.max_chunk_count),
        )
        self._transport.write(uatcp_to_binary(ua.MessageType.Acknowledge, acknowledge))
        return True

    async def _check_opening(self, body: Any) -> None:
        """Before any cryptography: the policy must be offered and the certificate trusted."""
        asked = struct_from_binary(ua.AsymmetricAlgorithmHeader, body)
        if self._connection.is_open() and asked.SecurityPolicyURI != self._connection.security_policy.URI:
            raise Rejected(int(Codes.BadSecurityPolicyRejected), "a renewal changes the policy")
        if asked.SecurityPolicyURI == SecurityPolicyNone.URI:
            return
        if asked.SecurityPolicyURI not in POLICIES:
            raise Rejected(int(Codes.BadSecurityPolicyRejected), "security policy not offered")
        certificate = leaf_certificate(asked.SenderCertificate or b"")
        try:
            now_ns = self._rules.clock.now_ns()
            await asyncio.to_thread(self._rules.trust.check, certificate, now_ns=now_ns)
        except CertificateNotTrusted as refusal:
            why = f"client certificate {refusal.thumbprint} not trusted: {refusal.cause}"
            raise Rejected(int(Codes.BadSecurityChecksFailed), why) from refusal

    def _secured(self) -> bool:
        if not self._connection.is_open():
            return False
        mode = self._connection.security_policy.Mode
        signed = mode == ua.MessageSecurityMode.Sign and self._rules.sign
        return self._rules.security_none or signed or mode == ua.MessageSecurityMode.SignAndEncrypt

    async def process_message(self, seqhdr: Any, body: Any) -> bool:
        """Serve one request; a fault is answered without telling a stranger our insides."""
        typeid = nodeid_from_binary(body)
        header = struct_from_binary(ua.RequestHeader, body)
        try:
            return bool(await self._process_message(typeid, header, seqhdr, body))
        except (ServiceError, ua.UaStatusCodeError) as error:
            code = int(error.code)
        except InvalidSignature:
            code = int(Codes.BadApplicationSignatureInvalid)
        except UNDECODABLE as error:
            _log.warning("undecodable request of %s (%s)", self.address, type(error).__name__)
            code = int(Codes.BadDecodingError)
        except Exception:  # noqa: BLE001 - a fault in one request must not end the connection of a polite client
            _log.exception("a request of %s failed", self.address)
            code = int(Codes.BadInternalError)
        fault = ua.ServiceFault()
        fault.ResponseHeader.ServiceResult = ua.StatusCode(ua.UInt32(code))
        self.send_response(header.RequestHandle, seqhdr, fault)
        return True

    async def _process_message(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        service = typeid.Identifier if typeid.NamespaceIndex == 0 else None
        if service not in OFFERED:
            raise ServiceError(Codes.BadServiceUnsupported)
        if service not in DISCOVERY and not self._secured():
            raise ServiceError(Codes.BadSecurityModeInsufficient)
        if service not in DISCOVERY and service != CREATE_SESSION:
            self._check_session(requesthdr)
        if service == CREATE_SESSION:
            return await self._create_session(typeid, requesthdr, seqhdr, body)
        if service == ACTIVATE_SESSION:
            await self._sign_in(requesthdr, body.copy())
        elif service == HISTORY_READ:
            return await self._read_history(requesthdr, seqhdr, body)
        return await super()._process_message(typeid, requesthdr, seqhdr, body)

    def _check_session(self, requesthdr: Any) -> None:
        """Asyncua does not look whether a request names its connection's session."""
        token = requesthdr.AuthenticationToken
        session = self.session or self.iserver.lookup_external_session(token)
        if session is None or session.auth_token != token:
            raise ServiceError(Codes.BadSessionIdInvalid)
        if session.peer_certificate != self._connection.security_policy.peer_certificate:
            raise ServiceError(Codes.BadSecurityChecksFailed)

    async def _create_session(self, typeid: Any, requesthdr: Any, seqhdr: Any, body: Any) -> Any:
        if self.session is not None:
            raise ServiceError(Codes.BadTooManySessions)
        params = struct_from_binary(ua.CreateSessionParameters, body.copy())
        peer = self._connection.security_policy.peer_certificate
        if peer is not None:
            await self._check_identity(peer, params)
        try:
            done = await super()._process_message(typeid, requesthdr, seqhdr, body)
        except BaseException:
            await self._drop_session()
            raise
        self._bind_session(peer)
        return done

    def _bind_session(self, peer: bytes | None) -> None:
        if isinstance(self.session, GuardedSession):
            self.session.peer_certificate = peer

    async def _drop_session(self) -> None:
        if self.session is not None:
            await self.session.close_session()
            self.session = None

    async def _check_identity(self, peer: bytes, params: Any) -> None:
        if params.ClientCertificate and leaf_certificate(params.ClientCertificate) != peer:
            raise ServiceError(Codes.BadCertificateInvalid)
        if not peer:  # without security there is no certificate; only the setting `security_none` lets it come so far
            return
        uri = params.ClientDescription.ApplicationUri
        now_ns = self._rules.clock.now_ns()
        try:
            await asyncio.to_thread(self._rules.trust.check, peer, application_uri=uri, now_ns=now_ns)
        except CertificateNotTrusted as refusal:
            _log.warning("session of %s refused: %s", self.address, refusal)
            raise ServiceError(Codes.BadCertificateUriInvalid) from refusal

    async def _sign_in(self, requesthdr: Any, body: Any) -> None:
        params = struct_from_binary(ua.ActivateSessionParameters, body)
        session = self.session or self.iserver.lookup_external_session(requesthdr.AuthenticationToken)
        channel, own_key = self._connection.security_policy, self.iserver.private_key
        judges = Judges(
            partial(password_of, channel=channel, own_key=own_key),
            partial(proven_certificate, channel=channel, trust=self._rules.trust, now_ns=self._rules.clock.now_ns()),
        )
        await self._rules.users.sign_in(session, params, self.address, judges)

    async def _read_history(self, requesthdr: Any, seqhdr: Any, body: Any) -> bool:
        if not isinstance(self.session, GuardedSession) or not self._has_session():
            raise ServiceError(Codes.BadSessionNotActivated)
        self.session.touch()
        self.session_last_activity = self._rules.clock.monotonic()
        params = struct_from_binary(ua.HistoryReadParameters, body)
        answer = await self._rules.history.answer(params, requesthdr.RequestHandle, self.session.points)
        chunks = sealed(self._connection, answer, seqhdr.RequestId)
        while part := b"".join(islice(chunks, CHUNKS_AT_ONCE)):
            self._transport.write(part)
        self._check_unsent()
        return True

    def send_response(self, *args: Any, **kwargs: Any) -> None:
        """Send; a client that does not fetch its answers is cut off."""
        super().send_response(*args, **kwargs)
        self._check_unsent()

    def _check_unsent(self) -> None:
        if self._transport.get_write_buffer_size() > limits.SERVER_UNSENT_BYTES:
            _log.warning("connection of %s cut: it does not fetch its answers", self.address)
            self._transport.abort()

    def _send_error(self, code: int, why: str) -> None:
        error = ua.ErrorMessage(ua.StatusCode(ua.UInt32(code)), why[:200])
        self._transport.write(uatcp_to_binary(ua.MessageType.Error, error))


def chunk_of(frame: bytes) -> tuple[Any, Buffer]:
    """Header and body of one chunk."""
    buffer = Buffer(frame)
    return ua.ua_binary.header_from_binary(buffer), buffer

"""One session with a server: endpoint chosen, certificate checked, user name never in the clear."""

import asyncio
import contextlib
import copy
import socket
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.crypto.security_policies import SecurityPolicyBasic256Sha256
from asyncua.crypto.uacrypto import CertProperties
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused, NotConnected
from tagsight_connectors.opcua.bounded_decoding import decoding_budget, install_bounds
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.client_guard import guard
from tagsight_connectors.opcua.error_mapping import our_errors
from tagsight_connectors.opcua.quiet_logs import quieten_client
from tagsight_connectors.opcua.trust import TrustList

WATCHDOG_S: Final = 30.0
"""Interval of asyncua's own sign of life; at 1 s it drops a connection during a long pull."""

SESSION_TIMEOUT_MS: Final = 120_000
"""After a crash the server forgets our session within two minutes; asyncua asks for an hour."""

ENCRYPTING_POLICIES: Final = tuple(
    f"http://opcfoundation.org/UA/SecurityPolicy#{name}"
    for name in ("Basic256Sha256", "Aes256_Sha256_RsaPss", "Aes128_Sha256_RsaOaep")
)
NO_POLICY: Final = "http://opcfoundation.org/UA/SecurityPolicy#None"


class GuardedClient(Client):  # type: ignore[misc] # asyncua counts as untyped
    """asyncua's client, with a rule of ours for user names: encrypted, by the token or by the message, or not sent."""

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        """The best of the server's policies for this kind of user."""
        offered = [policy for policy in self._policy_ids if policy.TokenType == token_type]
        if token_type != ua.UserTokenType.UserName:
            return offered[0] if offered else _refuse_user("anonymous users", "the server takes none")
        for uri in ENCRYPTING_POLICIES:
            for policy in offered:
                if (policy.SecurityPolicyUri or self.security_policy.URI) == uri:
                    chosen = copy.copy(policy)
                    chosen.SecurityPolicyUri = uri
                    return chosen
        if offered and self.security_policy.Mode == ua.MessageSecurityMode.SignAndEncrypt:
            return offered[0]  # the message itself is encrypted, for the certificate that we checked
        return _refuse_user("the user name", "the server offers no way to send it encrypted")


def _refuse_user(what: str, cause: str) -> ua.UserTokenPolicy:
    raise AccessRefused(what, cause, mend="Set a user and password, and allow Basic256Sha256 in the historian.")


async def open_session(
    connection: Connection, now_ns: Callable[[], int]
) -> tuple[Client, ua.EndpointDescription | None]:
    """A connected client and the endpoint that it uses (None without message security)."""
    install_bounds()
    quieten_client()
    client = GuardedClient(connection.url, timeout=connection.timeout_s, watchdog_intervall=WATCHDOG_S)
    client.name = client.description = "TagSight"
    client.session_timeout = SESSION_TIMEOUT_MS
    guard(client)
    client.set_user(connection.user)
    client.set_password(connection.password)
    async with our_errors(connection.url, "connection"):
        try:
            with decoding_budget():
                endpoint = await _secured(client, connection, now_ns)
                await client.connect()
        except BaseException:
            await close_session(client, connection.timeout_s)
            raise
    return client, endpoint


async def close_session(client: Client, timeout_s: float) -> None:
    """End the session and the connection, whatever state they are in; at most `timeout_s` seconds for each."""
    for ending in (client.close_session, client.close_secure_channel):
        with contextlib.suppress(Exception):
            await asyncio.wait_for(ending(), timeout_s)
    with contextlib.suppress(Exception):
        client.disconnect_socket()


async def _secured(client: Client, connection: Connection, now_ns: Callable[[], int]) -> ua.EndpointDescription | None:
    if connection.certificates is None:
        if connection.security == MessageSecurity.NONE and not connection.user:
            return None
        raise AccessRefused("connection", "no folder of certificates was given", mend="Name it in the configuration.")
    trust, host = TrustList(connection.certificates), urlsplit(connection.url).hostname

    async def validate(certificate: Any, server: ua.ApplicationDescription) -> None:
        trust.check(_der(certificate), host=host, application_uri=server.ApplicationUri, now_ns=now_ns())

    client.certificate_validator = validate
    if connection.security == MessageSecurity.NONE:
        if not connection.user:
            client.certificate_validator = None
        return None
    endpoint = choose_endpoint(await client.connect_and_get_server_endpoints(), connection.url)
    leaf = leaf_certificate(endpoint.ServerCertificate or b"")
    trust.check(leaf, host=host, application_uri=endpoint.Server.ApplicationUri, now_ns=now_ns())
    own = await asyncio.to_thread(own_certificate, connection)
    client.application_uri = own.application_uri
    await client.set_security(
        SecurityPolicyBasic256Sha256,
        certificate=str(own.certificate),
        private_key=str(own.key),
        server_certificate=CertProperties(leaf, "der"),
        mode=ua.MessageSecurityMode.SignAndEncrypt,
    )
    return endpoint


def own_certificate(connection: Connection) -> OwnCertificate:
    """The certificate of this client; made on first use."""
    if connection.certificates is None:
        raise NotConnected(connection.url, "no folder of certificates was given")
    host = socket.gethostname()
    return ensure_certificate(connection.certificates / "own", "tagsight-client", f"urn:{host}:tagsight:client", [host])


def choose_endpoint(endpoints: Sequence[ua.EndpointDescription], url: str) -> ua.EndpointDescription:
    """The endpoint with Basic256Sha256 and SignAndEncrypt; nothing less is ever taken instead."""
    for endpoint in endpoints:
        if (
            endpoint.SecurityMode == ua.MessageSecurityMode.SignAndEncrypt
            and endpoint.SecurityPolicyUri == SecurityPolicyBasic256Sha256.URI
            and (endpoint.EndpointUrl or "").startswith("opc.tcp://")
        ):
            return endpoint
    raise AccessRefused(
        what=f"connection to {url}",
        cause="the server offers no endpoint with Basic256Sha256 and SignAndEncrypt",
        mend="Switch that policy on in the historian.",
    )


def leaf_certificate(chain: bytes) -> bytes:
    """The first certificate of a chain of DER certificates."""
    if chain[:2] != b"\x30\x82" or len(chain) < 4:
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]


def _der(certificate: Any) -> bytes:
    der: bytes = certificate.public_bytes(Encoding.DER)
    return der

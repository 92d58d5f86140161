"""One session with a server: endpoint chosen, certificate checked, user name never in the clear."""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.crypto.uacrypto import CertProperties
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused, NotConnected
from tagsight_connectors.opcua.bounded_decoding import decoding_budget, install_bounds
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate, leaf_certificate
from tagsight_connectors.opcua.client_guard import guard
from tagsight_connectors.opcua.endpoints import POLICIES, check_nothing_hidden, choose_endpoint
from tagsight_connectors.opcua.error_mapping import our_errors
from tagsight_connectors.opcua.quiet_logs import quieten_client
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.opcua.user_token import check_user, choose_policy, load_user

WATCHDOG_S: Final = 30.0
"""Interval of asyncua's own sign of life; at 1 s it drops a connection during a long pull."""

SESSION_TIMEOUT_MS: Final = 120_000
"""After a crash the server forgets our session within two minutes; asyncua asks for an hour."""


class GuardedClient(Client):  # type: ignore[misc] # asyncua counts as untyped
    """asyncua's client, with rules of ours: users are never sent readable, and no better endpoint was hidden."""

    endpoint: ua.EndpointDescription | None = None
    security = MessageSecurity.SIGN_AND_ENCRYPT

    async def create_session(self) -> ua.CreateSessionResult:
        """As asyncua's; then the server's list of endpoints, which is authentic here, is compared."""
        created = await super().create_session()
        if self.endpoint is not None:
            check_nothing_hidden(self.endpoint, created.ServerEndpoints, self.server_url.geturl(), self.security)
        return created

    def server_policy(self, token_type: ua.UserTokenType) -> ua.UserTokenPolicy:
        """The best of the server's policies for this kind of user."""
        policy = self.security_policy
        encrypted = policy.Mode == ua.MessageSecurityMode.SignAndEncrypt
        return choose_policy(self._policy_ids, token_type, policy.URI, encrypted=encrypted)


async def open_session(
    connection: Connection, now_ns: Callable[[], int]
) -> tuple[Client, ua.EndpointDescription | None]:
    """A connected client and the endpoint that it uses (None without message security)."""
    check_user(connection)
    install_bounds()
    quieten_client()
    client = GuardedClient(connection.url, timeout=connection.timeout_s, watchdog_intervall=WATCHDOG_S)
    client.name = client.description = "TagSight"
    client.session_timeout = SESSION_TIMEOUT_MS
    guard(client)
    await _introduce(client, connection)
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


async def _introduce(client: Client, connection: Connection) -> None:
    if connection.user_certificate is None:
        client.set_user(connection.user)
        client.set_password(connection.password)
        return
    key = connection.user_key or connection.user_certificate.with_suffix(".pem")
    found = await asyncio.to_thread(load_user, connection.user_certificate, key, connection.password)
    client.user_certificate, client.user_private_key = found


async def _secured(
    client: GuardedClient, connection: Connection, now_ns: Callable[[], int]
) -> ua.EndpointDescription | None:
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
    endpoint = choose_endpoint(await client.connect_and_get_server_endpoints(), connection.url, connection.security)
    leaf = leaf_certificate(endpoint.ServerCertificate or b"")
    trust.check(leaf, host=host, application_uri=endpoint.Server.ApplicationUri, now_ns=now_ns())
    own = await asyncio.to_thread(own_certificate, connection)
    client.application_uri = own.application_uri
    await client.set_security(
        POLICIES[endpoint.SecurityPolicyUri],
        certificate=str(own.certificate),
        private_key=str(own.key),
        server_certificate=CertProperties(leaf, "der"),
        mode=endpoint.SecurityMode,
    )
    client.endpoint, client.security = endpoint, connection.security
    return endpoint


def own_certificate(connection: Connection) -> OwnCertificate:
    """The certificate of this client; made on first use."""
    if connection.certificates is None:
        raise NotConnected(connection.url, "no folder of certificates was given")
    host = socket.gethostname()
    return ensure_certificate(connection.certificates / "own", "tagsight-client", f"urn:{host}:tagsight:client", [host])


def _der(certificate: Any) -> bytes:
    der: bytes = certificate.public_bytes(Encoding.DER)
    return der

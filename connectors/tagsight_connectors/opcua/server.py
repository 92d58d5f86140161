"""The OPC UA server of ours: shows a `ServedSource`, takes what operators write. Tag server and embedded historian.

asyncua does the protocol; the guard, the budgets, the address space, history and writes are ours (`guard`,
`server_*`). SignAndEncrypt with any policy that is not broken, user name and password, trusted client certificates.
"""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Callable
from typing import Any, Final, Self

from asyncua import Server, ua
from asyncua.common.node import Node

from tagsight_connectors.alarming import ConditionSource
from tagsight_connectors.history import Sample
from tagsight_connectors.opcua.bounded_decoding import install_bounds
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.condition_methods import ConditionMethods
from tagsight_connectors.opcua.conditions import Conditions
from tagsight_connectors.opcua.guard import Rules
from tagsight_connectors.opcua.nodeset import nodeset_of
from tagsight_connectors.opcua.quiet_logs import RateFilter, quieten, unquieten
from tagsight_connectors.opcua.server_capabilities import ANNOUNCED, CAPABLE_OF
from tagsight_connectors.opcua.server_history import HistoryReads
from tagsight_connectors.opcua.server_identity import ServerIdentity, offered
from tagsight_connectors.opcua.server_sessions import GuardedInternalServer
from tagsight_connectors.opcua.server_settings import Clock, ServerSettings
from tagsight_connectors.opcua.server_space import ServedSpace
from tagsight_connectors.opcua.server_transport import Listener
from tagsight_connectors.opcua.server_users import Authenticate, ByCertificate, Users
from tagsight_connectors.opcua.server_values import data_value
from tagsight_connectors.opcua.server_writes import ClientWrites
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedSource, ServedType

IDS: Final = ua.ObjectIds
AT_ONCE: Final = 500
"""Values shown before other requests get their turn."""

MUCH: Final = 1_000
"""Values of one look after which there may be more: a source tells them page by page."""

LOOKS_IN_A_ROW: Final = 10
"""At most so many, then the usual pause."""

_log: Final = logging.getLogger(__name__)


class TagServer:
    """Serves a source over OPC UA.

    `start` first; then `publish` as often as wanted (a loop does it when `poll_s` > 0); `stop` ends everything.
    All methods belong to the event loop of `start`; the source is called in threads. `level` is asked after each look:
    the ServiceLevel (OPC 10000-4, 6.6.2.4.2), 255 where there is none. User certificates are offered with
    `by_certificate`, which is called in a thread.
    """

    def __init__(
        self,
        source: ServedSource,
        settings: ServerSettings,
        authenticate: Authenticate,
        clock: Clock,
        alarms: ConditionSource | None = None,
        *,
        level: Callable[[], int] | None = None,
        by_certificate: ByCertificate | None = None,
    ) -> None:
        self._source = source
        self._alarms = alarms
        self._level = level
        self._settings = settings
        self._clock = clock
        self._users = Users(authenticate, settings.anonymous, clock, by_certificate)
        self._server = _asyncua_server(settings, self._users, clock)
        self._rate = RateFilter(clock.monotonic)
        self._listener: Listener | None = None
        self._space: ServedSpace | None = None
        self._conditions: Conditions | None = None
        self._loop: asyncio.Task[None] | None = None
        self._looking = asyncio.Lock()
        self._position = 0
        self._structure: str | None = None
        self._shown_level: int | None = None
        self.port = settings.port

    @property
    def url(self) -> str:
        """Where clients connect."""
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        return f"opc.tcp://{host}:{self.port}/tagsight/"

    @property
    def certificate(self) -> OwnCertificate:
        """The own certificate; made on first use."""
        own = self._settings.certificates / "own"
        hosts = (self._settings.host, "localhost", socket.gethostname(), *self._settings.hosts)
        return ensure_certificate(own, "server", self._settings.application_uri, hosts)

    async def start(self) -> None:
        """Bind, fill the address space, show what the source has, and accept clients."""
        install_bounds()
        quieten(self._rate)
        try:
            await self._start()
        except BaseException:
            unquieten(self._rate)
            raise

    async def _start(self) -> None:
        listening = _bound_socket(self._settings.host, self._settings.port)
        try:
            self.port = listening.getsockname()[1]
            await self._prepare()
            await self.publish()
            await self._server.iserver.start()
            rules = Rules(
                TrustList(self._settings.certificates),
                self._users,
                HistoryReads(self._served, self._source),
                self._clock,
                self._settings.security_none,
                self._settings.sign,
            )
            self._listener = Listener(self._server.iserver, self._identity.offer(), rules)
            await self._listener.start(listening)
        except BaseException:
            listening.close()
            raise
        if self._settings.poll_s > 0:
            self._loop = asyncio.create_task(self._poll())

    async def stop(self) -> None:
        """End the loop, the sessions and the connections; calling again does nothing."""
        if self._loop is not None:
            self._loop.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop
            self._loop = None
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await self._server.iserver.close_sessions()
            await listener.stop()
            await self._server.iserver.stop()
        unquieten(self._rate)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def publish(self) -> int:
        """Look at the source once: new structure, then new values. Returns how many values were shown."""
        async with self._looking:
            self._identity.refresh()
            structure = await asyncio.to_thread(self._source.structure_version)
            if structure != self._structure:
                variables = await asyncio.to_thread(self._source.variables)
                await self._served.update(variables)
                self._structure, self._position = structure, 0
            changes = await asyncio.to_thread(self._source.changes, self._position)
            for first in range(0, len(changes.samples), AT_ONCE):
                now_ns = self._clock.now_ns()
                for sample in changes.samples[first : first + AT_ONCE]:
                    await self._show(sample, now_ns)
                await asyncio.sleep(0)  # other clients are served between
            self._position = changes.position
            if self._alarms is not None and self._conditions is not None:
                self._conditions.show(await asyncio.to_thread(self._alarms.conditions))
            if self._level is not None:
                await self._show_level(self._level())
            return len(changes.samples)

    async def _show(self, sample: Sample, now_ns: int) -> None:
        node = self._served.nodes.get(sample.address)
        if node is None:
            return
        await self._served.show(node, data_value(node, sample, now_ns))

    async def _show_level(self, level: int) -> None:
        if level != self._shown_level:
            await self._node(IDS.Server_ServiceLevel).write_value(ua.Variant(level, ua.VariantType.Byte))
            self._shown_level = level

    async def _poll(self) -> None:
        while True:
            await asyncio.sleep(self._settings.poll_s)
            for _ in range(LOOKS_IN_A_ROW):
                if await self._look_again() < MUCH:
                    break

    async def _look_again(self) -> int:
        try:
            return await self.publish()
        except Exception:  # noqa: BLE001 - a locked database must not end the server; the next look asks again
            _log.exception("the source could not be read")
            return 0

    @property
    def _served(self) -> ServedSpace:
        assert self._space is not None, "start first"
        return self._space

    def _node(self, number: int) -> Node:
        return self._server.get_node(ua.NodeId(number))

    async def _prepare(self) -> None:
        server = self._server
        await server.init()
        await server.set_application_uri(self._settings.application_uri)
        own = self.certificate
        self._identity = ServerIdentity(server, own.certificate, own.key)
        await self._identity.prepare()
        server.set_endpoint(self.url)
        await server._setup_server_nodes()  # noqa: SLF001 - part of Server.start, which would listen unguarded
        namespace = await server.register_namespace(self._settings.namespace_uri)
        iserver = server.iserver
        types, types_namespace = await self._load_types()
        self._space = ServedSpace(iserver.aspace, namespace, self._settings.client_times, types, types_namespace)
        iserver.served_space = self._space
        iserver.writes = ClientWrites(self._space, self._source, self._clock, self._look_again)
        await self._announce_limits()
        if self._alarms is not None:
            await self._offer_alarms(self._alarms, namespace)

    async def _load_types(self) -> tuple[dict[str, ServedType], int]:
        """By name, and the index of their namespace."""
        types = self._settings.types
        if types is None:
            return {}, 0
        await self._server.import_xml(xmlstring=nodeset_of(types))
        return {one.name: one for one in types.types}, int(await self._server.get_namespace_index(types.uri))

    async def _offer_alarms(self, alarms: ConditionSource, namespace: int) -> None:
        iserver = self._server.iserver
        self._conditions = Conditions(iserver, namespace, self._clock)
        iserver.methods = ConditionMethods(self._conditions, alarms, self._clock, self._look_again)
        await self._node(IDS.Server).set_event_notifier([ua.EventNotifier.SubscribeToEvents])

    async def _announce_limits(self) -> None:
        for number, limit in ANNOUNCED.items():
            await self._node(number).write_value(ua.Variant(limit, ua.VariantType.UInt32))
        for number in CAPABLE_OF:
            await self._node(number).write_value(ua.Variant(True, ua.VariantType.Boolean))


def _asyncua_server(settings: ServerSettings, users: Users, clock: Clock) -> Any:
    server = Server(iserver=GuardedInternalServer(users, clock))
    server.set_server_name(settings.product_name)
    server.product_uri = "urn:tagsight"
    server.manufacturer_name = "TagSight"
    server.application_type = ua.ApplicationType.Server
    if settings.security_none:
        _log.warning("messages without signing and encryption are accepted: security_none is set")
    server.set_security_policy(offered(sign=settings.sign, none=settings.security_none))
    anonymous = [ua.AnonymousIdentityToken] if settings.anonymous else []
    certificate = [ua.X509IdentityToken] if users.by_certificate is not None else []
    server.set_identity_tokens([*anonymous, *certificate, ua.UserNameIdentityToken])
    return server


def _bound_socket(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)

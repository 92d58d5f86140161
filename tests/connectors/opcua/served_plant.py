"""A small plant behind an OPC UA server of ours, and clients of every kind for it."""

import datetime as dt
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from asyncua import Client, Node, ua
from asyncua.crypto.security_policies import SecurityPolicy, SecurityPolicyBasic256Sha256

from tagsight_connectors.history import TagHistory
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.server_users import ByCertificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tagsight_connectors.tag import DataType, Range

SECOND = 1_000_000_000
START_NS = 1_767_225_600 * SECOND  # 2026-01-01
START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
URI = "urn:plant:historian"
CLIENT_URI = "urn:test:client"
ROLES = {"olga": UserRole.OPERATOR, "erik": UserRole.ENGINEER, "ada": UserRole.ADMIN}

SPEED = ServedVariable(
    "Plant/P101/Speed", "Plant/P101/Speed", unit="rpm", eu_range=Range(0, 3000), description="Speed of the pump"
)
RUNNING = ServedVariable("Plant/P101/Running", "Plant/P101/Running", DataType.BOOLEAN)
STATE = ServedVariable("Plant/P101/State", "Plant/P101/State", integer=True)
MESSAGE = ServedVariable("Plant/P101/Message", "Plant/P101/Message", DataType.TEXT)
FEEDBACK = ServedVariable("Plant/P101/Feedback", "Plant/P101/Feedback", integer=True, writable_by=UserRole.OPERATOR)
OFF = ServedVariable("Plant/P101/Off", "Plant/P101/Off", DataType.BOOLEAN, writable_by=UserRole.ENGINEER)
RESULT = ServedVariable("Results/Score", "Results/Score", writable_by=UserRole.OPERATOR)
VARIABLES = (SPEED, RUNNING, STATE, MESSAGE, FEEDBACK, OFF, RESULT)


@dataclass
class RealClock:
    """Wall time; only stamps and limits of rate look at it here."""

    def now_ns(self) -> int:
        return time.time_ns()

    def monotonic(self) -> float:
        return time.monotonic()


def speed_history(count: int = 1_000) -> TagHistory:
    """One value a second, counting up; every tenth Uncertain, every hundredth Bad without a value."""
    status = np.zeros(count, dtype=np.uint32)
    values = np.arange(count, dtype=np.float64)
    status[::10] = 0x40000000
    status[::100] = 0x80000000
    values[::100] = np.nan
    return TagHistory(START_NS + np.arange(count, dtype=np.int64) * SECOND, values, status)


def authenticate(user: str, password: str) -> UserRole | None:
    return ROLES.get(user) if password == f"{user}-secret" else None


@dataclass
class Plant:
    """A served source and what clients need to connect."""

    folder: Path
    source: MemorySource = field(default_factory=lambda: MemorySource(VARIABLES, {SPEED.identifier: speed_history()}))
    clock: RealClock = field(default_factory=RealClock)
    server: TagServer = field(init=False)

    def make_server(
        self,
        *,
        level: Callable[[], int] | None = None,
        by_certificate: ByCertificate | None = None,
        **changes: Any,
    ) -> TagServer:
        settings = ServerSettings("127.0.0.1", 0, self.folder / "server", "urn:test:server", URI, poll_s=0)
        self.server = TagServer(
            self.source,
            replace(settings, **changes),
            authenticate,
            self.clock,
            level=level,
            by_certificate=by_certificate,
        )
        return self.server

    def own(self, name: str = "client") -> OwnCertificate:
        return ensure_certificate(self.folder / name, name, CLIENT_URI, ["localhost"])

    def trust(self, certificate: OwnCertificate) -> None:
        TrustList(self.folder / "server").add(certificate.certificate)

    @asynccontextmanager
    async def client(self, user: str = "olga", password: str | None = None, **wanted: Any) -> AsyncIterator[Client]:
        """A polite client, connected; see `make_client`."""
        async with await self.make_client(user, password, **wanted) as client:
            yield client

    async def make_client(
        self,
        user: str = "olga",
        password: str | None = None,
        *,
        certificate: OwnCertificate | None = None,
        policy: type[SecurityPolicy] = SecurityPolicyBasic256Sha256,
        mode: ua.MessageSecurityMode = ua.MessageSecurityMode.SignAndEncrypt,
        user_certificate: OwnCertificate | None = None,
    ) -> Client:
        """A polite client; no user: anonymous."""
        own = certificate or self.own()
        client = Client(self.server.url, timeout=10, watchdog_intervall=30)
        client.application_uri = CLIENT_URI
        client.session_timeout = 60_000
        if user_certificate is not None:
            await client.load_client_certificate(user_certificate.certificate)
            await client.load_private_key(user_certificate.key)
        elif user:
            client.set_user(user)
            client.set_password(f"{user}-secret" if password is None else password)
        await client.set_security(
            policy,
            str(own.certificate),
            str(own.key),
            server_certificate=str(self.server.certificate.certificate),
            mode=mode,
        )
        return client

    async def node(self, client: Client, identifier: str) -> Node:
        return client.get_node(ua.NodeId(identifier, await client.get_namespace_index(URI)))


async def read_history(
    client: Client, nodes: list[Node], *, points: list[bytes | None] | None = None, **wanted: Any
) -> Any:
    """One HistoryRead of raw values, as the specification has it."""
    request = ua.HistoryReadRequest()
    details = {
        "StartTime": START,
        "EndTime": START + dt.timedelta(hours=1),
        "NumValuesPerNode": 0,
        "ReturnBounds": False,
    }
    release = wanted.pop("release", False)
    request.Parameters.HistoryReadDetails = ua.ReadRawModifiedDetails(IsReadModified=False, **details | wanted)
    request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Source
    request.Parameters.ReleaseContinuationPoints = release
    for node, point in zip(nodes, points or [None] * len(nodes), strict=True):
        request.Parameters.NodesToRead.append(ua.HistoryReadValueId(NodeId=node.nodeid, ContinuationPoint=point))
    body = await client.uaclient.protocol.send_request(request)
    response = ua.ua_binary.struct_from_binary(ua.HistoryReadResponse, body)
    return response.Results


def values_of(result: Any) -> list[Any]:
    return [value.Value.Value for value in result.HistoryData.DataValues]

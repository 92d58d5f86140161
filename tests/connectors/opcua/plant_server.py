"""A foreign server for tests: asyncua's own, with history in memory, SignAndEncrypt and a user."""

import datetime as dt
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from asyncua.server.user_managers import UserManager

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.trust import TrustList

URI = "urn:plant:test"
SERVER_URI = "urn:plant:server"
START_NS = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
VALUES = 2_500
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class OneUser(UserManager):
    def get_user(self, iserver, username=None, password=None, certificate=None):  # noqa: ANN001, ANN201, ARG002 - asyncua's signature
        known = username == "tagsight" and password == "secret"
        return User(role=UserRole.Admin) if known else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connection(port: int, folder: Path, **changes: object) -> Connection:
    defaults: dict[str, object] = {
        "url": f"opc.tcp://127.0.0.1:{port}",
        "user": "tagsight",
        "password": "secret",
        "certificates": folder / "client",
        "timeout_s": 20.0,
    }
    return Connection(**{**defaults, **changes})  # type: ignore[arg-type]


@asynccontextmanager
async def plant_server(
    port: int, folder: Path, *, secure: bool = True, values: int = VALUES, users: bool = True
) -> AsyncIterator[Server]:
    """Serves Plant/P101/{Speed,State,Running,Nothing,Matrix,Set}; Speed has a history of one value a second.

    `users`: it takes user names, also without security.
    """
    server = Server(user_manager=OneUser() if secure else None)
    await server.init()
    server.set_endpoint(f"opc.tcp://127.0.0.1:{port}")
    await server.set_application_uri(SERVER_URI)
    if secure:
        own = ensure_certificate(folder / "server", "server", SERVER_URI, ["127.0.0.1", "localhost"])
        await server.load_certificate(str(own.certificate))
        await server.load_private_key(str(own.key))
        server.set_security_policy([ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt])
    if not users:
        server.set_identity_tokens([ua.AnonymousIdentityToken])
    await _fill(server, values)
    async with server:
        yield server


def trust_the_server(folder: Path) -> None:
    TrustList(folder / "client").add(folder / "server" / "server.der")


async def _fill(server: Server, values: int) -> None:
    index = await server.register_namespace(URI)
    plant = await server.nodes.objects.add_folder(ua.NodeId("Plant", index), ua.QualifiedName("Plant", index))
    pump = await plant.add_object(ua.NodeId("P101", index), ua.QualifiedName("P101", index))
    await pump.add_reference(server.nodes.objects, ua.ObjectIds.Organizes)  # a circle
    speed = await _variable(pump, index, "Speed", ua.Variant(1.5, ua.VariantType.Double))
    await _analog(speed)
    state = await _variable(pump, index, "State", ua.Variant("stopped", ua.VariantType.String))
    running = await _variable(pump, index, "Running", ua.Variant(True, ua.VariantType.Boolean))
    await _variable(pump, index, "Matrix", ua.Variant([1.0, 2.0], ua.VariantType.Double))
    nothing = await _variable(pump, index, "Nothing", ua.Variant(0, ua.VariantType.Int32))
    for writable in ("Set", "SetWhole"):
        variant = ua.Variant(0.0, ua.VariantType.Double) if writable == "Set" else ua.Variant(0, ua.VariantType.Int16)
        await (await _variable(pump, index, writable, variant)).set_writable()
    history = server.iserver.history_manager.storage
    for node, value in ((speed, float), (state, lambda at: f"state {at % 3}"), (running, lambda at: at % 2 == 0)):
        await history.new_historized_node(node.nodeid, None, count=values + 10)
        for at in range(values):
            await history.save_node_value(node.nodeid, data_value(at, value(at)))
    await history.new_historized_node(nothing.nodeid, None)


async def _variable(parent, index: int, name: str, value: ua.Variant):  # noqa: ANN001, ANN202
    node = await parent.add_variable(ua.NodeId(f"P101.{name}", index), ua.QualifiedName(name, index), value)
    await node.set_attr_bit(ua.AttributeIds.AccessLevel, ua.AccessLevel.HistoryRead)
    await node.set_attr_bit(ua.AttributeIds.UserAccessLevel, ua.AccessLevel.HistoryRead)
    await node.write_attribute(ua.AttributeIds.Historizing, ua.DataValue(ua.Variant(True)))
    return node


async def _analog(node) -> None:  # noqa: ANN001
    await node.add_property(0, "EURange", ua.Range(Low=0.0, High=3000.0))
    await node.add_property(0, "EngineeringUnits", ua.EUInformation(DisplayName=ua.LocalizedText("1/min")))
    await node.write_attribute(
        ua.AttributeIds.Description, ua.DataValue(ua.Variant(ua.LocalizedText("speed of the pump")))
    )


def data_value(at: int, value: object) -> ua.DataValue:
    status = ua.StatusCodes.BadSensorFailure if at % 100 == 99 else ua.StatusCodes.Good
    return ua.DataValue(
        Value=ua.Variant(value),
        StatusCode=ua.StatusCode(ua.UInt32(status)),
        SourceTimestamp=EPOCH + dt.timedelta(microseconds=START_NS // 1000 + at * 1_000_000),
    )


def plain(port: int, folder: Path) -> Connection:
    return connection(port, folder, user="", password="", anonymous=True, security=MessageSecurity.NONE)

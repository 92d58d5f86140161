"""The eleven refusals of the trust promise, each through a real connection: our client's, and our server's."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.crypto import security_policies as foreign
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused, CertificateNotTrusted
from tagsight_connectors.opcua.certificates import OwnCertificate, read_certificate, thumbprint_of
from tagsight_connectors.opcua.client import OpcUaHistorian
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tests.connectors.opcua.authority import AUTHORITY, END, NOW_NS, START, Wanted, key, revocations
from tests.connectors.opcua.served_plant import CLIENT_URI, Plant, RealClock

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER_URI = "urn:test:server"
HOSTS = ("127.0.0.1",)
REVOKED = 66
EARLIER, LATER = (moment.replace(month=5, year=2026) for moment in (START, END))
LATER = LATER.replace(month=7)
LOOP = (
    Wanted(subject="One", issuer="Two", authority=True, key=key(4), signer=key(5)),
    Wanted(subject="Two", issuer="One", authority=True, key=key(5), signer=key(4)),
)


@dataclass
class Then(RealClock):
    """The middle of the year of the test certificates."""

    def now_ns(self) -> int:
        return NOW_NS


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    """Our server, for which signing is enough; both sides trust the plant's authority."""
    plant = Plant(tmp_path_factory.mktemp("plant"), clock=Then())
    for side in ("client", "server"):
        trust = TrustList(plant.folder / side)
        add(trust, AUTHORITY)
        for one in LOOP:
            add(trust, one, issuer=True)
        file = plant.folder / "plant.crl"
        file.write_bytes(revocations("Plant CA", key(1), REVOKED))
        trust.add_revocations(file)
    ours = {"uri": own_certificate(connection(plant)).application_uri, "hosts": (), "key": key(8)}
    pair(plant.folder / "client" / "own", "tagsight-client", by_the_authority(ours))
    async with plant.make_server(sign=True):
        yield plant


def add(trust: TrustList, wanted: Wanted, **options: bool) -> None:
    file = trust.folder.parent / "wanted.der"
    file.write_bytes(wanted.der())
    trust.add(file, **options)


def connection(plant: Plant, url: str = "opc.tcp://127.0.0.1", **changes: Any) -> Connection:
    wanted: dict[str, Any] = {"security": MessageSecurity.SIGN_AND_ENCRYPT, **changes}
    return Connection(url, "olga", "olga-secret", certificates=plant.folder / "client", timeout_s=20.0, **wanted)


async def connect(plant: Plant, **changes: Any) -> str:
    """Connect with our client, and say which security it found."""
    historian = OpcUaHistorian(connection(plant, plant.server.url, **changes), lambda: NOW_NS)
    try:
        await historian.connect()
        return (await historian.describe()).security
    finally:
        await historian.close()


def pair(folder: Path, name: str, wanted: Wanted) -> OwnCertificate:
    folder.mkdir(parents=True, exist_ok=True)
    certificate, private = folder / f"{name}.der", folder / f"{name}.pem"
    private.write_bytes(wanted.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    certificate.write_bytes(wanted.der())
    return read_certificate(certificate, private)


async def serve_with(plant: Plant, wanted: Wanted) -> None:
    """Let the running server present this certificate."""
    pair(plant.folder / "server" / "own", "server", wanted)
    await plant.server.publish()


def servers(**changes: Any) -> Wanted:
    return by_the_authority({"uri": SERVER_URI, "hosts": HOSTS, "key": key(6), **changes})


def by_the_authority(wanted: dict[str, Any]) -> Wanted:
    return Wanted(**{"issuer": "Plant CA", "signer": key(1), **wanted})


async def test_what_the_authority_issued_is_accepted_by_the_client(plant: Plant) -> None:
    await serve_with(plant, servers())
    assert await connect(plant) == "Aes256_Sha256_RsaPss SignAndEncrypt, user olga"


PRESENTED = [
    pytest.param({"issuer": "Office CA", "signer": key(2)}, "not known either", id="wrong-authority"),
    pytest.param({"end": EARLIER}, "expired", id="expired"),
    pytest.param({"start": LATER}, "not valid before", id="not-yet-valid"),
    pytest.param({"serial": REVOKED}, "revoked by its issuer", id="revoked"),
    pytest.param({"issuer": "scada01", "signer": key(6)}, "not trusted", id="self-signed"),
    pytest.param({"issuer": "One", "signer": key(4)}, "does not end", id="chain-loop"),
    pytest.param({"uri": "urn:plant:other"}, "urn:plant:other", id="wrong-uri"),
    pytest.param({"usable": False}, "does not allow to sign and encrypt", id="wrong-usage"),
    pytest.param({"key": key(3, 1024)}, "1024 bits", id="short-key"),
]


@pytest.mark.parametrize(
    ("changes", "cause"),
    [*PRESENTED, pytest.param({"hosts": ("scada02",)}, "not for '127.0.0.1'", id="wrong-host")],
)
async def test_the_client_refuses_a_server_whose_certificate_is(
    plant: Plant, changes: dict[str, Any], cause: str
) -> None:
    await serve_with(plant, servers(**changes))
    with pytest.raises(CertificateNotTrusted, match=cause):
        await connect(plant)


@contextmanager
def only_listed(plant: Plant, side: str, wanted: Wanted) -> Iterator[None]:
    """One certificate of the authority is trusted, and not the authority."""
    trust = TrustList(plant.folder / side)
    (authority,) = (entry for entry in trust.list() if entry.subject == "CN=Plant CA")
    trust.remove(authority.thumbprint)
    add(trust, wanted)
    try:
        yield
    finally:
        add(trust, AUTHORITY)


async def test_the_client_refuses_another_serial_number_where_only_one_is_listed(plant: Plant) -> None:
    with only_listed(plant, "client", servers(serial=8)):
        await serve_with(plant, servers(serial=8))
        await connect(plant)
        await serve_with(plant, servers(serial=9))
        with pytest.raises(CertificateNotTrusted, match="not trusted"):
            await connect(plant)


async def test_the_server_refuses_another_serial_number_where_only_one_is_listed(plant: Plant) -> None:
    await serve_with(plant, servers())
    with only_listed(plant, "server", clients(serial=8)):
        await knock(plant, clients(serial=8))
        with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
            await knock(plant, clients(serial=9))


def shown(plant: Plant, monkeypatch: pytest.MonkeyPatch, wanted: ua.MessageSecurityMode, *, once: bool = False) -> None:
    """What discovery says is changed on the way; with `once`, not what the secured channel says."""
    iserver = plant.server._server.iserver
    honest = iserver.get_endpoints
    asked: list[int] = []

    async def get_endpoints(*arguments: Any, **options: Any) -> Any:
        asked.append(1)
        found = await honest(*arguments, **options)
        if once and len(asked) > 1:
            return found
        if wanted != ua.MessageSecurityMode.None_:
            return [endpoint for endpoint in found if endpoint.SecurityMode == wanted]
        found[0].SecurityMode, found[0].SecurityPolicyUri = wanted, foreign.SecurityPolicyNone.URI
        return found[:1]

    monkeypatch.setattr(iserver, "get_endpoints", get_endpoints)


@pytest.mark.parametrize("security", [MessageSecurity.SIGN_AND_ENCRYPT, MessageSecurity.SIGN])
async def test_the_client_refuses_a_server_that_offers_no_security(
    plant: Plant, monkeypatch: pytest.MonkeyPatch, security: MessageSecurity
) -> None:
    await serve_with(plant, servers())
    shown(plant, monkeypatch, ua.MessageSecurityMode.None_)
    with pytest.raises(AccessRefused, match="no endpoint with SignAndEncrypt"):
        await connect(plant, security=security)


async def test_the_client_refuses_to_be_brought_down_to_signing(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    await serve_with(plant, servers())
    shown(plant, monkeypatch, ua.MessageSecurityMode.Sign)
    with pytest.raises(AccessRefused, match="it offers some that sign only"):
        await connect(plant)
    assert await connect(plant, security=MessageSecurity.SIGN) == "Aes256_Sha256_RsaPss Sign, user olga"


async def test_the_client_notices_that_discovery_hid_the_better_endpoints(
    plant: Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    await serve_with(plant, servers())
    shown(plant, monkeypatch, ua.MessageSecurityMode.Sign, once=True)
    with pytest.raises(AccessRefused, match="better security than its answer to discovery"):
        await connect(plant, security=MessageSecurity.SIGN)


def clients(**changes: Any) -> Wanted:
    return by_the_authority({"uri": CLIENT_URI, "hosts": (), "key": key(7), **changes})


async def knock(plant: Plant, wanted: Wanted) -> None:
    own = pair(plant.folder / "hmi", "hmi", wanted)
    async with plant.client(certificate=own):
        pass


async def test_what_the_authority_issued_is_accepted_by_the_server(plant: Plant) -> None:
    await serve_with(plant, servers())
    await knock(plant, clients())


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        *PRESENTED,
        pytest.param({"serial": 9, "issuer": "Dam CA", "signer": key(2)}, "known", id="same-serial-elsewhere"),
    ],
)
async def test_the_server_refuses_a_client_whose_certificate_is(
    plant: Plant, changes: dict[str, Any], cause: str
) -> None:
    await serve_with(plant, servers())
    wanted = clients(**changes)
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError, ValueError)):
        await knock(plant, wanted)
    trust = TrustList(plant.folder / "server")
    assert trust.show(thumbprint_of(wanted.der())).place == "rejected"
    with pytest.raises(CertificateNotTrusted, match=cause):
        trust.check(wanted.der(), application_uri=CLIENT_URI, now_ns=NOW_NS)


@pytest.mark.parametrize("policy", [foreign.SecurityPolicyBasic128Rsa15, foreign.SecurityPolicyBasic256])
async def test_the_server_refuses_a_broken_policy(plant: Plant, policy: type[foreign.SecurityPolicy]) -> None:
    await serve_with(plant, servers())
    own = pair(plant.folder / "hmi", "hmi", clients())
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        async with plant.client(certificate=own, policy=policy):
            pass


async def test_the_server_refuses_a_client_without_security(plant: Plant) -> None:
    client = Client(plant.server.url)
    client.set_user("olga")
    client.set_password("olga-secret")
    with pytest.raises((ua.UaError, ConnectionError)):
        await client.connect()


async def test_nothing_is_trusted_on_first_or_second_use(plant: Plant) -> None:
    await serve_with(plant, servers(issuer="scada01", signer=key(6)))
    for _ in range(2):
        with pytest.raises(CertificateNotTrusted):
            await connect(plant)


async def test_a_client_may_send_its_authority_behind_its_certificate(plant: Plant) -> None:
    await serve_with(plant, servers())
    own = pair(plant.folder / "hmi", "hmi", clients())
    authority = plant.folder / "authority.der"
    authority.write_bytes(AUTHORITY.der())
    client = Client(plant.server.url)
    client.application_uri = CLIENT_URI
    client.set_user("olga")
    client.set_password("olga-secret")
    await client.set_security(
        foreign.SecurityPolicyAes256Sha256RsaPss,
        str(own.certificate),
        str(own.key),
        server_certificate=str(plant.server.certificate.certificate),
        certificate_chain=[str(authority)],
    )
    async with client:
        assert await (await plant.node(client, "Plant/P101/Speed")).read_value() == 999.0

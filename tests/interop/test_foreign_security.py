"""Every policy, mode and kind of user against implementations that are not ours, both ways."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused, HistorianError
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.reading import read_history
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.connectors.opcua.served_plant import RealClock
from tests.interop.foreign import ForeignHistorian, ForeignTag, legacy_historian, node_historian
from tests.interop.foreign_client import node_client

pytestmark = [pytest.mark.interop, pytest.mark.slow]

POLICIES = ("Aes256_Sha256_RsaPss", "Basic256Sha256", "Aes128_Sha256_RsaOaep")
MODES = ("SignAndEncrypt", "Sign")
SPEED = ForeignTag("Plant/Speed", [float(at) for at in range(10)])
WHOLE = Span(SPEED.start_ms * 1_000_000, (SPEED.start_ms + 10_000) * 1_000_000)
OFFERS = [pytest.param((policy, mode), id=f"{policy}-{mode}") for policy in POLICIES for mode in MODES]


def user_certificate(folder: Path, name: str = "tagsight-user") -> OwnCertificate:
    return ensure_certificate(folder / "users", name, f"urn:plant:{name}", [])


@pytest.fixture(scope="module", params=OFFERS)
def offer(request: pytest.FixtureRequest) -> tuple[str, str]:
    """Policy and mode: all that the server offers."""
    found: tuple[str, str] = request.param
    return found


@pytest.fixture(scope="module")
def foreign(
    offer: tuple[str, str], node_modules: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ForeignHistorian]:
    folder = tmp_path_factory.mktemp("node")
    user = str(user_certificate(folder).certificate)
    policy, mode = offer
    settings = {"policies": [policy], "modes": [mode], "userCertificate": user}
    with node_historian(node_modules, folder, [SPEED], **settings) as historian:
        yield historian


async def connect(connection: Connection, address: str) -> str:
    """Connect, read, and say which security was found."""
    historian = open_opcua(connection)
    try:
        await historian.connect()
        history = await read_history(historian, [address], WHOLE)
        assert list(history.tags[address].values) == list(SPEED.values)
        return (await historian.describe()).security
    finally:
        await historian.close()


def allowing(foreign: ForeignHistorian, mode: str) -> Connection:
    security = MessageSecurity.SIGN if mode == "Sign" else MessageSecurity.SIGN_AND_ENCRYPT
    return replace(foreign.connection, security=security)


def certified(connection: Connection, name: str = "tagsight-user") -> Connection:
    assert connection.certificates is not None
    own = user_certificate(connection.certificates.parent, name)
    return replace(connection, user="", password="", user_certificate=own.certificate, user_key=own.key)


async def test_a_user_name_signs_in_at_node_opcua(foreign: ForeignHistorian, offer: tuple[str, str]) -> None:
    found = await connect(allowing(foreign, offer[1]), foreign.address(SPEED.path))
    assert found == f"{' '.join(offer)}, user tagsight"


async def test_a_user_certificate_signs_in_at_node_opcua(foreign: ForeignHistorian, offer: tuple[str, str]) -> None:
    found = await connect(certified(allowing(foreign, offer[1])), foreign.address(SPEED.path))
    assert found == f"{' '.join(offer)}, user certificate tagsight-user.der"


async def test_node_opcua_refuses_other_users(foreign: ForeignHistorian, offer: tuple[str, str]) -> None:
    allowed = allowing(foreign, offer[1])
    for stranger in (replace(allowed, password="guess"), certified(allowed, "stranger")):
        with pytest.raises(HistorianError) as refusal:
            await connect(stranger, foreign.address(SPEED.path))
        assert isinstance(refusal.value, AccessRefused), refusal.value


async def test_signing_alone_is_not_taken_from_node_opcua_unless_set(
    foreign: ForeignHistorian, offer: tuple[str, str]
) -> None:
    if offer[1] == "Sign":
        with pytest.raises(AccessRefused, match="it offers some that sign only"):
            await connect(foreign.connection, foreign.address(SPEED.path))


async def test_of_all_that_node_opcua_offers_the_best_is_taken_and_nobody_is_anonymous(
    node_modules: Path, tmp_path: Path
) -> None:
    everything = {"policies": [*POLICIES, "Basic256", "None"], "modes": [*MODES, "None"], "anonymous": True}
    with node_historian(node_modules, tmp_path, [SPEED], **everything) as foreign:
        for security in (MessageSecurity.SIGN, MessageSecurity.SIGN_AND_ENCRYPT):
            found = await connect(replace(foreign.connection, security=security), foreign.address(SPEED.path))
            assert found == "Aes256_Sha256_RsaPss SignAndEncrypt, user tagsight"
        for security in MessageSecurity:
            anybody = replace(foreign.connection, user="", password="", anonymous=True, security=security)
            with pytest.raises(AccessRefused, match="anonymous users refused: the server takes user names"):
                await connect(anybody, foreign.address(SPEED.path))


async def test_the_legacy_server_is_read_with_the_one_policy_that_it_shares(tmp_path: Path) -> None:
    with legacy_historian(tmp_path, [SPEED]) as foreign:
        found = await connect(foreign.connection, foreign.address(SPEED.path))
    assert found == "Basic256Sha256 SignAndEncrypt, user tagsight"


async def test_an_hmi_by_node_opcua_signs_in_at_our_server(
    offer: tuple[str, str], node_modules: Path, tmp_path: Path
) -> None:
    policy, mode = offer
    certificates = tmp_path / "certificates"
    settings = ServerSettings("127.0.0.1", 0, certificates, "urn:tagsight:server", poll_s=0, sign=mode == "Sign")
    source = MemorySource([ServedVariable("Plant/Speed", "Plant/Speed")])
    known = {("olga", "olga-secret"): UserRole.OPERATOR}
    async with (
        TagServer(source, settings, lambda user, password: known.get((user, password)), RealClock()) as server,
        node_client(
            node_modules,
            tmp_path,
            server.url,
            server.certificate.certificate,
            user="olga",
            password="olga-secret",
            certificates=certificates,
            policy=policy,
            mode=mode,
        ) as hmi,
    ):
        found = await hmi.ask("read", node="nsu=urn:tagsight:results;s=Plant/Speed")
        assert found["status"] is not None


async def test_an_hmi_by_node_opcua_signs_in_at_our_server_with_a_certificate(
    offer: tuple[str, str], node_modules: Path, tmp_path: Path
) -> None:
    policy, mode = offer
    settings = ServerSettings("127.0.0.1", 0, tmp_path / "certificates", "urn:tagsight:server", poll_s=0)
    source = MemorySource([ServedVariable("Plant/Speed", "Plant/Speed")])
    olga = user_certificate(tmp_path, "olga")
    known = {olga.certificate.read_bytes(): ("olga", UserRole.OPERATOR)}
    server = TagServer(
        source, replace(settings, sign=mode == "Sign"), lambda *_: None, RealClock(), by_certificate=known.get
    )
    chosen = {"policy": policy, "mode": mode, "userCertificate": str(olga.certificate), "userKey": str(olga.key)}
    own = server.certificate.certificate
    async with (
        server,
        node_client(node_modules, tmp_path, server.url, own, certificates=settings.certificates, **chosen) as hmi,
    ):
        found = await hmi.ask("read", node="nsu=urn:tagsight:results;s=Plant/Speed")
        assert found["status"] is not None

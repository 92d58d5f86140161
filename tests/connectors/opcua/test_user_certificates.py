"""Users who sign in at our server with a certificate, by asyncua's client."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.crypto import security_policies as foreign
from asyncua.crypto import uacrypto
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua import limits
from tagsight_connectors.opcua.certificates import OwnCertificate, ensure_certificate
from tagsight_connectors.opcua.endpoints import POLICIES, policy_name
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.opcua.user_certificates import SignatureRefused, der_of, proven_certificate
from tagsight_connectors.serving import UserRole
from tests.connectors.opcua.authority import AUTHORITY, END, NOW_NS, Wanted, issued, key, revocations
from tests.connectors.opcua.served_plant import Plant

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy_name(policy.URI))
SIGN, BOTH = ua.MessageSecurityMode.Sign, ua.MessageSecurityMode.SignAndEncrypt
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SERVER, NONCE = b"certificate of the server", b"n" * 32


def user(plant: Plant, name: str = "olga") -> OwnCertificate:
    return ensure_certificate(plant.folder / "users", name, f"urn:user:{name}", [])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("certified"))
    plant.trust(plant.own())
    known = {user(plant).certificate.read_bytes(): ("olga", UserRole.OPERATOR)}
    async with plant.make_server(sign=True, by_certificate=known.get):
        yield plant


async def feedback(plant: Plant, client: Client) -> None:
    """What an operator may write."""
    node = await plant.node(client, "Plant/P101/Feedback")
    await node.write_value(ua.DataValue(ua.Variant(1, ua.VariantType.Int32)))


@EVERY_POLICY
@pytest.mark.parametrize("mode", [SIGN, BOTH], ids=["Sign", "SignAndEncrypt"])
async def test_a_user_signs_in_with_a_certificate_and_has_the_role(
    plant: Plant, policy: type[foreign.SecurityPolicy], mode: ua.MessageSecurityMode
) -> None:
    async with plant.client(user_certificate=user(plant), policy=policy, mode=mode) as client:
        await feedback(plant, client)
        off = await plant.node(client, "Plant/P101/Off")
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await off.write_value(ua.DataValue(ua.Variant(True, ua.VariantType.Boolean)))


async def test_somebody_elses_certificate_is_refused(plant: Plant) -> None:
    with pytest.raises(ua.uaerrors.BadUserAccessDenied):
        async with plant.client(user_certificate=user(plant, "stranger")):
            pass


async def test_a_certificate_without_its_key_is_refused(plant: Plant) -> None:
    stolen = OwnCertificate(user(plant).certificate, user(plant, "stranger").key, "", "", 0)
    with pytest.raises(ua.uaerrors.BadUserSignatureInvalid):
        async with plant.client(user_certificate=stolen):
            pass


async def test_a_recorded_sign_in_is_refused(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nonce changes with every sign-in, so the old signature is worth nothing, in the same session too."""
    recorded: list[Any] = []
    sign = foreign.sign_asymmetric

    def record(*arguments: Any) -> Any:
        recorded.append(sign(*arguments))
        return recorded[0]

    monkeypatch.setattr(foreign, "sign_asymmetric", record)
    async with plant.client(user_certificate=user(plant)) as client:
        with pytest.raises(ua.uaerrors.BadUserSignatureInvalid):
            await client.activate_session(certificate=client.user_certificate)
    with pytest.raises(ua.uaerrors.BadUserSignatureInvalid):
        async with plant.client(user_certificate=user(plant)):
            pass
    assert len(recorded) == 3


async def test_a_server_without_such_users_does_not_offer_certificates(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server() as server:
        endpoints = await Client(server.url).connect_and_get_server_endpoints()
        tokens = {token.TokenType for endpoint in endpoints for token in endpoint.UserIdentityTokens}
        assert tokens == {ua.UserTokenType.UserName}


async def test_guessing_stops_being_answered(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    known = {user(plant).certificate.read_bytes(): ("olga", UserRole.OPERATOR)}
    async with plant.make_server(by_certificate=known.get), plant.client(user_certificate=user(plant)) as client:
        stranger = user(plant, "stranger")
        for _ in range(limits.SERVER_LOGIN_FAILURES):
            with pytest.raises(ua.uaerrors.BadUserAccessDenied):
                await sign_in(client, stranger)
        with pytest.raises(ua.uaerrors.BadUserAccessDenied):
            await sign_in(client, user(plant))


async def sign_in(client: Client, own: OwnCertificate) -> None:
    await client.load_client_certificate(own.certificate)
    await client.load_private_key(own.key)
    await client.activate_session(certificate=client.user_certificate)


@dataclass
class Channel:
    """As much of a channel as a signature needs."""

    Mode: ua.MessageSecurityMode = BOTH
    AsymmetricSignatureURI: str = RSA_SHA256
    host_certificate: bytes = SERVER


@dataclass
class Sent:
    """What a client sends of a user."""

    wanted: Wanted = field(default_factory=lambda: Wanted(uri="", hosts=()))
    signed: bytes = SERVER + NONCE
    algorithm: str = RSA_SHA256
    channel: Channel = field(default_factory=Channel)
    now_ns: int = NOW_NS

    def proven(self, folder: Path) -> bytes:
        token = ua.X509IdentityToken(CertificateData=self.wanted.der())
        signature = ua.SignatureData(self.algorithm, uacrypto.sign_sha256(self.wanted.key, self.signed))
        trust = TrustList(folder)
        return proven_certificate(token, signature, NONCE, channel=self.channel, trust=trust, now_ns=self.now_ns)


async def test_a_user_needs_neither_an_application_nor_a_host(tmp_path: Path) -> None:
    sent = Sent()
    assert sent.proven(tmp_path) == sent.wanted.der()


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(Sent(signed=SERVER + b"o" * 32), id="another nonce"),
        pytest.param(Sent(signed=b"another server" + NONCE), id="another server"),
        pytest.param(Sent(algorithm="http://www.w3.org/2000/09/xmldsig#rsa-sha1"), id="SHA-1"),
        pytest.param(Sent(algorithm="http://opcfoundation.org/UA/security/rsa-pss-sha2-256"), id="not announced"),
        pytest.param(Sent(algorithm=""), id="no algorithm"),
        pytest.param(Sent(channel=Channel(ua.MessageSecurityMode.None_)), id="channel without security"),
    ],
)
async def test_a_signature_that_proves_nothing_is_refused(sent: Sent, tmp_path: Path) -> None:
    with pytest.raises(SignatureRefused):
        sent.proven(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "cause"),
    [
        pytest.param(Wanted(end=dt.datetime(2026, 5, 1, tzinfo=dt.UTC)), "expired", id="expired"),
        pytest.param(Wanted(start=dt.datetime(2026, 7, 1, tzinfo=dt.UTC)), "not valid before", id="not yet valid"),
        pytest.param(Wanted(key=key(5, 1024)), "1024 bits", id="short key"),
        pytest.param(Wanted(usable=False), "does not allow to sign", id="not for signing"),
    ],
)
async def test_a_certificate_that_may_not_be_used_is_refused(wanted: Wanted, cause: str, tmp_path: Path) -> None:
    with pytest.raises(CertificateNotTrusted, match=cause):
        Sent(wanted).proven(tmp_path)


async def test_a_revoked_certificate_is_refused(tmp_path: Path) -> None:
    trust, sent = TrustList(tmp_path), Sent(issued(subject="olga", serial=21, uri="", hosts=()))
    authority, withdrawn = tmp_path / "ca.der", tmp_path / "list.crl"
    authority.write_bytes(AUTHORITY.der())
    withdrawn.write_bytes(revocations("Plant CA", key(1), 21))
    trust.add(authority, issuer=True)
    sent.proven(tmp_path)
    trust.add_revocations(withdrawn)
    with pytest.raises(CertificateNotTrusted, match="revoked"):
        sent.proven(tmp_path)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----", bytes(100_000)])
async def test_what_is_no_certificate_is_refused(content: bytes) -> None:
    with pytest.raises(CertificateNotTrusted):
        der_of(content)


async def test_pem_and_der_are_the_same_certificate() -> None:
    built = Wanted(end=END).build()
    assert der_of(built.public_bytes(Encoding.PEM)) == der_of(built.public_bytes(Encoding.DER)) == Wanted(end=END).der()

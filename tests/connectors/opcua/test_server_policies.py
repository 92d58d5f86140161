"""What our server speaks, how passwords reach it, and that its certificate may change while it runs."""

import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from asyncua import Client, ua
from asyncua.crypto import security_policies as foreign
from asyncua.crypto import uacrypto

from tagsight_connectors.opcua.certificates import renew_certificate
from tagsight_connectors.opcua.endpoints import POLICIES, policy_name
from tagsight_connectors.opcua.server_passwords import password_of
from tests.connectors.opcua.authority import key
from tests.connectors.opcua.served_plant import Plant

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIGN, BOTH = ua.MessageSecurityMode.Sign, ua.MessageSecurityMode.SignAndEncrypt
EVERY_POLICY = pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy_name(policy.URI))
OAEP, OAEP_256 = "http://www.w3.org/2001/04/xmlenc#rsa-oaep", "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("plant"))
    plant.trust(plant.own())
    async with plant.make_server():
        yield plant


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signing_plant(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Plant]:
    plant = Plant(tmp_path_factory.mktemp("signing"))
    plant.trust(plant.own())
    async with plant.make_server(sign=True):
        yield plant


async def speed(plant: Plant, client: Client) -> float:
    return float(await (await plant.node(client, "Plant/P101/Speed")).read_value())


@EVERY_POLICY
async def test_a_client_connects_with_every_policy_that_is_not_broken(
    plant: Plant, policy: type[foreign.SecurityPolicy]
) -> None:
    async with plant.client(policy=policy) as client:
        assert await speed(plant, client) == 999.0


@EVERY_POLICY
async def test_signing_alone_is_refused_unless_it_is_set(
    plant: Plant, signing_plant: Plant, policy: type[foreign.SecurityPolicy]
) -> None:
    with pytest.raises((ua.UaError, ConnectionError, TimeoutError)):
        async with plant.client(policy=policy, mode=SIGN):
            pass
    async with signing_plant.client(policy=policy, mode=SIGN) as client:
        assert await speed(signing_plant, client) == 999.0


async def test_what_is_offered_is_what_is_served(plant: Plant, signing_plant: Plant) -> None:
    for served, modes in ((plant, {BOTH}), (signing_plant, {BOTH, SIGN})):
        endpoints = await Client(served.server.url).connect_and_get_server_endpoints()
        found = {(endpoint.SecurityPolicyUri, endpoint.SecurityMode) for endpoint in endpoints}
        assert found == {(uri, mode) for uri in POLICIES for mode in modes}


@EVERY_POLICY
async def test_a_readable_password_is_refused_where_messages_are_only_signed(
    signing_plant: Plant, policy: type[foreign.SecurityPolicy], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Client, "_encrypt_password", lambda _self, password, _uri: (password.encode(), None))
    with pytest.raises(ua.uaerrors.BadIdentityTokenInvalid):
        async with signing_plant.client(policy=policy, mode=SIGN):
            pass


async def test_a_channel_stays_and_a_new_one_gets_the_new_certificate(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server() as server, plant.client() as before:
        old = server.certificate
        new = renew_certificate(old)
        await server.publish()
        assert new.thumbprint != old.thumbprint
        assert await speed(plant, before) == 999.0
        async with plant.client() as after:
            assert await speed(plant, after) == 999.0
            assert after.security_policy.peer_certificate == new.certificate.read_bytes()
        endpoints = await Client(server.url).connect_and_get_server_endpoints()
        assert {endpoint.ServerCertificate for endpoint in endpoints} == {new.certificate.read_bytes()}


async def test_a_sign_in_on_a_channel_from_before_the_renewal_still_works(tmp_path: Path) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server(sign=True) as server, plant.client(mode=SIGN) as client:
        renew_certificate(server.certificate)
        await server.publish()
        await client.activate_session(username="erik", password="erik-secret")
        assert await speed(plant, client) == 999.0


async def test_a_pair_that_does_not_belong_together_is_left_alone(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plant = Plant(tmp_path)
    plant.trust(plant.own())
    async with plant.make_server() as server:
        own = server.certificate
        kept = own.certificate.read_bytes()
        renew_certificate(own)
        own.certificate.write_bytes(kept)
        await server.publish()
        assert "the old one stays" in caplog.text
        async with plant.client() as client:
            assert await speed(plant, client) == 999.0


@dataclass
class Channel:
    """As much of a channel as a password needs."""

    Mode: ua.MessageSecurityMode = BOTH
    asymmetric_cryptography: Any = field(default_factory=foreign.CryptographyNone)


def token(content: bytes, algorithm: str | None) -> ua.UserNameIdentityToken:
    return ua.UserNameIdentityToken(UserName="olga", Password=content, EncryptionAlgorithm=algorithm)


def sealed(password: str, nonce: bytes, algorithm: str = OAEP) -> ua.UserNameIdentityToken:
    plain = password.encode() + nonce
    seal = uacrypto.encrypt_rsa_oaep_sha256 if algorithm == OAEP_256 else uacrypto.encrypt_rsa_oaep
    return token(seal(key().public_key(), struct.pack("<I", len(plain)) + plain), algorithm)


@pytest.mark.parametrize("algorithm", [OAEP, OAEP_256], ids=["OAEP", "OAEP with SHA-256"])
@pytest.mark.parametrize("password", ["", "short", "Pässwörter " * 8], ids=["empty", "short", "long"])
async def test_an_encrypted_password_is_what_was_sent(algorithm: str, password: str) -> None:
    assert password_of(sealed(password, b"n" * 32, algorithm), b"n" * 32, Channel(SIGN), key()) == password


async def test_a_password_recorded_in_another_session_is_refused() -> None:
    with pytest.raises(ValueError, match="another session"):
        password_of(sealed("secret", b"o" * 32), b"n" * 32, Channel(), key())


@pytest.mark.parametrize("length", [0, 3, 31, 39, 1_000, 0xFFFFFFFF])
async def test_a_length_that_lies_is_refused(length: int) -> None:
    content = struct.pack("<I", length) + b"secret" + b"n" * 32
    lying = token(uacrypto.encrypt_rsa_oaep(key().public_key(), content), OAEP)
    with pytest.raises(ValueError, match="another session"):
        password_of(lying, b"n" * 32, Channel(), key())


async def test_the_broken_algorithm_is_refused() -> None:
    sent = token(uacrypto.encrypt_rsa15(key().public_key(), b"anything"), "http://www.w3.org/2001/04/xmlenc#rsa-1_5")
    with pytest.raises(ValueError, match="not safe"):
        password_of(sent, b"", Channel(), key())


@pytest.mark.parametrize("mode", [SIGN, ua.MessageSecurityMode.None_], ids=["Sign", "None"])
async def test_a_readable_password_is_taken_only_inside_an_encrypted_message(mode: ua.MessageSecurityMode) -> None:
    assert password_of(token(b"secret", None), b"", Channel(BOTH), key()) == "secret"
    with pytest.raises(ValueError, match="anybody could read"):
        password_of(token(b"secret", None), b"", Channel(mode), key())

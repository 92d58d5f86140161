"""How a client says who it is, and what is never sent."""

from dataclasses import replace
from pathlib import Path

import pytest
from asyncua import ua
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused
from tagsight_connectors.opcua.user_token import check_user, choose_policy, load_user, user_of
from tests.connectors.opcua.authority import Wanted, key

PREFIX = "http://opcfoundation.org/UA/SecurityPolicy#"
NAME, CERTIFICATE, ANONYMOUS = ua.UserTokenType.UserName, ua.UserTokenType.Certificate, ua.UserTokenType.Anonymous
CHANNEL = PREFIX + "Basic256Sha256"


def token(kind: ua.UserTokenType, policy: str = "") -> ua.UserTokenPolicy:
    return ua.UserTokenPolicy(PolicyId=f"{kind} {policy}", TokenType=kind, SecurityPolicyUri=policy and PREFIX + policy)


def choose(*offered: ua.UserTokenPolicy, kind: ua.UserTokenType = NAME, encrypted: bool = False) -> str:
    return str(choose_policy(offered, kind, CHANNEL, encrypted=encrypted).SecurityPolicyUri)


def test_a_token_without_a_policy_has_that_of_the_channel() -> None:
    assert choose(token(NAME)) == CHANNEL


def test_the_strongest_policy_for_the_token_is_taken() -> None:
    assert choose(token(NAME, "Basic256Sha256"), token(NAME, "Aes256_Sha256_RsaPss")).endswith("Aes256_Sha256_RsaPss")


@pytest.mark.parametrize("policy", ["None", "Basic128Rsa15", "Basic256"])
def test_a_name_that_would_be_readable_is_sent_only_inside_an_encrypted_message(policy: str) -> None:
    with pytest.raises(AccessRefused, match="no way to send it encrypted"):
        choose(token(NAME, policy))
    assert choose(token(NAME, policy), encrypted=True) == PREFIX + policy


@pytest.mark.parametrize("offered", [(), (token(NAME),), (token(CERTIFICATE, "None"),)], ids=["none", "name", "unsafe"])
def test_a_user_certificate_that_is_not_taken_or_not_safe_is_refused(offered: tuple[ua.UserTokenPolicy, ...]) -> None:
    with pytest.raises(AccessRefused, match="the user certificate"):
        choose(*offered, kind=CERTIFICATE, encrypted=True)


@pytest.mark.parametrize("kind", [NAME, CERTIFICATE], ids=["names", "certificates"])
def test_nobody_is_anonymous_where_the_server_takes_users(kind: ua.UserTokenType) -> None:
    with pytest.raises(AccessRefused, match="the server takes user"):
        choose(token(ANONYMOUS), token(kind), kind=ANONYMOUS)


def test_anonymous_is_taken_where_the_server_takes_nothing_else() -> None:
    assert choose(token(ANONYMOUS, "None"), kind=ANONYMOUS) == PREFIX + "None"
    with pytest.raises(AccessRefused, match="takes none"):
        choose(kind=ANONYMOUS)


def test_a_connection_says_who_connects(tmp_path: Path) -> None:
    nobody = Connection("opc.tcp://scada01")
    with pytest.raises(AccessRefused, match="no user is set"):
        check_user(nobody)
    check_user(replace(nobody, anonymous=True))
    certified = replace(nobody, user_certificate=tmp_path / "tagsight.der")
    check_user(certified)
    assert user_of(certified) == "user certificate tagsight.der"
    with pytest.raises(AccessRefused, match="messages have no security"):
        check_user(replace(certified, security=MessageSecurity.NONE))


def files(folder: Path, *, pem: bool = False, passphrase: bytes = b"", number: int = 0) -> tuple[Path, Path]:
    encoding = Encoding.PEM if pem else Encoding.DER
    certificate, private = folder / "user.crt", folder / "user.key"
    certificate.write_bytes(Wanted().build().public_bytes(encoding))
    locked = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    private.write_bytes(key(number).private_bytes(encoding, PrivateFormat.PKCS8, locked))
    return certificate, private


@pytest.mark.parametrize("passphrase", ["", "of the key"], ids=["plain", "encrypted"])
@pytest.mark.parametrize("pem", [True, False], ids=["PEM", "DER"])
def test_certificate_and_key_may_be_der_or_pem_and_the_key_encrypted(
    tmp_path: Path, passphrase: str, *, pem: bool
) -> None:
    found, private = load_user(*files(tmp_path, pem=pem, passphrase=passphrase.encode()), passphrase)
    assert private.public_key() == found.public_key()


def test_a_wrong_passphrase_is_told_without_showing_it(tmp_path: Path) -> None:
    with pytest.raises(AccessRefused, match="no private key can be read") as refusal:
        load_user(*files(tmp_path, passphrase=b"the right one"), "h1dden")
    assert "h1dden" not in f"{refusal.value!r} {refusal.value.__cause__!r} {refusal.value.mend}"


def test_files_that_do_not_belong_together_or_hold_nothing_are_told(tmp_path: Path) -> None:
    certificate, private = files(tmp_path, number=1)
    with pytest.raises(AccessRefused, match="not the key of the certificate"):
        load_user(certificate, private, "")
    private.write_bytes(b"nonsense")
    with pytest.raises(AccessRefused, match="no private key"):
        load_user(certificate, private, "")
    with pytest.raises(AccessRefused, match="no certificate"):
        load_user(private, private, "")

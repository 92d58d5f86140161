"""How a client of ours says who it is: a user name, a user certificate, or nobody, and what is never sent readable."""

import copy
from collections.abc import Sequence
from pathlib import Path

from asyncua import ua
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.errors import AccessRefused
from tagsight_connectors.opcua.endpoints import POLICIES

MIGHT_BE: dict[ua.UserTokenType, str] = {
    ua.UserTokenType.UserName: "user names",
    ua.UserTokenType.Certificate: "user certificates",
}


def check_user(connection: Connection) -> None:
    """Nobody is anonymous without having said so."""
    if not connection.user and connection.user_certificate is None and not connection.anonymous:
        raise AccessRefused(
            "connection",
            "no user is set",
            mend="Set `user:` or `user_certificate:`; `anonymous: true` only where the server knows no users.",
        )
    if connection.user_certificate is not None and connection.security is MessageSecurity.NONE:
        raise AccessRefused(
            "the user certificate", "messages have no security", mend="Remove `security: none`, or set `user:` instead."
        )


def user_of(connection: Connection) -> str:
    """Who connects, in words."""
    if connection.user_certificate is not None:
        return f"user certificate {connection.user_certificate.name}"
    return f"user {connection.user}" if connection.user else "anonymous"


def choose_policy(
    offered: Sequence[ua.UserTokenPolicy], kind: ua.UserTokenType, channel: str, *, encrypted: bool
) -> ua.UserTokenPolicy:
    """The best of the server's policies for this kind of user.

    Args:
        offered: of the endpoint in use.
        kind: of our user.
        channel: URI of the policy that the channel has; what a token's policy without one means.
        encrypted: the channel encrypts, for the certificate that we checked.
    """
    of_kind = [policy for policy in offered if policy.TokenType == kind]
    if kind == ua.UserTokenType.Anonymous:
        return _anonymous(offered, of_kind)
    for uri in POLICIES:
        for policy in of_kind:
            if (policy.SecurityPolicyUri or channel) == uri:
                chosen = copy.copy(policy)
                chosen.SecurityPolicyUri = uri
                return chosen
    if kind == ua.UserTokenType.Certificate:
        raise AccessRefused(
            "the user certificate",
            "the server takes none, or asks for a signature that is not safe",
            mend="Allow user certificates in the historian, or set `user:` instead.",
        )
    if of_kind and encrypted:
        return of_kind[0]
    raise AccessRefused(
        "the user name",
        "the server offers no way to send it encrypted",
        mend="Allow user names with Basic256Sha256 in the historian.",
    )


def _anonymous(offered: Sequence[ua.UserTokenPolicy], of_kind: Sequence[ua.UserTokenPolicy]) -> ua.UserTokenPolicy:
    others = [MIGHT_BE[kind] for kind in MIGHT_BE if any(policy.TokenType == kind for policy in offered)]
    if others:
        raise AccessRefused(
            "anonymous users",
            f"the server takes {' and '.join(others)} too, and anonymous is only for servers that know no users",
            mend="Have a user made for TagSight in the historian, and set it: `user:`, `tagsight password set NAME`.",
        )
    if not of_kind:
        raise AccessRefused("anonymous users", "the server takes none", mend="Set `user:` or `user_certificate:`.")
    return of_kind[0]


def load_user(certificate: Path, key: Path, passphrase: str) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    """A user certificate and its key, each DER or PEM; an encrypted key needs its passphrase."""
    try:
        found = _certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise _unusable(certificate, "no certificate can be read there", "Give a DER or PEM file.") from error
    try:
        private = _key(key.read_bytes(), passphrase)
    except (OSError, ValueError, TypeError):
        # without the cause: it may show what is inside
        mend = "Give a DER or PEM file; `tagsight password set NAME` stores the passphrase of an encrypted one."
        raise _unusable(key, "no private key can be read there", mend) from None
    if not isinstance(private, rsa.RSAPrivateKey) or private.public_key() != found.public_key():
        raise _unusable(key, "it is not the key of the certificate", "Name the two files that belong together.")
    return found, private


def _unusable(file: Path, cause: str, mend: str) -> AccessRefused:
    return AccessRefused(f"the user certificate ({file})", cause, mend)


def _certificate(content: bytes) -> x509.Certificate:
    pem = content.lstrip().startswith(b"-----BEGIN")
    return x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)


def _key(content: bytes, passphrase: str) -> object:
    pem = content.lstrip().startswith(b"-----BEGIN")
    load = serialization.load_pem_private_key if pem else serialization.load_der_private_key
    try:
        return load(content, None)
    except TypeError:  # it is encrypted
        return load(content, passphrase.encode())

"""What our server presents to a new channel: policies, endpoints, and a certificate that may change while it runs."""

import logging
from pathlib import Path
from typing import Final

from asyncua import Server, ua
from asyncua.crypto.security_policies import SecurityPolicyFactory
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

Stamp = tuple[int, int, int, int]

ENCRYPTED: Final = (
    ua.SecurityPolicyType.Aes256Sha256RsaPss_SignAndEncrypt,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_SignAndEncrypt,
    ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt,
)
SIGNED: Final = (
    ua.SecurityPolicyType.Aes256Sha256RsaPss_Sign,
    ua.SecurityPolicyType.Aes128Sha256RsaOaep_Sign,
    ua.SecurityPolicyType.Basic256Sha256_Sign,
)

_log: Final = logging.getLogger(__name__)


def offered(*, sign: bool, none: bool) -> list[ua.SecurityPolicyType]:
    """What the settings of a server allow."""
    return [*ENCRYPTED, *(SIGNED if sign else ()), *([ua.SecurityPolicyType.NoSecurity] if none else ())]


class ServerIdentity:
    """Certificate and key of a running server. A channel keeps what it was opened with; a new one gets the newest."""

    def __init__(self, server: Server, certificate: Path, key: Path) -> None:
        self._server = server
        self._files = (certificate, key)
        self._stamp: Stamp | None = None
        self._policies: list[SecurityPolicyFactory] = []

    async def prepare(self) -> None:
        """Before the server's nodes are set up: certificate and key."""
        self._stamp = self._stamp_now()
        certificate, key = self._files
        await self._server.load_certificate(certificate.read_bytes(), "der")
        await self._server.load_private_key(key.read_bytes(), None, "pem")

    def offer(self) -> list[SecurityPolicyFactory]:
        """After it: the policies for new channels."""
        self._policies = self._server._policies  # noqa: SLF001 - Server.start, which uses them, would listen unguarded
        return list(self._policies)

    def refresh(self) -> bool:
        """Take a new pair of files; False: nothing is new, or what is there does not belong together (yet)."""
        stamp = self._stamp_now()
        if stamp is None or stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            certificate, key = _pair(*self._files)
        except (OSError, ValueError, TypeError) as error:
            _log.warning("the new own certificate cannot be used (%s): the old one stays", type(error).__name__)
            return False
        self._take(certificate, key)
        return True

    def _take(self, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
        iserver = self._server.iserver
        iserver.certificate, iserver.private_key = certificate, key
        for policy in self._policies:
            policy.certificate, policy.private_key = certificate, key
        for endpoint in iserver.endpoints:
            endpoint.ServerCertificate = certificate.public_bytes(serialization.Encoding.DER)
        _log.warning("a new own certificate is used for new connections: clients must trust it")

    def _stamp_now(self) -> Stamp | None:
        try:
            one, other = (file.stat() for file in self._files)
        except OSError:
            return None
        return one.st_mtime_ns, one.st_size, other.st_mtime_ns, other.st_size


def _pair(certificate: Path, key: Path) -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    found = x509.load_der_x509_certificate(certificate.read_bytes())
    private = serialization.load_pem_private_key(key.read_bytes(), None)
    if not isinstance(private, rsa.RSAPrivateKey) or private.public_key() != found.public_key():
        message = "certificate and key do not belong together"
        raise ValueError(message)
    return found, private

"""The certificate of one of our own applications: made once, kept in a folder, renewed by a command.

What it says is what OPC 10000-6, 6.2.2 asks of an application instance certificate: the application URI and the hosts
in its subject alternative name, the key usages that Basic256Sha256 needs, and that it is no authority.
"""

import datetime as dt
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KEY_BITS: Final = 2048
VALID_DAYS: Final = 5 * 365
SECOND: Final = 1_000_000_000

BACKDATED: Final = dt.timedelta(hours=1)
"""A peer whose clock is a little behind must not find the certificate "not yet valid"."""


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """A certificate of ours with its key.

    Attributes:
        certificate: DER file.
        key: PEM file (PKCS 8, not encrypted, readable by its owner only).
        thumbprint: SHA-1 of the DER bytes, lower-case hex: what OPC UA tools show.
        application_uri: as in the certificate.
        expires_ns: UTC, ns.
    """

    certificate: Path
    key: Path
    thumbprint: str
    application_uri: str
    expires_ns: int


def thumbprint_of(certificate_der: bytes) -> str:
    """SHA-1 of the DER bytes in lower-case hex; an identifier, not a security measure."""
    digest = hashes.Hash(hashes.SHA1())  # noqa: S303 - OPC UA defines the thumbprint as SHA-1
    digest.update(certificate_der)
    return digest.finalize().hex()


def leaf_certificate(chain: bytes) -> bytes:
    """The first certificate of a chain of DER certificates."""
    if chain[:2] != b"\x30\x82" or len(chain) < 4:
        return chain
    return chain[: 4 + int.from_bytes(chain[2:4], "big")]


def ensure_certificate(
    folder: Path,
    name: str,
    application_uri: str,
    hosts: Sequence[str],
    *,
    valid_days: int = VALID_DAYS,
) -> OwnCertificate:
    """The certificate `name` in `folder`; made there if it or its key is missing.

    An existing one is returned as it is, also when it has expired or was made for other hosts: renewing changes the
    thumbprint, which every peer must trust again, so that is an engineer's decision (`renew_certificate`).
    """
    certificate, key = folder / f"{name}.der", folder / f"{name}.pem"
    if not (certificate.exists() and key.exists()):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = x509.SubjectAlternativeName(_alternative_names(application_uri, hosts))
        _make(certificate, key, _builder(name, names, valid_days))
    return read_certificate(certificate, key)


def renew_certificate(own: OwnCertificate, *, valid_days: int = VALID_DAYS) -> OwnCertificate:
    """A new certificate and a new key in place of `own`, for the same application and hosts.

    The old pair is kept in `replaced/` beside it. Clients of ours use the new one at their next connection, a running
    server for its next channel.

    Raises:
        ValueError: an authority issued it; only that can renew it.
    """
    old = x509.load_der_x509_certificate(own.certificate.read_bytes())
    if old.issuer != old.subject:
        raise ValueError(old.issuer.rfc4514_string())
    replaced = own.certificate.parent / "replaced"
    replaced.mkdir(exist_ok=True, mode=0o700)
    for file in (own.certificate, own.key):
        _write_private(replaced / f"{file.stem}-{own.thumbprint[:8]}{file.suffix}", file.read_bytes())
    names = old.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    drafts = (own.certificate.with_suffix(".new-der"), own.key.with_suffix(".new-pem"))
    _make(*drafts, _builder(own.certificate.stem, names, valid_days))
    drafts[1].replace(own.key)  # a reader between these two finds a pair that does not match, and looks again
    drafts[0].replace(own.certificate)
    return read_certificate(own.certificate, own.key)


def read_certificate(certificate: Path, key: Path) -> OwnCertificate:
    """What an existing certificate says of itself."""
    der = certificate.read_bytes()
    parsed = x509.load_der_x509_certificate(der)
    return OwnCertificate(
        certificate=certificate,
        key=key,
        thumbprint=thumbprint_of(der),
        application_uri=application_uri_of(parsed),
        expires_ns=int(parsed.not_valid_after_utc.timestamp()) * SECOND,
    )


def expiry_of(content: bytes) -> int:
    """When a certificate (DER or PEM) ends, UTC ns. Raises ValueError where it is none."""
    pem = content.lstrip().startswith(b"-----BEGIN")
    parsed = (x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate)(content)
    return int(parsed.not_valid_after_utc.timestamp()) * SECOND


def application_uri_of(certificate: x509.Certificate) -> str:
    """The application URI in the subject alternative name, "" if there is none."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ""
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return uris[0] if uris else ""


def _make(certificate: Path, key: Path, builder: x509.CertificateBuilder) -> None:
    private = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
    public = private.public_key()
    identifier = x509.SubjectKeyIdentifier.from_public_key(public)
    authority = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
    builder = builder.public_key(public).add_extension(identifier, critical=False)
    signed = builder.add_extension(authority, critical=False).sign(private, hashes.SHA256())
    _write_private(
        key,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    )
    certificate.write_bytes(signed.public_bytes(serialization.Encoding.DER))


def _builder(name: str, names: x509.SubjectAlternativeName, valid_days: int) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)  # a certificate's dates are real time, also under an injected clock
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.ORGANIZATION_NAME, "TagSight")]
    )
    usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + dt.timedelta(days=valid_days))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(), critical=True)
        .add_extension(usages, critical=False)
    )


def _key_usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=True,
        data_encipherment=True,
        key_agreement=False,
        key_cert_sign=True,  # OPC 10000-6: set in a self-signed certificate
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _alternative_names(application_uri: str, hosts: Sequence[str]) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(application_uri), *(host_name(host) for host in dict.fromkeys(hosts))]


def host_name(host: str) -> x509.GeneralName:
    """A host as certificates name it: an IP address or a DNS name."""
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write_private(path: Path, content: bytes) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)

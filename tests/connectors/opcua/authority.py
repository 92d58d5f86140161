"""Certificates for tests: authorities, what they issue, and what is wrong with it."""

import datetime as dt
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tagsight_connectors.opcua.certificates import host_name

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)
NOW_NS = int(dt.datetime(2026, 6, 1, tzinfo=dt.UTC).timestamp()) * 1_000_000_000
URI = "urn:plant:scada01"

_KEYS: dict[int, rsa.RSAPrivateKey] = {}


def key(number: int = 0, bits: int = 2048) -> rsa.RSAPrivateKey:
    """Keys are made once a run: making one takes a while."""
    slot = number * 10_000 + bits
    if slot not in _KEYS:
        _KEYS[slot] = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return _KEYS[slot]


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass
class Wanted:
    """A certificate as a test wants it; the defaults are those of a good one of a server."""

    subject: str = "scada01"
    issuer: str = "scada01"
    serial: int = 7
    uri: str = URI
    hosts: tuple[str, ...] = ("scada01", "10.0.0.5")
    start: dt.datetime = START
    end: dt.datetime = END
    authority: bool = False
    usable: bool = True
    path_length: int | None = None
    key: rsa.RSAPrivateKey = field(default_factory=key)
    signer: rsa.RSAPrivateKey | None = None

    def build(self) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(name(self.subject))
            .issuer_name(name(self.issuer))
            .public_key(self.key.public_key())
            .serial_number(self.serial)
            .not_valid_before(self.start)
            .not_valid_after(self.end)
            .add_extension(x509.SubjectAlternativeName(self._names()), critical=False)
            .add_extension(x509.BasicConstraints(ca=self.authority, path_length=self.path_length), critical=True)
            .add_extension(self._usage(), critical=True)
            .sign(self.signer or self.key, hashes.SHA256())
        )

    def der(self) -> bytes:
        return self.build().public_bytes(serialization.Encoding.DER)

    def _names(self) -> list[x509.GeneralName]:
        uris = [x509.UniformResourceIdentifier(self.uri)] if self.uri else []
        return [*uris, *(host_name(host) for host in self.hosts)]

    def _usage(self) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=self.usable,
            content_commitment=self.usable,
            key_encipherment=self.usable,
            data_encipherment=self.usable,
            key_agreement=False,
            key_cert_sign=self.authority,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )


def revocations(issuer: str, signer: rsa.RSAPrivateKey, *serials: int) -> bytes:
    builder = x509.CertificateRevocationListBuilder().issuer_name(name(issuer)).last_update(START).next_update(END)
    for serial in serials:
        revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(START).build()
        builder = builder.add_revoked_certificate(revoked)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


AUTHORITY = Wanted(subject="Plant CA", issuer="Plant CA", serial=1, authority=True, uri="", hosts=(), key=key(1))
OTHER_AUTHORITY = Wanted(
    subject="Office CA", issuer="Office CA", serial=1, authority=True, uri="", hosts=(), key=key(2)
)


def issued(**changes: object) -> Wanted:
    """A good certificate issued by the plant's authority."""
    return Wanted(issuer="Plant CA", signer=key(1), **changes)  # type: ignore[arg-type]

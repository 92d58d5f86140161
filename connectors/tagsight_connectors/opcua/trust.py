"""Which certificates of peers we accept: a folder of files, and one check with every rule in it.

```
trusted/   certificates accepted by `tagsight trust add`; an authority here vouches for what it issued
issuers/   authorities that only complete a chain; they vouch for nothing by themselves
revoked/   revocation lists (*.crl), by the authority that signed them
rejected/  what was refused, kept for the engineer to look at; bounded, the oldest goes first
```

Nothing is ever trusted on first use. All reasons of a refusal are reported together.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from tagsight_connectors.errors import CertificateNotTrusted, HistorianError
from tagsight_connectors.opcua.certificates import SECOND, application_uri_of, thumbprint_of
from tagsight_connectors.opcua.trust_chain import Authorities, chain_faults
from tagsight_connectors.opcua.trust_rules import certificate_faults, hosts_of, validity_faults

LONGEST_CERTIFICATE: Final = 64 * 1024
"""Bytes; larger than any real chain of certificates."""

KEPT_REJECTED: Final = 50

PLACES: Final = ("trusted", "issuers", "rejected")


@dataclass
class CertificateFileUnusable(HistorianError):
    """A file or thumbprint that an engineer named does not lead to a certificate."""

    what: str
    mend: str = "`tagsight trust list --data DIR` shows the thumbprints; a file must be a DER or PEM certificate."

    def __str__(self) -> str:
        return f"no certificate in {self.what}"


@dataclass(frozen=True, slots=True)
class TrustEntry:
    """One certificate of the folder.

    Attributes:
        thumbprint: SHA-1, lower-case hex.
        place: "trusted", "issuers" or "rejected".
        subject: distinguished name.
        issuer: distinguished name.
        application_uri: "" if none.
        hosts: DNS names and addresses.
        starts_ns: first moment of validity, UTC ns.
        expires_ns: last moment of validity, UTC ns.
        path: its file.
    """

    thumbprint: str
    place: str
    subject: str
    issuer: str
    application_uri: str
    hosts: tuple[str, ...]
    starts_ns: int
    expires_ns: int
    path: Path


class TrustList:
    """The certificates that we accept, as files below `folder`; see the module."""

    def __init__(self, folder: Path, *, kept_rejected: int = KEPT_REJECTED) -> None:
        self.folder = folder
        self.kept_rejected = kept_rejected

    def list(self) -> "tuple[TrustEntry, ...]":
        """Every certificate, trusted ones first, by thumbprint."""
        return tuple(entry for place in PLACES for entry in sorted(self._entries(place), key=_by_thumbprint))

    def show(self, thumbprint: str) -> TrustEntry:
        """The one certificate whose thumbprint starts with these hex digits (blanks and colons ignored)."""
        wanted = thumbprint.replace(":", "").replace(" ", "").lower()
        found = [entry for entry in self.list() if wanted and entry.thumbprint.startswith(wanted)]
        if len({entry.thumbprint for entry in found}) != 1:
            raise CertificateFileUnusable(thumbprint)
        return found[0]

    def add(self, thumbprint_or_file: str | Path, *, issuer: bool = False) -> TrustEntry:
        """Trust a rejected certificate (by thumbprint) or a file's; `issuer`: only to complete chains."""
        content = self._content(thumbprint_or_file)
        entry = _entry(content, self._path("issuers" if issuer else "trusted", content))
        entry.path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(entry.path, content)
        self._path("rejected", content).unlink(missing_ok=True)
        return entry

    def add_revocations(self, file: Path) -> Path:
        """Copy a revocation list (DER or PEM) into `revoked/`."""
        try:
            content = _read_revocations(file.read_bytes()).public_bytes(serialization.Encoding.DER)
        except (OSError, ValueError) as error:
            raise CertificateFileUnusable(str(file)) from error
        kept = self.folder / "revoked" / f"{thumbprint_of(content)}.crl"
        kept.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(kept, content)
        return kept

    def remove(self, thumbprint: str) -> TrustEntry:
        """Take a certificate out of every list; its peer is refused at the next connection."""
        entry = self.show(thumbprint)
        for place in PLACES:
            for other in self._entries(place):
                if other.thumbprint == entry.thumbprint:
                    other.path.unlink(missing_ok=True)
        return entry

    def check(
        self, certificate_der: bytes, *, host: str | None = None, application_uri: str | None = None, now_ns: int
    ) -> None:
        """Return if the certificate is acceptable; else keep it in `rejected/` and raise CertificateNotTrusted.

        Args:
            certificate_der: what the peer presented.
            host: the name or address that we connected to; None where we did not (we are the server).
            application_uri: what the peer says it is; None if it did not say.
            now_ns: UTC, ns.
        """
        faults = self._faults(certificate_der, host, application_uri, now_ns)
        if not faults:
            return
        self._reject(certificate_der)
        raise CertificateNotTrusted(cause="; ".join(faults), thumbprint=thumbprint_of(certificate_der))

    def _faults(self, der: bytes, host: str | None, application_uri: str | None, now_ns: int) -> Sequence[str]:
        if len(der) > LONGEST_CERTIFICATE:
            return [f"{len(der)} bytes long, at most {LONGEST_CERTIFICATE} accepted"]
        try:
            certificate = x509.load_der_x509_certificate(der)
            faults = certificate_faults(certificate, host, application_uri, now_ns)
        except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
            return [f"not a certificate that can be read ({error})"]
        return faults + chain_faults(certificate, self._authorities(), now_ns)

    def user_faults(self, certificate: x509.Certificate, now_ns: int) -> Sequence[str]:
        """Why the certificate of a user who is listed may not be used now: its time, or a revocation list."""
        known = self._authorities()
        listed = Authorities((*known.trusted, certificate), known.issuers, known.revocations)
        return [*validity_faults(certificate, now_ns), *chain_faults(certificate, listed, now_ns)]

    def _authorities(self) -> Authorities:
        return Authorities(
            trusted=tuple(x509.load_der_x509_certificate(content) for content, _ in self._files("trusted")),
            issuers=tuple(x509.load_der_x509_certificate(content) for content, _ in self._files("issuers")),
            revocations=tuple(self._revocations()),
        )

    def _revocations(self) -> Iterator[x509.CertificateRevocationList]:
        for path in sorted((self.folder / "revoked").glob("*")):
            try:
                yield _read_revocations(path.read_bytes())
            except ValueError as error:  # a list that cannot be read must not silently revoke nothing
                raise CertificateNotTrusted(cause=f"revocation list {path} cannot be read ({error})") from error

    def _files(self, place: str) -> Iterator["tuple[bytes, Path]"]:
        for path in sorted((self.folder / place).glob("*")):
            try:
                yield _read_certificate(path.read_bytes()), path
            except (OSError, ValueError):  # a foreign file in the folder is no certificate, and trusts nothing
                continue

    def _entries(self, place: str) -> Sequence[TrustEntry]:
        return [_entry(content, path) for content, path in self._files(place)]

    def _path(self, place: str, content: bytes) -> Path:
        return self.folder / place / f"{thumbprint_of(content)}.der"

    def _content(self, thumbprint_or_file: str | Path) -> bytes:
        file = Path(thumbprint_or_file)
        if not file.is_file():
            file = self.show(str(thumbprint_or_file)).path
        try:
            return _read_certificate(file.read_bytes())
        except (OSError, ValueError) as error:
            raise CertificateFileUnusable(str(file)) from error

    def _reject(self, der: bytes) -> None:
        if len(der) > LONGEST_CERTIFICATE or self.kept_rejected < 1:
            return
        rejected = self._path("rejected", der)
        rejected.parent.mkdir(parents=True, exist_ok=True)
        if not rejected.exists():
            others = sorted(rejected.parent.glob("*.der"), key=lambda path: path.stat().st_mtime_ns)
            for path in others[: len(others) - self.kept_rejected + 1]:
                path.unlink(missing_ok=True)
            _write_whole(rejected, der)


def _by_thumbprint(entry: TrustEntry) -> str:
    return entry.thumbprint


def _entry(content: bytes, path: Path) -> TrustEntry:
    certificate = x509.load_der_x509_certificate(content)
    return TrustEntry(
        thumbprint=thumbprint_of(content),
        place=path.parent.name,
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        application_uri=application_uri_of(certificate),
        hosts=tuple(sorted(hosts_of(certificate))),
        starts_ns=int(certificate.not_valid_before_utc.timestamp()) * SECOND,
        expires_ns=int(certificate.not_valid_after_utc.timestamp()) * SECOND,
        path=path,
    )


def _read_certificate(content: bytes) -> bytes:
    pem = content.lstrip().startswith(b"-----BEGIN")
    load = x509.load_pem_x509_certificate if pem else x509.load_der_x509_certificate
    return load(content[:LONGEST_CERTIFICATE]).public_bytes(serialization.Encoding.DER)


def _read_revocations(content: bytes) -> x509.CertificateRevocationList:
    pem = content.lstrip().startswith(b"-----BEGIN")
    return (x509.load_pem_x509_crl if pem else x509.load_der_x509_crl)(content)


def _write_whole(path: Path, content: bytes) -> None:
    """So that a reader never sees half a file."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    os.replace(draft, path)  # noqa: PTH105 - Path.replace is the same; this reads as what it is

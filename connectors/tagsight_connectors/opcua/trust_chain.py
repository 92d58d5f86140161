"""Who vouches for a certificate: itself by being listed, or a listed authority through an unbroken chain."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature

from tagsight_connectors.opcua.trust_rules import validity_faults

LONGEST_CHAIN: Final = 8
"""Certificates from the application's to the root."""


@dataclass(frozen=True, slots=True)
class Authorities:
    """What stands in the folder; see `trust`."""

    trusted: Sequence[x509.Certificate]
    issuers: Sequence[x509.Certificate]
    revocations: Sequence[x509.CertificateRevocationList]


def chain_faults(certificate: x509.Certificate, known: Authorities, now_ns: int) -> list[str]:
    """Why nobody vouches for the certificate; empty if somebody does.

    A listed certificate needs no chain: an engineer compared its thumbprint. One that is accepted through an
    authority must not be revoked, and that can only be known from a revocation list, so there must be one. A list
    past its "next update" still counts: the plant's own network often cannot fetch a newer one.
    """
    if certificate in known.trusted:
        return [*_revoked(certificate, known)]
    chain, fault = _chain(certificate, known, now_ns)
    if fault:
        return [fault]
    if not any(authority in known.trusted for authority in chain):
        return ["not trusted"]
    return [fault for each, by in _links(certificate, chain) for fault in _revocation_faults(each, by, known)]


def _links(
    certificate: x509.Certificate, chain: Sequence[x509.Certificate]
) -> Iterator[tuple[x509.Certificate, x509.Certificate]]:
    whole = [certificate, *chain]
    yield from itertools.pairwise(whole)


def _chain(certificate: x509.Certificate, known: Authorities, now_ns: int) -> tuple[list[x509.Certificate], str]:
    """The authorities above a certificate, up to one that is its own; or why there is no such chain."""
    chain: list[x509.Certificate] = []
    current = certificate
    while current.issuer != current.subject:
        authority = _issuer_of(current, known)
        if authority is None:
            return [], f"not trusted; its issuer {current.issuer.rfc4514_string()!r} is not known either"
        if authority in chain or len(chain) >= LONGEST_CHAIN:
            return [], "its chain of issuers does not end"
        faults = [*validity_faults(authority, now_ns), *_length_faults(authority, below=len(chain))]
        if faults:
            return [], f"its issuer {authority.subject.rfc4514_string()!r}: {faults[0]}"
        chain.append(authority)
        current = authority
    return chain, ""


def _issuer_of(certificate: x509.Certificate, known: Authorities) -> x509.Certificate | None:
    candidates = [*known.trusted, *known.issuers]
    return next((each for each in candidates if _is_authority(each) and _signed(certificate, each)), None)


def _signed(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        return False
    return constraints.ca and usage.key_cert_sign


def _length_faults(authority: x509.Certificate, below: int) -> list[str]:
    """An authority may say how many further authorities may stand below it."""
    allowed = authority.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if allowed is not None and below > allowed:
        return [f"{below} authorities stand below it, it allows {allowed}"]
    return []


def _revocation_faults(certificate: x509.Certificate, authority: x509.Certificate, known: Authorities) -> list[str]:
    lists = [each for each in known.revocations if _list_is_of(each, authority)]
    if not lists:
        return [f"there is no revocation list of its issuer {authority.subject.rfc4514_string()!r} in revoked/"]
    return _revoked(certificate, known)


def _list_is_of(revocations: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    key = authority.public_key()
    try:
        return revocations.issuer == authority.subject and revocations.is_signature_valid(key)  # type: ignore[arg-type]
    except TypeError:  # a kind of key that signs no lists
        return False


def _revoked(certificate: x509.Certificate, known: Authorities) -> list[str]:
    """By issuer and serial number: another authority may use the same serial number."""
    for each in known.revocations:
        if each.issuer == certificate.issuer and each.get_revoked_certificate_by_serial_number(
            certificate.serial_number
        ):
            return ["it was revoked by its issuer"]
    return []

"""What a peer's certificate must say of itself (OPC 10000-6, 6.2.2; the order of OPC 10000-4, 6.1.3)."""

import datetime as dt
import ipaddress
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from tagsight_connectors.opcua.certificates import SECOND, application_uri_of

SHORTEST_KEY: Final = 2048
LONGEST_KEY: Final = 4096
"""Bits: what the policies allow. A longer key costs whoever checks it more than whoever sends it."""


def certificate_faults(
    certificate: x509.Certificate, host: str | None, application_uri: str | None, now_ns: int
) -> list[str]:
    """Everything that is wrong with the certificate itself, in words; empty if nothing is."""
    return [
        *_key_faults(certificate),
        *validity_faults(certificate, now_ns),
        *_uri_faults(certificate, application_uri),
        *_host_faults(certificate, host),
        *_usage_faults(certificate),
    ]


def user_faults(certificate: x509.Certificate) -> list[str]:
    """What is wrong with a user's certificate at any time; it must sign, and stands for no application or host."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return _key_faults(certificate)  # a user's certificate need not name any
    signs = usage.digital_signature
    return [*_key_faults(certificate), *([] if signs else ["its key usage does not allow to sign"])]


def validity_faults(certificate: x509.Certificate, now_ns: int) -> list[str]:
    """Expired or not yet valid."""
    now = dt.datetime.fromtimestamp(now_ns // SECOND, dt.UTC)
    if now < certificate.not_valid_before_utc:
        return [f"not valid before {certificate.not_valid_before_utc:%Y-%m-%d %H:%M} UTC"]
    if now > certificate.not_valid_after_utc:
        return [f"expired on {certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"]
    return []


def hosts_of(certificate: x509.Certificate) -> frozenset[str]:
    """DNS names (lower case) and IP addresses that the certificate is for."""
    names = _alternative_names(certificate)
    if names is None:
        return frozenset()
    addresses = names.get_values_for_type(x509.IPAddress)
    return frozenset(
        [*(name.lower() for name in names.get_values_for_type(x509.DNSName)), *(str(each) for each in addresses)]
    )


def _alternative_names(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None


def _key_faults(certificate: x509.Certificate) -> list[str]:
    key = certificate.public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        return ["its key is not RSA"]
    if key.key_size < SHORTEST_KEY:
        return [f"its key has {key.key_size} bits, at least {SHORTEST_KEY} are needed"]
    if key.key_size > LONGEST_KEY:
        return [f"its key has {key.key_size} bits, at most {LONGEST_KEY} are allowed"]
    return []


def _uri_faults(certificate: x509.Certificate, application_uri: str | None) -> list[str]:
    own = application_uri_of(certificate)
    if not own:
        return ["it names no application URI"]
    if application_uri is not None and own != application_uri:
        return [f"it is for the application {own!r}, the peer says it is {application_uri!r}"]
    return []


def _host_faults(certificate: x509.Certificate, host: str | None) -> list[str]:
    if host is None or _plain(host) in hosts_of(certificate):
        return []
    return [f"it is for {', '.join(sorted(hosts_of(certificate))) or 'no host'}, not for {host!r}"]


def _plain(host: str) -> str:
    try:
        return str(ipaddress.ip_address(host.strip("[]")))
    except ValueError:
        return host.lower().rstrip(".")


def _usage_faults(certificate: x509.Certificate) -> list[str]:
    return [*_key_usage_faults(certificate), *_extended_usage_faults(certificate)]


def _key_usage_faults(certificate: x509.Certificate) -> list[str]:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return ["it names no key usage"]
    if not (usage.digital_signature and (usage.key_encipherment or usage.data_encipherment)):
        return ["its key usage does not allow to sign and encrypt"]
    return []


def _extended_usage_faults(certificate: x509.Certificate) -> list[str]:
    try:
        usages = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return []  # older stacks leave it out; the key usage above is what protects
    if not {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH} & set(usages):
        return ["its extended key usage is neither server nor client authentication"]
    return []

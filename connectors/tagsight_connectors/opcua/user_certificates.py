"""User certificates at our server (OPC 10000-4, 7.41.5): that the user has the key, and that it may be used.

asyncua takes any certificate and any algorithm, SHA-1 too. Who the user is, is not decided here.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncua import ua
from asyncua.crypto.uacrypto import verify_pss_sha256, verify_sha256
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.errors import CertificateNotTrusted
from tagsight_connectors.opcua.certificates import leaf_certificate, thumbprint_of
from tagsight_connectors.opcua.trust import LONGEST_CERTIFICATE, TrustList
from tagsight_connectors.opcua.trust_rules import user_faults

VERIFICATION: Final[Mapping[str, Callable[[Any, bytes, bytes], None]]] = {
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256": verify_sha256,
    "http://opcfoundation.org/UA/security/rsa-pss-sha2-256": verify_pss_sha256,
}

READABLE: Final = ua.MessageSecurityMode.None_


class SignatureRefused(ValueError):
    """The user did not prove to have the key: not at all, for another server or session, or unsafely."""


def proven_certificate(
    token: Any, signature: Any, nonce: bytes, *, channel: Any, trust: TrustList, now_ns: int
) -> bytes:
    """The user's certificate, DER. Raises SignatureRefused, CertificateNotTrusted.

    Args:
        token: X509IdentityToken.
        signature: UserTokenSignature, over the server's certificate and the nonce.
        nonce: the newest one of the session, so that nothing recorded is taken again.
        channel: asyncua's security policy of the channel.
        trust: its revocation lists and authorities count for users too.
        now_ns: UTC, ns.
    """
    der = leaf_certificate(bytes(token.CertificateData or b""))
    certificate = readable(der)
    verify = VERIFICATION.get(signature.Algorithm or "")
    # of the policy that the channel has: that is what is announced for user certificates
    if verify is None or channel.Mode == READABLE or signature.Algorithm != channel.AsymmetricSignatureURI:
        message = "an algorithm that is not the one announced"
        raise SignatureRefused(message)
    faults = trust.user_faults(certificate, now_ns)
    if faults:
        raise CertificateNotTrusted(cause="; ".join(faults), thumbprint=thumbprint_of(der))
    try:
        verify(certificate, bytes(channel.host_certificate) + nonce, bytes(signature.Signature or b""))
    except InvalidSignature as error:
        message = "not signed by the user's key, or for another session"
        raise SignatureRefused(message) from error
    return der


def readable(content: bytes) -> x509.Certificate:
    """A certificate, DER or PEM, that a user may have at all. Raises CertificateNotTrusted."""
    try:
        if len(content) > LONGEST_CERTIFICATE:
            message = f"{len(content)} bytes long"
            raise ValueError(message)  # noqa: TRY301 - one way out for whatever is no certificate
        pem = content.lstrip().startswith(b"-----BEGIN")
        found = x509.load_pem_x509_certificate(content) if pem else x509.load_der_x509_certificate(content)
        faults = user_faults(found)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as error:
        raise CertificateNotTrusted(cause="not a certificate that can be read", thumbprint="") from error
    if faults:
        der = found.public_bytes(Encoding.DER)
        raise CertificateNotTrusted(cause="; ".join(faults), thumbprint=thumbprint_of(der))
    return found


def der_of(content: bytes) -> bytes:
    """The same as DER. Raises CertificateNotTrusted."""
    return readable(content).public_bytes(Encoding.DER)

"""The password inside a client's user token: decrypted with the channel's own key, and fresh.

asyncua takes any algorithm, RSA 1.5 too, and does not compare the nonce, so a token that was recorded could be used
again.
"""

import hmac
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final

from asyncua import ua
from asyncua.crypto.uacrypto import decrypt_rsa_oaep, decrypt_rsa_oaep_sha256
from cryptography.hazmat.primitives.asymmetric import rsa

DECRYPTION: Final[Mapping[str, Callable[[rsa.RSAPrivateKey, bytes], bytes]]] = {
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep": decrypt_rsa_oaep,
    "http://opcfoundation.org/UA/security/rsa-oaep-sha2-256": decrypt_rsa_oaep_sha256,
}


def password_of(token: ua.UserNameIdentityToken, nonce: bytes, channel: Any, own_key: rsa.RSAPrivateKey) -> str:
    """The password. Raises ValueError where it came readable, broken or from an earlier session.

    Args:
        token: what the client sent.
        nonce: of the session.
        channel: asyncua's security policy of the channel.
        own_key: of the server, for a channel without a certificate.
    """
    sent: bytes = token.Password or b""
    if not token.EncryptionAlgorithm:
        if channel.Mode != ua.MessageSecurityMode.SignAndEncrypt:
            message = "a password that anybody could read"
            raise ValueError(message)
        return sent.decode()
    decrypt = DECRYPTION.get(token.EncryptionAlgorithm)
    if decrypt is None:
        message = "an algorithm that is not safe"
        raise ValueError(message)
    plain = decrypt(_key_of(channel, own_key), sent)
    (length,) = struct.unpack_from("<I", plain)
    content = plain[4 : 4 + length]
    password, found = content[: len(content) - len(nonce)], content[len(content) - len(nonce) :]
    if len(content) != length or length < len(nonce) or not hmac.compare_digest(found, nonce):
        message = "a token of another session"
        raise ValueError(message)
    return password.decode()


def _key_of(channel: Any, own_key: rsa.RSAPrivateKey) -> rsa.RSAPrivateKey:
    """The key that the client saw; the server's may have changed since."""
    decryptor = getattr(channel.asymmetric_cryptography, "Decryptor", None)
    return own_key if decryptor is None else decryptor.host_privkey

"""The certificate that browsers see: TagSight's own, made at first use, or the plant's."""

import socket
import ssl
from pathlib import Path
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.data_folder import DataFolder
from tagsight.errors import NotReady
from tagsight.plan import WebPlan
from tagsight.platform import is_private
from tagsight_connectors.opcua.certificates import ensure_certificate, expiry_of

OWN: Final = "own"
NAME: Final = "pages"
URI: Final = "urn:tagsight:pages"


def tls_files(settings: WebPlan, data: DataFolder, clock: Clock) -> tuple[Path, Path] | None:
    """PEM files of certificate and key; None for plain HTTP.

    Raises:
        NotReady: the plant's certificate cannot be used, and why.
    """
    if not settings.certificate:
        return None
    if settings.certificate == OWN:
        return _own(settings, data)
    certificate, key = Path(settings.certificate), Path(settings.key)
    _check(certificate, key, clock)
    return certificate, key


def _own(settings: WebPlan, data: DataFolder) -> tuple[Path, Path]:
    folder = data.certificates / "own"
    hosts = dict.fromkeys([settings.listen_host, socket.gethostname(), socket.getfqdn(), "localhost", "127.0.0.1"])
    names = [host for host in hosts if host and host not in {"0.0.0.0", "::"}]  # noqa: S104 - not bound here
    own = ensure_certificate(folder, NAME, URI, names)
    chain = folder / f"{NAME}.crt"
    chain.write_text(ssl.DER_cert_to_PEM_cert(own.certificate.read_bytes()), encoding="ascii")
    return chain, own.key


def _check(certificate: Path, key: Path, clock: Clock) -> None:
    try:
        ends_ns = expiry_of(certificate.read_bytes())
        readable = is_private(key)
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:
        raise NotReady(
            what=f"the certificate of the pages {certificate} cannot be used with {key}: {error}",
            mend="Give PEM files: the certificate with its chain, and its key without a passphrase.",
        ) from error
    if ends_ns < clock.now_ns():
        days = (clock.now_ns() - ends_ns) // (86_400 * SECOND)
        raise NotReady(
            what=f"the certificate of the pages {certificate} expired {days} days ago",
            mend="Renew it, or write `certificate: own`.",
        )
    if not readable:
        raise NotReady(what=f"others can read the key of the pages {key}", mend="`chmod 600` it.")


def _no_password() -> str:
    """A key with a passphrase is refused instead of asking at the console."""
    return ""

"""How long the certificates in use are still valid: our own, those of our users, and those of the historians.

An expired certificate stops a plant's connections overnight, so it is told early (30 days before) and again when it is
urgent (7 days before).
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tagsight.clocks import SECOND
from tagsight.connections import Link
from tagsight.plan import Plan
from tagsight_connectors.opcua.certificates import expiry_of, read_certificate

DAY_NS: Final = 86_400 * SECOND
WARN_DAYS: Final = (30, 7)


@dataclass
class CertificateWatch:
    """The certificates of one service.

    Attributes:
        own: folder with the certificates (`NAME.der`) and keys (`NAME.pem`) of our own applications.
        links: historians.
        users: historian -> file of the certificate that says who we are there.
    """

    own: Path
    links: Mapping[str, Link]
    users: Mapping[str, Path] = field(default_factory=dict)
    _told: dict[str, int] = field(init=False, default_factory=dict)

    def days(self, now_ns: int) -> int | None:
        """Until the first of them expires, negative after; None: none is in use."""
        expiries = [expires for _name, expires in self._expiries()]
        return (min(expiries) - now_ns) // DAY_NS if expiries else None

    def warnings(self, now_ns: int) -> Iterator[tuple[str, str]]:
        """(which, what) of certificates that expire soon: each once when 30 days, 7 days and no day are left."""
        for name, expires in self._expiries():
            days = (expires - now_ns) // DAY_NS
            urgency = sum(days < limit for limit in (*WARN_DAYS, 0))
            if urgency > self._told.get(name, 0):
                yield name, _told(days)
            self._told[name] = urgency

    def _expiries(self) -> Iterator[tuple[str, int]]:
        for certificate in sorted(self.own.glob("*.der")):
            yield f"own certificate {certificate.name}", _expiry(certificate)
        for name, file in self.users.items():
            with suppress(OSError, ValueError):  # one that cannot be read is an error where it is used
                yield f"user certificate of historian {name}", expiry_of(file.read_bytes())
        for name, link in self.links.items():
            if link.description is not None and link.description.certificate_expires_ns is not None:
                yield f"certificate of historian {name}", link.description.certificate_expires_ns


def user_certificates(plan: Plan) -> dict[str, Path]:
    """Of the historians where TagSight says by a certificate who it is."""
    return {name: Path(one.user_certificate) for name, one in plan.historians.items() if one.user_certificate}


def _expiry(certificate: Path) -> int:
    return read_certificate(certificate, certificate.with_suffix(".pem")).expires_ns


def _told(days: int) -> str:
    when = f"expires in {days} days" if days >= 0 else f"expired {-days} days ago"
    return f"{when}; renew it and let the other side trust the new one before that day"

"""What a connector raises.

HistorianError
├── NotConnected          the host reconnects with back-off and asks again
├── AccessRefused         credentials, certificate or rights: asking again does not help
│   ├── CertificateNotTrusted
│   └── WriteNotAllowed   the write fence: the target is not in the accepted list
├── UnknownTag            an address or pattern that the historian does not have
├── IncompleteRead        the history asked for could not be read completely; says from where
├── LimitExceeded         something from outside is larger than we accept
├── MalformedData         bytes or text from outside that do not mean what they must
└── Unsupported           the historian does not offer this service

A part raises; it neither loops nor sleeps nor logs and goes on. `NotConnected` is the only one worth retrying.
"""

from dataclasses import dataclass


class HistorianError(Exception):
    """Something that a historian did, refused or could not do. `mend` says what an engineer can do about it."""

    mend: str = ""


@dataclass
class NotConnected(HistorianError):
    """There is no usable session; the host owns reconnection and asks again."""

    url: str
    cause: str
    mend: str = "Is the server running, are host and port in the URL right, and does a firewall let us through?"

    def __str__(self) -> str:
        return f"no connection to {self.url}: {self.cause}"


@dataclass
class AccessRefused(HistorianError):
    """The historian refused our credentials or rights."""

    what: str
    cause: str
    mend: str = "Give the user of TagSight the right in the historian's user administration."

    def __str__(self) -> str:
        return f"{self.what} refused: {self.cause}"


@dataclass
class CertificateNotTrusted(AccessRefused):
    """A certificate is not in the trust list, or fails one of the checks; it is kept in `rejected/`."""

    what: str = "certificate"
    cause: str = ""
    thumbprint: str = ""
    mend: str = "Compare the thumbprint with the server's, then `tagsight trust add THUMBPRINT`."


@dataclass
class WriteNotAllowed(AccessRefused):
    """The write fence: the target was not listed by `tagsight writes show` and accepted."""

    what: str = "write"
    cause: str = ""
    mend: str = "`tagsight writes show FILE`, read the list, then `tagsight writes accept FILE`."


@dataclass
class UnknownTag(HistorianError):
    """An address or a pattern that matches nothing in this historian."""

    address: str
    mend: str = "`tagsight browse URL` lists what is there."

    def __str__(self) -> str:
        return f"no tag {self.address!r} in the historian"


@dataclass
class IncompleteRead(HistorianError):
    """History is missing between `from_ns` and `until_ns` (UTC, ns), for the reason given."""

    address: str
    from_ns: int
    until_ns: int
    cause: str
    mend: str = "Ask again later; the gap stays recorded until it is filled."

    def __str__(self) -> str:
        return f"history of {self.address} is incomplete from {self.from_ns} to {self.until_ns} ns: {self.cause}"


@dataclass
class LimitExceeded(HistorianError):
    """Something from outside exceeds a documented limit."""

    limit: str
    allowed: int
    found: int
    mend: str = "See `docs/limits.md` for the limit and what raises it."

    def __str__(self) -> str:
        return f"{self.limit}: {self.found} found, at most {self.allowed} accepted"


@dataclass
class MalformedData(HistorianError):
    """Bytes or text from outside that cannot be decoded."""

    where: str
    cause: str
    mend: str = "Compare the server's or file's version with the support table in `docs/`."

    def __str__(self) -> str:
        return f"{self.where}: {self.cause}"


@dataclass
class Unsupported(HistorianError):
    """The historian does not offer a service that was asked for."""

    what: str
    mend: str = ""

    def __str__(self) -> str:
        return f"the historian does not support {self.what}"

"""What an OPC UA server of ours needs to know, and the clock that it looks at."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tagsight_connectors.serving import ServedTypes


class Clock(Protocol):
    """UTC for stamps, monotonic for rates."""

    def now_ns(self) -> int:
        """UTC, ns since 1970."""

    def monotonic(self) -> float:
        """Seconds; never steps, origin arbitrary."""


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How one server of ours presents itself.

    Attributes:
        host: address to bind to; loopback unless an engineer says otherwise.
        port: TCP port; 0: a free one, see `TagServer.port`.
        certificates: folder with `own/`, `trusted/`, `rejected/` ...; the own certificate is made on first use.
        application_uri: the identity in the certificate.
        namespace_uri: namespace of every node of ours.
        product_name: what clients show.
        anonymous: clients without a user may read; they never write.
        security_none: loud: also serve without signing and encryption.
        sign: loud: also serve clients that sign and do not encrypt.
        client_times: a historian: source time and status of a client's write are kept; else a write gets our time.
        poll_s: seconds between two looks at the source; 0: only `publish` looks.
        hosts: further names and addresses for the own certificate.
        types: of objects, in a namespace of their own; None: every object is a plain folder.
    """

    host: str
    port: int
    certificates: Path
    application_uri: str
    namespace_uri: str = "urn:tagsight:results"
    product_name: str = "TagSight"
    anonymous: bool = False
    security_none: bool = False
    sign: bool = False
    client_times: bool = False
    poll_s: float = 0.5
    hosts: tuple[str, ...] = ()
    types: ServedTypes | None = None

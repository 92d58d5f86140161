"""What a connector needs to connect."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class MessageSecurity(Enum):
    """Security of the messages of an OPC UA connection; files and memory have none."""

    SIGN_AND_ENCRYPT = "sign_and_encrypt"
    SIGN = "sign"
    """Encryption where the server has it, else signing alone: readable on the line, not changeable."""
    NONE = "none"


class WriteService(Enum):
    """The OPC UA service that stores results in a historian; files and memory have one way only."""

    WRITE = "write"
    HISTORY_UPDATE = "history_update"


@dataclass(frozen=True, slots=True)
class Connection:
    """Where and how to connect.

    Attributes:
        url: `opc.tcp://host:port/path`, `file:///folder/export.csv`, `memory://name`.
        user: user name, "" with a user certificate or for anonymous.
        password: of the user, or the passphrase of the key of the user certificate; never shown: excluded from `repr`.
        security: see `MessageSecurity`.
        certificates: folder with `own/`, `trusted/`, `rejected/`, `issuers/`, `revoked/`; needed for `opc.tcp`.
        timeout_s: the longest that one request may take, monotonic seconds.
        accepted: the addresses that `write` may write to (design law 3); empty: none.
        writes_by: see `WriteService`.
        timezone: for files whose times have no offset.
        anonymous: an OPC UA connection may go without a user, and only to a server that takes no users.
        user_certificate: X.509 certificate (DER or PEM) that says who we are, instead of `user`.
        user_key: its private key; None: beside it, named alike, `.pem`.
    """

    url: str
    user: str = ""
    password: str = field(default="", repr=False)
    security: MessageSecurity = MessageSecurity.SIGN_AND_ENCRYPT
    certificates: Path | None = None
    timeout_s: float = 10.0
    accepted: frozenset[str] = frozenset()
    writes_by: WriteService = WriteService.WRITE
    timezone: str = "UTC"
    anonymous: bool = False
    user_certificate: Path | None = None
    user_key: Path | None = None

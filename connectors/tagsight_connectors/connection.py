"""What a connector needs to connect."""

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path


class MessageSecurity(Enum):
    """Security of the messages of an OPC UA connection; files and memory have none."""

    SIGN_AND_ENCRYPT = "sign_and_encrypt"
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
        user: user name, "" for anonymous (only where the server offers nothing else).
        password: never shown: excluded from `repr`.
        security: see `MessageSecurity`.
        certificates: folder with `own/`, `trusted/`, `rejected/`, `issuers/`, `revoked/`; needed for `opc.tcp`.
        timeout_s: the longest that one request may take, monotonic seconds.
        accepted: the addresses that `write` may write to (design law 3); empty: none.
        writes_by: see `WriteService`.
        timezone: for files whose times have no offset.
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

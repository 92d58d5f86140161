"""What asyncua may log: nothing that a hostile peer could fill a disk with, nothing beside an error that we raise."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tagsight_connectors.opcua.limits import LOG_LINE_CHARACTERS, LOG_LINES_PER_MINUTE

MINUTE: Final = 60.0

NOISY: Final = (
    "asyncua.uaprotocol",
    "asyncua.common.utils",
    "asyncua.crypto.uacrypto",
    "asyncua.crypto.validator",
    "asyncua.server.address_space",
    "asyncua.server.internal_server",
    "asyncua.server.internal_session",
    "asyncua.server.internal_subscription",
    "asyncua.server.server",
    "asyncua.server.subscription_service",
    "asyncua.server.uaprocessor",
    "asyncua.ua.ua_binary",
    "tagsight_connectors.opcua.guard",
    "tagsight_connectors.opcua.server_transport",
)
"""Loggers that a peer can make write; filters do not reach child loggers, hence each by name."""

ENDING: Final = ("asyncua.client.ua_client.UaClient", "asyncua.client.ua_session.UaSession")
"""Loggers of the client that warn when what is closed already is closed again: we close whatever there may be."""


FROM_SERVERS: Final = ("asyncua.client.ua_client.UASocketProtocol", "asyncua.uaprotocol")
"""Loggers that print what a server sent: megabytes, if it wants."""


class ShortFilter(logging.Filter):
    """Cuts a line, and the error behind it, to a length; what a traceback would repeat is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """True; a long record is shorter now."""
        text = record.getMessage()
        if len(text) <= LOG_LINE_CHARACTERS and not record.exc_info:
            return True
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            text = f"{text}: {type(error).__name__}: {error}"
        record.msg, record.args = text[:LOG_LINE_CHARACTERS], ()
        record.exc_info = record.exc_text = None
        return True


class EndingFilter(logging.Filter):
    """Drops `... was called but connection is closed` and its kin."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written."""
        text = str(record.msg)
        return not (text.startswith("close_") and " but connection " in text)


_ENDING_FILTER: Final = EndingFilter()
_SHORT_FILTER: Final = ShortFilter()


def quieten_client() -> None:
    """Before a client is made; again is harmless."""
    for name in ENDING:
        logging.getLogger(name).addFilter(_ENDING_FILTER)
    for name in FROM_SERVERS:
        logging.getLogger(name).addFilter(_SHORT_FILTER)


@dataclass
class RateFilter(logging.Filter):
    """Lets through `lines` records of one template a minute, cut to a length; counts the rest."""

    monotonic: Callable[[], float]
    lines: int = LOG_LINES_PER_MINUTE
    characters: int = LOG_LINE_CHARACTERS
    suppressed: int = 0
    _windows: dict[tuple[str, str], tuple[float, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        super().__init__()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written; it may be shortened."""
        kind = (record.name, str(record.msg)[:100])
        now = self.monotonic()
        since, count = self._windows.get(kind, (now, 0))
        if now - since >= MINUTE:
            since, count = now, 0
        if len(self._windows) > 1_000:  # templates are few; this is against templates made of data
            self._windows.clear()
        self._windows[kind] = (since, count + 1)
        if count >= self.lines:
            self.suppressed += 1
            return False
        record.msg, record.args = record.getMessage()[: self.characters], ()
        if record.name.startswith("asyncua"):
            record.exc_info = record.exc_text = None
        return True


def quieten(rate: RateFilter) -> None:
    """Put asyncua's noisy loggers behind one filter."""
    for name in NOISY:
        logging.getLogger(name).addFilter(rate)


def unquieten(rate: RateFilter) -> None:
    """Take the filter away again."""
    for name in NOISY:
        logging.getLogger(name).removeFilter(rate)

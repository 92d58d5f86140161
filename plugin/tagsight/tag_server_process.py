"""The tag server's process, as the service keeps it running."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder
from tagsight.kept_process import KeptProcess
from tagsight.plan import Security
from tagsight_explain.language import ENGLISH


@dataclass
class TagServerProcess(KeptProcess):
    """One tag server.

    Attributes:
        data: folder of ledger and inbox.
        host: to listen at.
        port: the same.
        clock: of this machine.
        on_trouble: (what, message).
        on_serving: called with its URL each time it is ready.
        security: the least that it takes.
        language: of the messages of alarms.
    """

    data: DataFolder
    host: str
    port: int
    clock: Clock
    on_trouble: Callable[[str, str], None]
    on_serving: Callable[[str], None] = lambda _url: None
    security: Security = Security.SIGN_AND_ENCRYPT
    language: str = ENGLISH
    started: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    replaced: int = field(init=False, default=0)
    _process: Process | None = field(init=False, default=None)
    _why: str = field(init=False, default="")

    @property
    def name(self) -> str:
        """In messages."""
        return "tag server"

    def command(self) -> Sequence[str]:
        """What is run after the Python interpreter."""
        where = [str(self.data.root), self.host, str(self.port)]
        return ["-m", "tagsight.tag_server", *where, self.security.value, self.language]

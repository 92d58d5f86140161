"""The pages' process, as the service keeps it running. Imports nothing that the pages need."""

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder
from tagsight.kept_process import KeptProcess
from tagsight.web.start import Start


@dataclass
class PagesProcess(KeptProcess):
    """The pages.

    Attributes:
        data: folder of ledger and inbox.
        start: what they are started with.
        clock: of this machine.
        on_trouble: (what, message).
        on_serving: called with their address each time they are ready.
    """

    data: DataFolder
    start: Start
    clock: Clock
    on_trouble: Callable[[str, str], None]
    on_serving: Callable[[str], None] = lambda _url: None
    started: asyncio.Event = field(init=False, default_factory=asyncio.Event)
    replaced: int = field(init=False, default=0)
    _process: Process | None = field(init=False, default=None)
    _why: str = field(init=False, default="")

    @property
    def name(self) -> str:
        """In messages, and of the log."""
        return "pages"

    def command(self) -> Sequence[str]:
        """What is run after the Python interpreter."""
        return ["-m", "tagsight.web.process", str(self.data.root), self.start.text()]

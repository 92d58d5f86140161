"""Keeps a process of the service's own running, with back-off: the tag server, the pages."""

import asyncio
import sys
from abc import ABC, abstractmethod
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder

FIRST_BACK_OFF_S: Final = 1.0
LONGEST_BACK_OFF_S: Final = 60.0
STEADY_AFTER_S: Final = 120.0
STOP_WITHIN_S: Final = 10.0

SERVING: Final = "serving "
FAILED: Final = "failed "
"""How lines begin that such a process prints for the service: ready, with its address; ends, and why."""


class KeptProcess(ABC):
    """One process; `run` replaces it when it ends, until cancelled. It ends when its standard input does.

    Each kind is a dataclass with these attributes, the last four made with it.

    Attributes:
        data: folder of ledger, inbox, logs.
        clock: of this machine.
        on_trouble: (what, message).
        on_serving: called with its address each time it is ready.
        started: set while it is ready.
        replaced: how often.
    """

    data: DataFolder
    clock: Clock
    on_trouble: Callable[[str, str], None]
    on_serving: Callable[[str], None]
    started: asyncio.Event
    replaced: int
    _process: Process | None
    _why: str

    @property
    @abstractmethod
    def name(self) -> str:
        """In messages; with hyphens, of its log."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """What is run after the Python interpreter."""

    @property
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

    @property
    def _log(self) -> str:
        return f"{self.name.replace(' ', '-')}.log"

    async def run(self) -> None:
        """Start, watch, replace."""
        back_off = FIRST_BACK_OFF_S
        while True:
            begun = self.clock.monotonic()
            try:
                code = await self._once()
            finally:
                await self._end()
            if self.clock.monotonic() - begun > STEADY_AFTER_S:
                back_off = FIRST_BACK_OFF_S
            why = self._why or f"code {code}; {self.data.logs / self._log} may say more"
            self.on_trouble(self.name, f"ended: {why}; started again in {back_off:g} s")
            self.replaced += 1
            await asyncio.sleep(back_off)
            back_off = min(LONGEST_BACK_OFF_S, 2.0 * back_off)

    async def _once(self) -> int:
        command = [sys.executable, *self.command()]
        self._why = ""
        self._process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)  # stdin: never written
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            text = line.decode("utf-8", "replace").strip()
            if text.startswith(SERVING):
                self.started.set()
                self.on_serving(text.removeprefix(SERVING))
            elif text.startswith(FAILED):
                self._why = text.removeprefix(FAILED)
        return await self._process.wait()

    async def _end(self) -> None:
        process, self._process = self._process, None
        self.started.clear()
        if process is None or process.returncode is not None:
            return
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()

"""Keeps the tag server's process running, with back-off."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from tagsight.clocks import Clock
from tagsight.data_folder import DataFolder
from tagsight.plan import Security
from tagsight_explain.language import ENGLISH

FIRST_BACK_OFF_S: Final = 1.0
LONGEST_BACK_OFF_S: Final = 60.0
STEADY_AFTER_S: Final = 120.0
STOP_WITHIN_S: Final = 10.0

SERVING: Final = "serving "
FAILED: Final = "failed "
"""How lines begin that the tag server prints for the service: ready, with its URL; ends, and why."""


@dataclass
class TagServerProcess:
    """One tag server; `run` replaces it when it ends, until cancelled.

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
    def pid(self) -> int | None:
        """Of the running process."""
        return self._process.pid if self._process else None

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
            why = self._why or f"code {code}; {self.data.logs / 'tag-server.log'} may say more"
            self.on_trouble("tag server", f"ended: {why}; started again in {back_off:g} s")
            self.replaced += 1
            await asyncio.sleep(back_off)
            back_off = min(LONGEST_BACK_OFF_S, 2.0 * back_off)

    async def _once(self) -> int:
        command = [sys.executable, "-m", "tagsight.tag_server", str(self.data.root), self.host, str(self.port)]
        command += [self.security.value, self.language]
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

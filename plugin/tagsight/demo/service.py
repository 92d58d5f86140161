"""TagSight's own commands in processes of their own, as an engineer starts them."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tagsight.demo.site import Site
from tagsight.errors import TagSightError

STOP_S: Final = 30.0
LAST_LINES: Final = 12


@dataclass
class CommandFailed(TagSightError):
    """A command of TagSight ended with an error, or ended at all where it must not."""

    what: str
    output: str
    exit_code = 6

    def __str__(self) -> str:
        return f"{self.what}\n{self.output}".rstrip()


async def _start(site: Site, name: str, log: Path) -> asyncio.subprocess.Process:
    arguments = ["-m", "tagsight", name, str(site.file), "--data", str(site.data.root)]
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=os.environ | site.environment() | {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
        )


def log_of(site: Site, name: str) -> Path:
    """What a command printed."""
    return site.folder / f"{name}.log"


async def complete(site: Site, name: str) -> None:
    """Run a command to its end.

    Raises:
        CommandFailed: it ended with an error.
    """
    process = await _start(site, name, log_of(site, name))
    try:
        code = await process.wait()
    finally:
        await _end(process)
    if code:
        msg = f"`tagsight {name}` ended with {code}"
        raise CommandFailed(msg, _tail(log_of(site, name)))


@asynccontextmanager
async def running(site: Site) -> AsyncIterator[asyncio.subprocess.Process]:
    """`tagsight run`, stopped at the end."""
    process = await _start(site, "run", log_of(site, "run"))
    try:
        yield process
    finally:
        await _end(process)


def still_running(site: Site, process: asyncio.subprocess.Process) -> None:
    """Raise CommandFailed if the service has ended."""
    if process.returncode is not None:
        msg = f"`tagsight run` ended with {process.returncode}"
        raise CommandFailed(msg, _tail(log_of(site, "run")))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_S)
    except TimeoutError:
        process.kill()
        await process.wait()


def _tail(log: Path) -> str:
    with log.open(encoding="utf-8", errors="replace") as lines:
        return "".join(deque(lines, LAST_LINES))

"""The dead man's switch between real processes: a service that is stopped, hangs or dies, as an HMI sees it."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import STALE_AFTER_S
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import TickRecord
from tagsight.results import OutputRow, OutputValue
from tagsight.users import Users
from tagsight_connectors.connection import Connection
from tagsight_connectors.opcua.client import OpcUaHistorian
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.quality import BAD_OUT_OF_SERVICE, GOOD, UNCERTAIN_LAST_USABLE
from tagsight_connectors.serving import UserRole
from tests.end_to_end.killed_service import binding_of, models

ROOT = Path(__file__).parents[2]
NOBODY_THERE = "opc.tcp://127.0.0.1:9"
PASSWORD = "a long enough password"
OUTPUTS = [f"nsu=urn:tagsight:results;s=P101/Health/{output}" for output in ("Score", "Reason")]
PATIENCE_S = 40.0
SLACK_S = 3.0
"""Of the server's looks (0.5 s), the client's, and a busy machine."""

QUICK_SERVER = """
import asyncio, functools, sys
from tagsight import served_results, tag_server
served_results.HeartbeatWatch = functools.partial(served_results.HeartbeatWatch, after_s=3.0)
sys.exit(asyncio.run(tag_server._main(sys.argv[1:])))
"""
SERVER = """
import asyncio, sys
from tagsight import tag_server
sys.exit(asyncio.run(tag_server._main(sys.argv[1:])))
"""
SERVICE = """
import asyncio, pathlib, signal, sys, time
from tagsight import service
from tests.end_to_end import killed_service

async def no_models(self, task):  # nothing is scored: what was stored last stays
    return []

killed_service.EverySecond.run = no_models
service.HEARTBEAT_S = float(sys.argv[3])
signal.signal(signal.SIGUSR1, lambda *_: time.sleep(3_600))  # a loop that never comes back
asyncio.run(killed_service.main(pathlib.Path(sys.argv[1]), sys.argv[2]))
"""

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGSTOP")]

Shown = tuple[float | str | None, int, float | str | None]
"""Score, its status, and the reason."""


@dataclass
class Screen:
    """A client of the tag server."""

    historian: OpcUaHistorian

    async def shows(self) -> Shown:
        """What an operator sees."""
        score, reason = await self.historian.read_current(OUTPUTS)
        return score.value, score.status, reason.value

    async def until(self, wanted: Callable[[Shown], bool]) -> float:
        """Seconds until it shows that."""
        begun = time.monotonic()
        while not wanted(shown := await self.shows()):
            assert time.monotonic() - begun < PATIENCE_S, f"still {shown}"
            await asyncio.sleep(0.1)
        return time.monotonic() - begun


def _alive(shown: Shown) -> bool:
    return shown == (0.25, GOOD, "")


def _stale(shown: Shown) -> bool:
    return shown == (0.25, UNCERTAIN_LAST_USABLE, "TagSight stopped")


def _orderly(shown: Shown) -> bool:
    return shown == (0.25, BAD_OUT_OF_SERVICE, "TagSight stopped")


@contextmanager
def _process(code: str, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


@asynccontextmanager
async def _screen(folder: Path, code: str) -> AsyncIterator[tuple[DataFolder, Screen]]:
    """A tag server on a folder with one result, and who looks at it."""
    data, model = DataFolder(folder / "data"), models()[0]
    data.create()
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        ledger.bind(BoundModel(model.key, binding_of(model), detail=False))
        values = (OutputValue("Score", 0.25, GOOD), OutputValue("Reason", "", GOOD))
        ledger.record(TickRecord(rows=[OutputRow(model.key, time.time_ns(), "score", values)]))
    Users(data.users).add("olga", PASSWORD, UserRole.OPERATOR)
    with _process(code, str(data.root), "127.0.0.1", "0") as server:
        assert server.stdout is not None
        url = (await asyncio.to_thread(server.stdout.readline)).removeprefix("serving ").strip()
        mine = Connection(url, user="olga", password=PASSWORD, certificates=folder / "client", timeout_s=30.0)
        TrustList(folder / "client").add(next((data.certificates / "own").glob("*.der")))
        TrustList(data.certificates).add(own_certificate(mine).certificate)
        historian = OpcUaHistorian(mine)
        await historian.connect()
        try:
            yield data, Screen(historian)
        finally:
            await historian.close()


async def test_a_stopped_service_is_shown_as_stopped_within_15_s_of_its_last_heartbeat(tmp_path: Path) -> None:
    async with _screen(tmp_path, SERVER) as (data, screen):
        with _process(SERVICE, str(data.root), NOBODY_THERE, "5.0") as service:
            await screen.until(_alive)
            service.send_signal(signal.SIGSTOP)
            assert await screen.until(_stale) <= STALE_AFTER_S + SLACK_S
            service.send_signal(signal.SIGCONT)
            await screen.until(_alive)


async def test_a_service_that_hangs_or_is_killed_is_shown_as_stopped_and_an_orderly_end_is_bad(tmp_path: Path) -> None:
    """With the heartbeat every 0.5 s and stale after 3 s: the same code, only shorter."""
    async with _screen(tmp_path, QUICK_SERVER) as (data, screen):
        assert not _alive(await screen.shows())
        with _process(SERVICE, str(data.root), NOBODY_THERE, "0.5") as service:
            await screen.until(_alive)
            service.send_signal(signal.SIGUSR1)
            await screen.until(_stale)
        with _process(SERVICE, str(data.root), NOBODY_THERE, "0.5") as service:
            await screen.until(_alive)
            service.kill()
            await screen.until(_stale)
        with _process(SERVICE, str(data.root), NOBODY_THERE, "0.5") as service:
            await screen.until(_alive)
            service.terminate()
            await screen.until(_orderly)

"""SIGKILL between the commit of a result and its way into the historian: nothing is lost, nothing contradicts."""

import asyncio
import itertools
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tagsight.clocks import SECOND, SystemClock
from tagsight.data_folder import DataFolder
from tagsight.delivery import samples_of
from tagsight.fence import list_digest
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import DeliveryState
from tagsight_connectors.connection import Connection
from tagsight_connectors.history import TagHistory
from tagsight_connectors.opcua.embedded import PLANT_NAMESPACE, EmbeddedHistorian
from tagsight_connectors.opcua.memory_source import MemorySource
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_connectors.opcua.session import own_certificate
from tagsight_connectors.opcua.trust import TrustList
from tagsight_connectors.serving import ServedVariable, UserRole
from tests.end_to_end.killed_service import ASSETS, PASSWORD, PATTERN, PREFIX, binding_of, models, targets_at
from tests.plugin.small_site import NORMAL, ROLES

KILLS = 2
SOON_S = 60.0
"""Row 2 promises the first score within 30 s of the restart; a busy machine gets twice that to start Python."""

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")


@dataclass
class Plant:
    """A historian that outlives the service, and the folder of the service."""

    data: DataFolder
    url: str
    source: MemorySource

    def ledger(self) -> Ledger:
        """To look into, also while the service writes."""
        return Ledger.open_reader(self.data.ledger, SystemClock())

    def start(self) -> "subprocess.Popen[bytes]":
        """A service on the folder."""
        command = [sys.executable, "-m", "tests.end_to_end.killed_service", str(self.data.root), self.url]
        return subprocess.Popen(command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL)

    def arrived(self) -> dict[tuple[str, int], list[tuple[object, int]]]:
        """Every value that arrived, in order, by address and source time."""
        found: dict[tuple[str, int], list[tuple[object, int]]] = {}
        for write in list(self.source.written):
            key = (PREFIX + write.identifier, write.time_ns)
            found.setdefault(key, []).append((_plain(write.value), write.status))
        return found


def _plain(value: float | str | None) -> float | str | None:
    """No value travels as NaN or as an empty text."""
    return None if value is None or value == "" or value != value else value  # noqa: PLR0124 - NaN


def _owed(ledger: Ledger) -> dict[tuple[str, int], tuple[object, int]]:
    return {
        (sample.address, sample.time_ns): (_plain(sample.value), sample.status)
        for stored in ledger.rows_after(0, 100_000)
        for sample in samples_of(stored.row, PATTERN)
    }


@asynccontextmanager
async def _plant(folder: Path) -> AsyncIterator[Plant]:
    data = DataFolder(folder / "data")
    data.create()
    targets = targets_at("opc.tcp://127.0.0.1:1")
    times = (time.time_ns() // SECOND + np.arange(-120, 1_200, dtype=np.int64)) * SECOND
    values = TagHistory(times, NORMAL + np.sin(np.arange(len(times))), np.zeros(len(times), dtype=np.uint32))
    inputs = [f"{asset}/{role}" for asset in ASSETS for role in ROLES]
    results = [
        ServedVariable(
            one.address.removeprefix(PREFIX),
            one.address.removeprefix(PREFIX),
            one.tag.data_type,
            integer=one.tag.integer,
            writable_by=UserRole.ENGINEER,
        )
        for one in targets
    ]
    source = MemorySource([*(ServedVariable(name, name) for name in inputs), *results], dict.fromkeys(inputs, values))
    settings = ServerSettings("127.0.0.1", 0, folder / "server", "urn:test:server", PLANT_NAMESPACE, poll_s=0.2)
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        for model in models():
            ledger.bind(BoundModel(model.key, binding_of(model), detail=False))
        addresses = [target.address for target in targets]
        ledger.accept_targets("scada", list_digest("scada", targets), addresses, "olga")
    async with EmbeddedHistorian(source, settings, _authenticate, SystemClock()) as server:
        TrustList(data.certificates).add(server.certificate.certificate)
        mine = Connection(server.url, user="tagsight", password=PASSWORD, certificates=data.certificates)
        TrustList(folder / "server").add(own_certificate(mine).certificate)
        yield Plant(data, server.url, source)


def _authenticate(user: str, password: str) -> UserRole | None:
    return UserRole.ENGINEER if (user, password) == ("tagsight", PASSWORD) else None


async def _until(condition: Callable[[], bool], service: "subprocess.Popen[bytes]") -> float:
    begun = time.monotonic()
    while not condition():
        assert service.poll() is None, f"the service ended by itself: {service.returncode}"
        assert time.monotonic() - begun < SOON_S, "what the test waits for did not come"
        await asyncio.sleep(0.005)
    return time.monotonic() - begun


def _runs(ledger: Ledger) -> list[int]:
    return [run.due_ns for run in ledger.runs(models()[0].key, 0, 2**62)]


async def _killed_with_rows_pending(plant: Plant) -> int:
    """Start the service, let it score and deliver, kill it when a result is in the ledger and not yet written."""
    service = plant.start()
    try:
        with plant.ledger() as ledger:
            before = len(_runs(ledger))
            await _until(lambda: len(_runs(ledger)) > before + 1, service)
            await _until(lambda: ledger.deliveries_in(DeliveryState.WRITTEN) > 0, service)
            await _until(lambda: ledger.counters().buffered > 0, service)
    finally:
        service.send_signal(signal.SIGKILL)
        service.wait()
    with plant.ledger() as ledger:
        return ledger.counters().buffered


@pytest.mark.slow
async def test_after_kills_between_commit_and_write_every_result_is_in_the_historian_with_one_value(
    tmp_path: Path,
) -> None:
    async with _plant(tmp_path) as plant:
        pending = []
        for _ in range(3 * KILLS):
            pending.append(await _killed_with_rows_pending(plant))
            if sum(count > 0 for count in pending) == KILLS:
                break
        assert sum(count > 0 for count in pending) == KILLS, pending
        service = plant.start()
        with plant.ledger() as ledger:
            before = len(_runs(ledger))
            await _until(lambda: len(_runs(ledger)) > before, service)
            await _until(lambda: ledger.counters().buffered == 0, service)
        service.send_signal(signal.SIGKILL)
        service.wait()
        with plant.ledger() as ledger:
            _nothing_is_lost_or_contradicts(plant, ledger)


def _nothing_is_lost_or_contradicts(plant: Plant, ledger: Ledger) -> None:
    owed, arrived = _owed(ledger), plant.arrived()
    pending = {
        (sample.address, sample.time_ns)
        for one in ledger.pending("write:scada", 10_000)
        for sample in samples_of(one.row, PATTERN)
    }
    assert len(owed) > 100
    for key, said in owed.items():
        if key not in pending:  # scored after the last delivery and before the kill
            assert set(arrived[key]) == {said}, key
    ours = {key for key in arrived if "/TagSight/" not in key[0]}
    assert ours <= owed.keys()
    for model in models():
        dues = [run.due_ns for run in ledger.runs(model.key, 0, 2**62)]
        assert {later - earlier for earlier, later in itertools.pairwise(dues)} == {SECOND}
    assert ledger.counters().missed == ledger.counters().quarantined == 0

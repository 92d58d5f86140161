"""A long history costs pages, not its length: a process that pulls a million values grows by less than 200 MB."""

import asyncio
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.history import TagHistory
from tagsight_connectors.serving import ServedVariable
from tests.end_to_end.killed_service import PASSWORD, PREFIX
from tests.end_to_end.test_killed_service import _plant

VALUES = 1_000_000
PULL = """
import asyncio, sys
from pathlib import Path
from tagsight_connectors.connection import Connection
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import OpcUaHistorian

def peak_mb():  # ru_maxrss would begin with the memory of whoever started this process
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) // 1024

async def main(url, folder, password, address, short):
    place = Connection(url, user="tagsight", password=password, certificates=Path(folder), timeout_s=60.0)
    historian = OpcUaHistorian(place)
    await historian.connect()
    found = []
    for span in (Span(0, int(short)), Span(0, 2**62)):
        found.append(sum([len(page.history) async for page in historian.read_raw([address], span)]))
        found.append(peak_mb())
    await historian.close()
    print(*found)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is told in kilobytes there")
async def test_a_pull_of_a_million_values_takes_less_than_200_mb(tmp_path: Path) -> None:
    times = 1_700_000_000_000_000_000 + 1_000_000_000 * np.arange(VALUES, dtype=np.int64)
    long = TagHistory(times, np.random.default_rng(1).normal(size=VALUES), np.zeros(VALUES, dtype=np.uint32))
    async with _plant(tmp_path) as plant:
        plant.source.add(ServedVariable("Long", "Long"), long)
        await asyncio.sleep(1.0)  # the server looks for new variables a few times a second
        arguments = [plant.url, str(plant.data.certificates), PASSWORD, f"{PREFIX}Long", str(times[1_000])]
        command = [sys.executable, "-c", PULL, *arguments]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    few, before_mb, many, after_mb = map(int, done.stdout.split())
    assert (few, many) == (1_000, VALUES)
    assert after_mb - before_mb < 200

"""How long a browse of many nodes takes, and the memory of the client: `python -m tests.benchmarks.browse [NODES]`.

The server is node-opcua in a process of its own (found where `make interop` has installed it), so that the memory shown
is the client's alone. First all nodes, then a pattern that names one folder, then one address.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from platformdirs import user_cache_path

from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tests.interop.node_space import node_space

NODES = 100_000
MEGA = 1_024


def peak_mb() -> float:
    """Of this process since its start; Linux. (`ru_maxrss` would begin with the memory of whoever started it.)"""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / MEGA


async def browsed(historian: OpcUaHistorian, pattern: str) -> int:
    """Tags found, and a line about them."""
    started, count = time.perf_counter(), 0
    async for _tag in historian.browse(pattern):
        count += 1
    seconds = time.perf_counter() - started
    print(f"{pattern}: {count:,} tags in {seconds:.1f} s, peak memory {peak_mb():.0f} MB", flush=True)
    return count


async def main(nodes: int) -> None:
    """Print it."""
    cache = Path(os.environ.get("TAGSIGHT_INTEROP_CACHE") or user_cache_path("tagsight-interop"))
    modules = cache / "node" / "node_modules"
    with tempfile.TemporaryDirectory() as folder, node_space(modules, Path(folder), "many", count=nodes) as space:
        historian = open_opcua(space.connection)
        await historian.connect()
        print(f"connected, peak memory {peak_mb():.0f} MB", flush=True)
        await browsed(historian, f"Plant/Area{nodes // 1_000}/*")
        await browsed(historian, space.address(f"s=Tag{nodes // 2}"))
        await browsed(historian, "**")
        await historian.close()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else NODES))

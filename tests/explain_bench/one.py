"""One suite in a process of its own: `python -m tests.explain_bench.one NAME DATA SEEDS RESULT.json`."""

import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.accuracy.data_folder import DataFolder
from tests.accuracy.one import peak_mb
from tests.explain_bench.suites import THREADS, suite


def revision() -> str:
    """Of the code that is measured; "" outside a checkout."""
    here = Path(__file__).parent
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=here, capture_output=True, text=True, check=False
    )
    return said.stdout.strip()


def main(name: str, data: str, seeds: str, result: str) -> None:
    """Run it and write what it measured."""
    import torch

    torch.set_num_threads(THREADS.get(name, 1))
    chosen, folder = suite(name), DataFolder(Path(data))
    folder.need(*chosen.needs)
    started = time.monotonic()
    results = chosen.run(folder, [int(seed) for seed in seeds.split(",")])
    said = {
        "name": chosen.name,
        "job": chosen.job,
        "protocol": chosen.protocol,
        "aims": dict(chosen.aims),
        "results": [asdict(one) for one in results],
        "seeds": seeds,
        "seconds": time.monotonic() - started,
        "peak_mb": peak_mb(),
        "revision": revision(),
        "opened": folder.opened,
    }
    Path(result).write_text(json.dumps(said, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

"""One suite in a process of its own: `python -m tests.accuracy.one NAME DATA SEEDS RESULT.json`."""

import json
import re
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.accuracy.data_folder import DataFolder
from tests.accuracy.suites import suite


def peak_mb() -> float:
    """Peak resident memory of this process, MB."""
    status = Path("/proc/self/status")
    found = re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="ascii")) if status.exists() else None
    return int(found[1]) / 1024 if found else float("nan")


def main(name: str, data: str, seeds: str, result: str) -> None:
    """Run it and write what it measured."""
    import torch

    torch.set_num_threads(1)
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
        "opened": folder.opened,
    }
    Path(result).write_text(json.dumps(said, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])

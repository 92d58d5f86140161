"""How faithful and how fast explanations are, with rivals in the same run.

    python -m tests.explain_bench DATA [--only NAME ...] [--seeds 0,1,2] [--write FOLDER] [--page FILE]

Suites whose data is missing are said and left out. Each suite runs in a process of its own; results are kept as JSON in
FOLDER, and the page is made of all that are there.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from tests.accuracy.data_folder import DataFolder, DataMissing
from tests.explain_bench.page import page
from tests.explain_bench.suites import MODULES, suite


def main() -> int:
    """Run what was asked for; exit code 1 where a suite failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", nargs="*", default=list(MODULES), choices=list(MODULES))
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--write", type=Path, default=Path("explain-bench-results"))
    parser.add_argument("--page", type=Path, default=None)
    given = parser.parse_args()
    given.write.mkdir(parents=True, exist_ok=True)
    failed = [name for name in given.only if not _measured(name, given.data, given.seeds, given.write)]
    found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(given.write.glob("*.json"))]
    text = page(sorted(found, key=lambda one: list(MODULES).index(one["name"])))
    (given.page or given.write / "explanations-measured.md").write_text(text, encoding="utf-8")
    print(text)
    return 1 if failed else 0


def _measured(name: str, data: Path, seeds: str, write: Path) -> bool:
    try:
        DataFolder(data).need(*suite(name).needs)
    except DataMissing as missing:
        print(f"{name}: left out, {missing}", file=sys.stderr)
        return True
    print(f"{name} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "tests.explain_bench.one", name, str(data), seeds, str(write / f"{name}.json")]
    return subprocess.run(command, check=False).returncode == 0


if __name__ == "__main__":
    sys.exit(main())

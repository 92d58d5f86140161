"""A long pull takes no more memory than a short one."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_a_pull_of_ten_million_values_into_the_store_stays_far_below_500_mb() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tests" / "benchmarks" / "local_store.py", "10", "50"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        timeout=250,
    )
    assert done.returncode == 0, done.stderr
    peaks = [int(found.replace(",", "")) for found in re.findall(r"peak memory ([\d,]+) MB", done.stdout)]
    assert len(peaks) == 2
    assert max(peaks) < 500, done.stdout

"""A server of 100,000 nodes, in a process of its own; the browsing client is one too, so that its memory is its own."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

NODES = 100_000
MOST_MB = 500
ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.interop, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.mark.usefixtures("node_modules")
def test_a_hundred_thousand_nodes_are_browsed_in_bounded_memory() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.browse", str(NODES)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    *_, last = done.stdout.splitlines()
    match = re.fullmatch(r"\*\*: ([\d,]+) tags in [\d.]+ s, peak memory (\d+) MB", last)
    assert match is not None, done.stdout
    assert int(match[1].replace(",", "")) == NODES
    assert int(match[2]) < MOST_MB

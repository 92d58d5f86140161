"""The demo itself, from its command line."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_demo_runs_through_and_finds_itself_in_order(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tagsight", "demo", "--once", "--data", str(tmp_path / "demo")]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=380, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("demo passed: alarm ")


def test_the_demo_keeps_out_of_a_folder_that_is_in_use(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = [sys.executable, "-m", "tagsight", "demo", "--once", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == 4
    assert "is not empty" in done.stderr

"""The service keeps the pages running, and whatever becomes of them stops nothing."""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile

FILE = """
timezone: UTC
historian: {{url: "memory://plant"}}
results: {{to: write, address: "Results/{{asset}}/{{model}}/{{output}}", root: Results}}
web: {{listen: "127.0.0.1:{port}"}}
models:
  - {{name: Health, asset: P101, inputs: ["*"], score: {{every: 1m}}}}
"""


def wait_until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120.0
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=10.0) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def pages_of(service: int) -> list[psutil.Process]:
    found = psutil.Process(service).children(recursive=True)
    return [one for one in found if "tagsight.web.process" in " ".join(one.cmdline())]


@pytest.mark.slow
def test_pages_that_are_killed_come_back_while_the_service_goes_on_and_end_with_it(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    file, data = tmp_path / "tagsight.yaml", DataFolder(tmp_path / "data")
    file.write_text(FILE.format(port=port), encoding="utf-8")
    command = [sys.executable, "-m", "tagsight", "run", str(file), "--data", str(data.root)]
    with (tmp_path / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as service:
        try:
            wait_until(lambda: answers(port))
            pages = pages_of(service.pid)
            assert len(pages) == 1
            pages[0].kill()
            before = HeartbeatFile(data.heartbeat).read()
            wait_until(lambda: answers(port) and pages_of(service.pid) != pages)
            wait_until(lambda: HeartbeatFile(data.heartbeat).read() != before)
            assert service.poll() is None
        finally:
            service.terminate()
            assert service.wait(60) == 0
    wait_until(lambda: not answers(port))
    assert data.first_link.exists()

"""`tagsight run`: one service on a data folder, whoever else tries."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile
from tagsight.platform import InstanceLock

FILE = """
timezone: UTC
historian: {url: "memory://plant"}
models: [{name: Health, asset: P101, inputs: ["*"], score: {every: 1m}}]
results: {to: write, address: "Results/{asset}/{model}/{output}", root: Results}
"""


def _wait(done: Callable[[], bool], service: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60.0
    while not done():
        assert service.poll() is None, f"the service ended with {service.returncode}"
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _start(file: Path, data: DataFolder) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "tagsight", "run", str(file), "--data", str(data.root)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_while_one_service_runs_every_other_is_refused_and_after_its_death_none_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data = tmp_path / "tagsight.yaml", DataFolder(tmp_path / "data")
    file.write_text(FILE, encoding="utf-8")
    first = _start(file, data)
    try:
        _wait(lambda: HeartbeatFile(data.heartbeat).read() is not None, first)
        before = HeartbeatFile(data.heartbeat).read()
        refused = [run(["run", str(file), "--data", str(data.root)]) for _ in range(20)]
        said = capsys.readouterr().err
        assert refused == [3] * 20
        assert said.count(f"another TagSight service (process {first.pid}) already uses the data folder") == 20
        after = HeartbeatFile(data.heartbeat).read()
        assert before is not None
        assert after is not None
        assert after.heartbeat >= before.heartbeat
        second = _start(file, data)
        assert second.wait(60) == 3
    finally:
        first.kill()
        first.wait()
    lock = InstanceLock(data.lock)
    assert lock.acquire()
    lock.release()
    third = _start(file, data)
    try:
        _wait(lambda: (holder := lock.holder()) is not None and holder.pid == third.pid, third)
    finally:
        third.kill()
        third.wait()

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tagsight import platform
from tagsight.data_folder import DataFolder
from tagsight.errors import StorageError
from tagsight.platform import (
    WINDOWS,
    Holder,
    InstanceLock,
    file_system_of,
    install_stop_signals,
    is_private,
    write_private,
)

CRASH = """
import resource
from tagsight.platform import forbid_memory_dumps
forbid_memory_dumps()
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""
HOLD = """
import sys
from pathlib import Path
from tagsight.platform import InstanceLock
lock = InstanceLock(Path(sys.argv[1]))
print("held" if lock.acquire() else "refused", flush=True)
sys.stdin.read()
"""


def test_a_lock_is_held_once_and_given_back(tmp_path: Path) -> None:
    first, second = InstanceLock(tmp_path / "lock"), InstanceLock(tmp_path / "lock")
    assert first.acquire()
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    second.release()


def test_the_holder_is_known_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    lock = InstanceLock(tmp_path / "lock")
    assert lock.holder() is None
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert not lock.acquire()
        assert lock.holder() == Holder(process.pid)
        process.kill()
        process.wait(30)
    assert lock.holder() is None
    assert lock.acquire("a plan")
    assert lock.holder() == Holder(os.getpid(), "a plan")
    lock.release()


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/data/tagsight", "nfs4"), ("/data", "nfs4"), ("/database", "ext4"), ("/mnt/my share/x", "cifs"), ("/", "ext4")],
)
def test_the_nearest_mount_names_the_file_system(path: str, kind: str) -> None:
    mounts = "/dev/sda / ext4 rw 0 0\nhost:/x /data nfs4 rw 0 0\n//host/s /mnt/my\\040share cifs rw 0 0\nbroken\n"
    assert file_system_of(Path(path), mounts) == kind


def test_a_data_folder_on_a_network_share_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "_mounts", lambda: f"host:/x {tmp_path} nfs4 rw 0 0\n")
    with pytest.raises(StorageError, match="network share"):
        DataFolder(tmp_path / "data").create()
    assert not (tmp_path / "data").exists()


def test_a_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    folder.create()
    assert folder.models.is_dir()
    assert is_private(folder.root)
    assert is_private(folder.keys)


def test_a_data_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be made"):
        DataFolder(tmp_path / "file" / "data").create()


def test_a_private_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    write_private(file, b"old")
    write_private(file, b"new")
    assert file.read_bytes() == b"new"
    assert is_private(file)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.skipif(WINDOWS, reason="a process cannot send itself these signals on Windows")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_stop_signal_calls_back_in_the_loop(number: signal.Signals) -> None:
    loop, stopped = asyncio.get_running_loop(), asyncio.Event()
    install_stop_signals(loop, stopped.set)
    try:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stopped.wait(), 10)
    finally:
        for one in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(one)


def test_priority_is_lowered_in_the_process_that_asks() -> None:
    script = "import os; from tagsight.platform import lower_priority; lower_priority(); print(os.nice(0))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) >= 10


@pytest.mark.skipif(WINDOWS, reason="limits of resources are POSIX")
def test_a_crash_writes_no_memory_to_the_disk() -> None:
    said = subprocess.run([sys.executable, "-c", CRASH], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "0"

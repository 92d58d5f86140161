"""The one place of platform calls: folders, locks, priorities, file modes, stop signals, network shares, time zone.

Windows is where historians live: everything here has a branch for it. `fcntl`, `msvcrt`, `signal`, `os.fork`,
`os.nice`, `os.kill` and `os.getppid` are used nowhere else (a test looks).
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final

import platformdirs

WINDOWS: Final = sys.platform == "win32"
_NETWORK_TYPES: Final = frozenset({"nfs", "nfs4", "cifs", "smb", "smb3", "smbfs", "afs", "9p", "fuse.sshfs", "ceph"})
_DRIVE_REMOTE: Final = 4
_LOCKED_BYTE: Final = 1 << 20  # Windows locks bytes, and a locked byte cannot be read: far behind the pid


def default_data_folder() -> Path:
    """Where ledger, models, certificates and logs go when `--data` is not given."""
    return platformdirs.user_data_path("tagsight", appauthor=False)


def local_timezone() -> str:
    """IANA name of this machine's time zone; "UTC" where it has none."""
    import tzlocal  # noqa: PLC0415 - only needed where the configuration names no time zone

    return tzlocal.get_localzone_name() or "UTC"


def make_private(path: Path) -> None:
    """Only the owner may read (0600, folders 0700).

    On Windows the mode bits mean nothing: there a file inherits the rights of the data folder, which the installer
    gives to the service account and administrators alone.
    """
    if not WINDOWS:
        path.chmod(0o700 if path.is_dir() else 0o600)


def is_private(path: Path) -> bool:
    """Whether nobody but the owner may read it; on Windows always True (see `make_private`)."""
    return WINDOWS or not path.stat().st_mode & 0o077


def write_private(path: Path, data: bytes) -> None:
    """Replace a file in one step, readable by its owner only: a reader sees the old or the new, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def forbid_memory_dumps() -> None:
    """A crash of this process or its children writes no memory to the disk: passwords and keys are in it.

    On Windows error reporting keeps dumps only where an administrator switched that on.
    """
    if WINDOWS:
        return
    import resource  # noqa: PLC0415 - POSIX only

    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def lower_priority() -> None:
    """Let everything else on this machine go first (training)."""
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415 - only here, only there

        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
    else:
        os.nice(10)


def is_network_share(path: Path) -> bool:
    """Whether a path lies on a network share, where SQLite's locks cannot be relied on."""
    there = _existing(path)
    if sys.platform == "win32":
        drive = there.drive
        remote = ctypes.windll.kernel32.GetDriveTypeW(f"{drive}\\") == _DRIVE_REMOTE
        return drive.startswith("\\\\") or bool(remote)
    return file_system_of(there, _mounts()) in _NETWORK_TYPES


def file_system_of(path: Path, mounts: str) -> str:
    """Type of the file system that holds `path`, from the text of `/proc/mounts`; "" if it does not say."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        columns = line.split(" ")
        if len(columns) < 3:
            continue
        point = Path(columns[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"))
        if path.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), columns[2]
    return kind


def _mounts() -> str:
    try:
        return Path("/proc/mounts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""  # not Linux: nothing to ask


def _existing(path: Path) -> Path:
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    return there.resolve()


@dataclass
class InstanceLock:
    """An exclusive lock that ends with its process, however that ends. The file holds the pid of the holder."""

    path: Path
    _descriptor: int | None = field(default=None, repr=False)

    def acquire(self, about: str = "") -> bool:
        """Take it; False when another process (or another object of this one) has it. `about`: see `Holder`."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            _lock(descriptor)
        except OSError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        self.describe(about)
        return True

    def describe(self, about: str) -> None:
        """Say something else about the holder; harmless when not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.lseek(self._descriptor, 0, os.SEEK_SET)
            os.write(self._descriptor, f"{os.getpid()}\n{about}\n".encode("ascii"))

    def release(self) -> None:
        """Give it back; harmless when not held."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None

    def holder(self) -> "Holder | None":
        """Who holds it now; None when nobody does. Takes nothing away from a holder."""
        if not self.path.exists():
            return None
        text = self.path.read_text(encoding="ascii", errors="replace")
        if self._descriptor is None:
            probe = InstanceLock(self.path)
            if probe.acquire():
                probe.release()
                return None
        pid, _, about = text.partition("\n")
        return Holder(int(pid), about.strip()) if pid.isdecimal() else None


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that holds a lock, and what it said about itself when it took it (ASCII, one line)."""

    pid: int
    about: str = ""


def _lock(descriptor: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - exists only there

        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 - exists only there

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _stop_signals() -> Iterator[signal.Signals]:
    yield signal.SIGINT
    yield signal.SIGTERM
    if sys.platform == "win32":
        yield signal.SIGBREAK


def install_stop_signals(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Call `callback` in the loop when this process is asked to stop (Ctrl-C, service manager)."""

    def from_outside_the_loop(_number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)

    for number in _stop_signals():
        try:
            loop.add_signal_handler(number, callback)
        except NotImplementedError:  # Windows
            signal.signal(number, from_outside_the_loop)


def ignore_interrupts() -> None:
    """For workers: Ctrl-C reaches the whole console group, but the service alone decides when they end."""
    for number in _stop_signals():
        if number is not signal.SIGTERM:
            with contextlib.suppress(OSError, ValueError):
                signal.signal(number, signal.SIG_IGN)


def wait_for_end_of_input() -> None:
    """Return when whoever holds the other end of this process's standard input is gone: it closes with its holder.

    The pid of a parent does not tell that everywhere: on Windows it stays, and may be that of a launcher in between.
    """
    with contextlib.suppress(OSError):
        while os.read(0, 4_096):
            pass

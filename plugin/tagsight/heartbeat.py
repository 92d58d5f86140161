"""The heartbeat: a small file of fixed size, rewritten in place, so that it still moves when the disk is full.

    magic "TSHB"  |  length of the text  |  CRC-32 of the text  |  JSON text  |  zeros up to 1,024 bytes

A reader that meets a half-written file sees it by the checksum and looks again.
"""

import json
import os
import struct
import zlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.errors import StorageError
from tagsight.platform import make_private
from tagsight.results import OutputValue
from tagsight_connectors.quality import GOOD

SIZE: Final = 1_024
STALE_AFTER_S: Final = 15.0
_HEAD: Final = struct.Struct("<4sII")
_MAGIC: Final = b"TSHB"
_LONGEST_MESSAGE: Final = 120
_LOOKS: Final = 5


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What the plugin says about itself.

    Attributes:
        heartbeat: counts up with each writing, from 1; 0: stopped in an orderly way.
        time_ns: when it was written, UTC ns.
        state: NAMUR NE 107, see `tagsight.results.State`.
        buffered: deliveries pending.
        missed: due times never scored.
        not_recovered: deliveries, and gaps in histories, given up.
        alarms_per_day: announced in the last 24 hours.
        certificate_days: until the first certificate in use expires; None: there is none.
        off: no model announces anything.
        message: one line for people.
    """

    heartbeat: int
    time_ns: int
    state: int = 0
    buffered: int = 0
    missed: int = 0
    not_recovered: int = 0
    alarms_per_day: float = 0.0
    certificate_days: float | None = None
    off: bool = False
    message: str = ""


def plugin_values(status: PluginStatus) -> tuple[OutputValue, ...]:
    """The plugin's outputs; `CertificateDays` without a certificate has no value."""
    days = status.certificate_days
    return (
        OutputValue("Heartbeat", status.heartbeat, GOOD),
        OutputValue("PluginState", status.state, GOOD),
        OutputValue("Buffered", status.buffered, GOOD),
        OutputValue("Missed", status.missed, GOOD),
        OutputValue("NotRecovered", status.not_recovered, GOOD),
        OutputValue("AlarmsPerDay", status.alarms_per_day, GOOD),
        OutputValue("CertificateDays", days, GOOD),
        OutputValue("Off", int(status.off), GOOD),
    )


@dataclass
class HeartbeatFile:
    """One writer, any number of readers."""

    path: Path

    def write(self, status: PluginStatus) -> None:
        """Rewrite in place; the file is allocated at the first call.

        Raises:
            StorageError: it cannot be written.
        """
        content = encode(status)
        try:
            if not self.path.exists() or self.path.stat().st_size != SIZE:
                self._allocate()
            with self.path.open("r+b", buffering=0) as file:
                file.write(content)
        except OSError as error:
            raise StorageError(
                what=f"{self.path} cannot be written: {error.strerror}",
                mend="Is the disk full, or the folder not writable?",
            ) from error

    def read(self) -> PluginStatus | None:
        """The newest status; None while there is none."""
        for _ in range(_LOOKS):
            try:
                content = self.path.read_bytes()
            except OSError:
                return None
            status = decode(content)
            if status is not None:
                return status
        return None

    def _allocate(self) -> None:
        with self.path.open("wb", buffering=0) as file:
            file.write(bytes(SIZE))
            os.fsync(file.fileno())  # so that its blocks exist before the disk can be full
        make_private(self.path)


def encode(status: PluginStatus) -> bytes:
    """`SIZE` bytes."""
    fields = asdict(status) | {"message": status.message[:_LONGEST_MESSAGE]}
    text = json.dumps(fields, separators=(",", ":")).encode("ascii")
    return (_HEAD.pack(_MAGIC, len(text), zlib.crc32(text)) + text).ljust(SIZE, b"\0")


def decode(content: bytes) -> PluginStatus | None:
    """None where the bytes are not a whole status."""
    if len(content) != SIZE:
        return None
    magic, length, checksum = _HEAD.unpack_from(content)
    text = content[_HEAD.size : _HEAD.size + length]
    if magic != _MAGIC or zlib.crc32(text) != checksum:
        return None
    try:
        return PluginStatus(**json.loads(text))
    except (ValueError, TypeError):  # written by another version
        return None


def is_stale(status: PluginStatus, now_ns: int, after_s: float = STALE_AFTER_S) -> bool:
    """By the wall clock alone: for one look (`tagsight status`). A stamp from the future is as stale as an old one."""
    return status.heartbeat == 0 or abs(now_ns - status.time_ns) > after_s * SECOND


@dataclass
class HeartbeatWatch:
    """For who looks again and again: judges by its own monotonic clock, so a step of the wall clock changes nothing.

    The first look has nothing to compare with and goes by the wall clock.
    """

    file: HeartbeatFile
    clock: Clock
    after_s: float = STALE_AFTER_S
    status: PluginStatus | None = None
    _changed_at: float = field(default=0.0, init=False)

    def is_alive(self) -> bool:
        """Look: whether the heartbeat moved within `after_s`. `status` is then the newest one."""
        found = self.file.read()
        first = self.status is None
        if found is not None and (first or self._moved(found)):
            fresh = not first or not is_stale(found, self.clock.now_ns(), self.after_s)
            self._changed_at = self.clock.monotonic() - (0.0 if fresh else self.after_s + 1.0)
            self.status = found
        if self.status is None or self.status.heartbeat == 0:
            return False
        return self.clock.monotonic() - self._changed_at <= self.after_s

    def stopped_orderly(self) -> bool:
        """Whether the newest status says that the service was stopped."""
        return self.status is not None and self.status.heartbeat == 0

    def _moved(self, found: PluginStatus) -> bool:
        assert self.status is not None
        return (found.heartbeat, found.time_ns) != (self.status.heartbeat, self.status.time_ns)

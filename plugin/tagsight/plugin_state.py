"""What TagSight says of itself: heartbeat, state, counters. The file moves whatever historians and outbox do."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tagsight.certificate_watch import CertificateWatch
from tagsight.clocks import SECOND, Clock
from tagsight.connections import Link
from tagsight.heartbeat import HeartbeatFile, PluginStatus
from tagsight.ledger.ledger import Ledger
from tagsight.output_tags import PLUGIN
from tagsight.results import State

DAY_NS: Final = 86_400 * SECOND
LONGEST_MESSAGE: Final = 200


@dataclass
class PluginState:
    """The plugin's own values.

    Attributes:
        file: that other processes read.
        links: a historian that is not connected is a failure of the plugin; one whose clock cannot be believed puts it
            out of specification.
        ledger: with the counters.
        certificates: how long they are valid.
        clock: of this machine.
        status: as last written; None before the first beat.
    """

    file: HeartbeatFile
    links: Mapping[str, Link]
    ledger: Ledger
    certificates: CertificateWatch
    clock: Clock
    status: PluginStatus | None = field(init=False, default=None)
    _beats: int = field(init=False, default=0)

    def go_on_from(self, before: PluginStatus | None) -> None:
        """Count on from the last heartbeat of the service before: it moves at the first beat."""
        self._beats = before.heartbeat if before is not None else 0

    def beat(self) -> None:
        """Rewrite the file with the next heartbeat. Raises StorageError."""
        self._beats += 1
        self._write()

    def stop(self) -> None:
        """Heartbeat 0: an orderly end. Raises StorageError."""
        self._beats = 0
        self._write()

    def _write(self) -> None:
        self.status = self._now()
        self.file.write(self.status)

    def _now(self) -> PluginStatus:
        now = self.clock.now_ns()
        counters = self.ledger.counters()
        down = [f"{name}: {link.trouble}" for name, link in self.links.items() if not link.connected]
        doubted = [f"{name}: {link.clock_trouble}" for name, link in self.links.items() if link.clock_trouble]
        return PluginStatus(
            heartbeat=self._beats,
            time_ns=now,
            state=int(_state(down, doubted)),
            buffered=counters.buffered,
            missed=counters.missed,
            not_recovered=counters.not_recovered + self._lost_gaps(),
            alarms_per_day=self.ledger.count_activations(now - DAY_NS, now),
            certificate_days=self.certificates.days(now),
            off=self.ledger.operator_state(PLUGIN).off,
            message="; ".join([*down, *doubted])[:LONGEST_MESSAGE],
        )

    def _lost_gaps(self) -> int:
        """Gaps in stored histories that were given up; all historians have one store."""
        stores = [link.stored.store for link in self.links.values() if link.stored is not None]
        return max((store.gaps.not_recovered for store in stores), default=0)


def _state(down: Sequence[str], doubted: Sequence[str]) -> State:
    if down:
        return State.FAILURE
    return State.OUT_OF_SPECIFICATION if doubted else State.NORMAL

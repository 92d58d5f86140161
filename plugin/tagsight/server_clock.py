"""A historian's clock, as it is heard of: what time it is there, and whether that can be believed.

Two clocks are known, this machine's and the historian's, and no third one that would say which of them is right. So
where they disagree, or the historian's jumps, or tells a time that cannot be, scoring goes on, and whoever records a
run is told the reason why it is Uncertain at best.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from tagsight.clocks import SECOND, Clock

SYNC_S: Final = 60.0
DIFFERENCE_S: Final = 1_800.0
"""From here on the two clocks disagree. Well below an hour: a wrong time zone or summer time is seen, drift is not."""

STEP_S: Final = 30.0
"""Between two looks; more than a slow answer can feign."""

STEADY_AFTER_S: Final = 600.0
"""So long after a step the historian's clock is not believed: its samples have times of before and after."""

_YEAR_2000_NS: Final = 946_684_800 * SECOND
_YEAR_2100_NS: Final = 4_102_444_800 * SECOND
_MINUTE_S: Final = 60.0


@dataclass
class ServerClock:
    """The time of one historian, carried on by this machine's monotonic clock between two looks."""

    clock: Clock
    _looked: tuple[int, float] | None = field(init=False, default=None)
    _looked_at: float | None = field(init=False, default=None)
    _implausible: bool = field(init=False, default=False)
    _step: tuple[float, float] | None = field(init=False, default=None)

    @property
    def known(self) -> bool:
        """It has told a time that can be."""
        return self._looked is not None

    @property
    def due(self) -> bool:
        """Time to look again; never where there is no clock."""
        return self._looked_at is not None and self.clock.monotonic() - self._looked_at >= SYNC_S

    @property
    def difference_s(self) -> float:
        """Historian's time minus this machine's; 0.0 where it has no clock of its own."""
        return (self.now_ns() - self.clock.now_ns()) / SECOND if self.known else 0.0

    def now_ns(self) -> int:
        """The historian's time; this machine's where none that can be was told."""
        if self._looked is None:
            return self.clock.now_ns()
        at_ns, at_monotonic = self._looked
        return at_ns + round((self.clock.monotonic() - at_monotonic) * SECOND)

    def look(self, server_ns: int | None) -> None:
        """Take what the historian said just now; None: it has no clock of its own (a file)."""
        self._looked_at = None if server_ns is None else self.clock.monotonic()
        self._implausible = server_ns is not None and not _YEAR_2000_NS < server_ns < _YEAR_2100_NS
        if server_ns is None or self._implausible:
            self._looked = None
            return
        step_s = (server_ns - self.now_ns()) / SECOND if self.known else 0.0
        if abs(step_s) > STEP_S:
            self._step = (step_s, self.clock.monotonic())
        self._looked = (server_ns, self.clock.monotonic())

    @property
    def trouble(self) -> str:
        """Why the historian's time cannot be believed, in words; "" where it can."""
        if self._implausible:
            return "the historian's clock tells a time before 2000 or after 2100"
        if abs(self.difference_s) > DIFFERENCE_S:
            minutes = round(abs(self.difference_s) / _MINUTE_S)
            side = "ahead of" if self.difference_s > 0 else "behind"
            return f"the historian's clock is {minutes} min {side} this machine's: one of them is wrong"
        if self._step is not None and self.clock.monotonic() - self._step[1] < STEADY_AFTER_S:
            return f"the historian's clock stepped by {self._step[0]:+.0f} s at {_time(self._step, self)}"
        return ""


def _time(step: tuple[float, float], clock: ServerClock) -> str:
    """When, by the historian's clock as it is now."""
    at_ns = clock.now_ns() - round((clock.clock.monotonic() - step[1]) * SECOND)
    return datetime.fromtimestamp(at_ns / SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")

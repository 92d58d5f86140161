"""Time: UTC wall clock and monotonic clock, injected everywhere; and a watch that notices when they disagree."""

import time
from dataclasses import dataclass, field
from typing import Final, Protocol

SECOND: Final = 1_000_000_000


class Clock(Protocol):
    """UTC for stamps, monotonic for time-outs."""

    def now_ns(self) -> int:
        """UTC, ns since 1970."""

    def monotonic(self) -> float:
        """Seconds; never steps, origin arbitrary."""


class SystemClock:
    """The clocks of this machine."""

    def now_ns(self) -> int:
        """UTC, ns since 1970."""
        return time.time_ns()

    def monotonic(self) -> float:
        """Seconds."""
        return time.monotonic()


@dataclass
class SetClock:
    """A clock that a test or a rehearsal sets; wall and monotonic time move together unless `step` is used."""

    wall_ns: int = 0
    elapsed: float = 0.0

    def now_ns(self) -> int:
        """UTC, ns since 1970."""
        return self.wall_ns

    def monotonic(self) -> float:
        """Seconds."""
        return self.elapsed

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        self.wall_ns += round(seconds * SECOND)
        self.elapsed += seconds

    def step(self, seconds: float) -> None:
        """Step the wall clock alone, as an administrator or NTP does."""
        self.wall_ns += round(seconds * SECOND)


@dataclass
class ClockWatch:
    """Compares the progress of the wall clock with the monotonic clock between two looks.

    A step back of one hour stops APScheduler 3.11 for an hour without an event (measured), so the service looks
    every few seconds and plans its ticks anew when `stepped` is not zero.
    """

    clock: Clock
    tolerance_s: float = 2.0
    _wall_ns: int = field(init=False)
    _monotonic: float = field(init=False)

    def __post_init__(self) -> None:
        self._wall_ns, self._monotonic = self.clock.now_ns(), self.clock.monotonic()

    def stepped(self) -> float:
        """Seconds by which the wall clock stepped since the last look (negative: back); 0.0 within tolerance."""
        wall_ns, monotonic = self.clock.now_ns(), self.clock.monotonic()
        step = (wall_ns - self._wall_ns) / SECOND - (monotonic - self._monotonic)
        self._wall_ns, self._monotonic = wall_ns, monotonic
        return step if abs(step) > self.tolerance_s else 0.0

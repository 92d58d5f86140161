"""The one owner of a historian's reconnection (design law 12), and the historian's time.

Connectors raise `NotConnected` and never retry; a `Link` decides when the next attempt is made, with jittered back-off.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from tagsight.clocks import Clock
from tagsight.server_clock import ServerClock
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Description, Historian

if TYPE_CHECKING:
    from tagsight_connectors.store.stored_historian import StoredHistorian

FIRST_BACK_OFF_S: Final = 1.0
LONGEST_BACK_OFF_S: Final = 30.0
"""So that 120 s of a dead server cost at most some ten attempts, and it is found again within 30 s."""

_MOST_DOUBLINGS: Final = 10

Result = TypeVar("Result")


@dataclass
class Link:
    """One historian, its connection and its time.

    Attributes:
        name: of the historian in the plan.
        historian: what is connected.
        clock: of this machine.
        follow_server_time: plan by the historian's clock, so that a step of this machine's clock moves nothing;
            False in a replay of the past, where the injected clock is the historian's.
        jitter: answers a number between 0 and 1.
        stored: the same historian behind the local history store; None: there is no store.
    """

    name: str
    historian: Historian
    clock: Clock
    follow_server_time: bool = True
    jitter: Callable[[], float] = random.random
    stored: "StoredHistorian | None" = None
    attempts: int = field(init=False, default=0)
    description: Description | None = field(init=False, default=None)
    trouble: str = field(init=False, default="not connected yet")
    _connected: bool = field(init=False, default=False)
    _connecting: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)
    _sessions: int = field(init=False, default=0)
    _connected_at: float = field(init=False, default=0.0)
    _failures: int = field(init=False, default=0)
    _next_attempt: float = field(init=False, default=0.0)
    _server_clock: ServerClock = field(init=False)

    def __post_init__(self) -> None:
        self._server_clock = ServerClock(self.clock)

    @property
    def connected(self) -> bool:
        """There was a session when it was last used."""
        return self._connected

    @property
    def has_clock(self) -> bool:
        """The historian has told a time of its own; a file has none."""
        return self._server_clock.known

    @property
    def clock_difference_s(self) -> float:
        """Historian's time minus this machine's, seconds; 0.0 where it has no clock of its own."""
        return self._server_clock.difference_s if self.follow_server_time else 0.0

    @property
    def clock_trouble(self) -> str:
        """Why the historian's time cannot be believed, in words; "" where it can, and in a replay of the past."""
        return self._server_clock.trouble if self.follow_server_time else ""

    def now_ns(self) -> int:
        """The historian's time: asked at connect and every minute, carried on by the monotonic clock between."""
        return self._server_clock.now_ns() if self.follow_server_time else self.clock.now_ns()

    async def use(self, work: Callable[[Historian], Awaitable[Result]]) -> Result:
        """Do `work` on a connected historian.

        Raises NotConnected at once while the back-off lasts, and whatever `work` raises.
        """
        async with self._connecting:
            if not self._connected:
                await self._connect()
        session = self._sessions
        try:
            await self._ask_time()
            return await work(self.historian)
        except NotConnected as error:
            if session == self._sessions:  # otherwise there is a newer session already
                await self._lost(error)
            raise

    async def use_stored(self, work: Callable[[Historian], Awaitable[Result]]) -> Result:
        """The same for long reads of the past: what was read once comes from the local store, where there is one."""
        return await self.use(lambda historian: work(self.stored or historian))

    async def close(self) -> None:
        """End the session."""
        self._connected = False
        await self.historian.close()

    async def _connect(self) -> None:
        if self.clock.monotonic() < self._next_attempt:
            raise NotConnected(self.name, f"{self.trouble}; waiting before the next attempt")
        self.attempts += 1
        try:
            await self.historian.connect()
            self.description = await self.historian.describe()
        except HistorianError as error:
            await self._lost(error)
            raise
        self._connected, self.trouble = True, ""
        self._sessions += 1
        self._connected_at = self.clock.monotonic()
        self._server_clock.look(self.description.server_time_ns)

    async def _lost(self, error: HistorianError) -> None:
        if self._connected and self.clock.monotonic() - self._connected_at > LONGEST_BACK_OFF_S:
            self._failures = 0  # a server that accepts and then closes earns no quick attempt
        self._connected = False
        self.trouble = str(error)
        wait = min(LONGEST_BACK_OFF_S, FIRST_BACK_OFF_S * 2.0 ** min(self._failures, _MOST_DOUBLINGS))
        self._failures += 1
        self._next_attempt = self.clock.monotonic() + wait * (0.5 + 0.5 * self.jitter())
        await self.historian.close()

    async def _ask_time(self) -> None:
        if self._server_clock.due:
            self.description = await self.historian.describe()
            self._server_clock.look(self.description.server_time_ns)

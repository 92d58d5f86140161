"""Two servers by node-opcua that are one historian: TagSight moves to the better one, each due time is scored once.

Times are those of the injected clock: how long it takes by it is what the limits of reconnection promise.
"""

import itertools
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SetClock
from tagsight.connections import LONGEST_BACK_OFF_S, Link
from tagsight.ledger.ledger import Ledger
from tagsight.recording import Recorder
from tagsight.scoring_task import StorePlace
from tagsight.server_clock import SYNC_S
from tagsight.tick import Participant, Ticker
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import open_opcua
from tagsight_connectors.reading import read_history
from tagsight_connectors.redundant import RedundantHistorian
from tests.interop.foreign import ForeignHistorian, ForeignTag, node_historian
from tests.plugin.small_site import MINUTE, ROLES, START, OwnProcess, participant, plan_of
from tests.plugin.small_site import Site as SmallSite

pytestmark = [pytest.mark.interop, pytest.mark.timeout(400)]

MS: Final = 1_000_000
FIRST: Final = START - 60 * MINUTE
PROMISED_S: Final = SYNC_S + 60.0
"""A fallen ServiceLevel is seen within `SYNC_S`, a dead server at once; then it is back within 60 s."""


@dataclass
class Pair:
    """Both servers, and TagSight on top: the clock passes minute by minute."""

    servers: list[ForeignHistorian]
    folder: Path
    clock: SetClock = field(default_factory=lambda: SetClock(START))
    used: list[int] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        historians = [open_opcua(replace(one.connection, timeout_s=5.0)) for one in self.servers]
        self.redundant = RedundantHistorian(historians)
        self.link = Link("default", self.redundant, self.clock, follow_server_time=False, jitter=lambda: 1.0)
        self.ledger = Ledger.open(self.folder / "ledger.sqlite", self.clock)
        place = StorePlace(self.folder, self.folder)
        self.ticker = Ticker(
            self.link,
            OwnProcess(),  # type: ignore[arg-type]
            place,
            self.ledger,
            Recorder(self.ledger, ZoneInfo("UTC")),
            {},
            lambda _what, why: self.troubles.append(why),
        )
        self.model: Participant = participant(
            plan_of("P101"), {role: self.servers[0].address(f"P101/{role}") for role in ROLES}
        )

    async def seconds(self, count: int) -> None:
        """As the service does it: look at the connection every five seconds, tick every minute."""
        for _ in range(count // 5):
            self.clock.advance(5.0)
            try:
                self.used.append(await self.link.use(self._which))
            except HistorianError:
                self.used.append(-1)
            if (self.clock.now_ns() - START) % MINUTE == 0:
                await self.ticker.tick([self.model])

    async def _which(self, _historian: Historian) -> int:
        url = (await self.redundant.describe()).url
        return [one.connection.url for one in self.servers].index(url)

    @property
    def moves(self) -> int:
        """From one server to another; -1 is no server."""
        seen = [one for one in self.used if one >= 0]
        return sum(before != after for before, after in itertools.pairwise(seen))

    def without_s(self) -> float:
        """The longest time without a server."""
        longest = now = 0
        for one in self.used:
            now = now + 1 if one < 0 else 0
            longest = max(longest, now)
        return longest * 5.0

    def scored_once(self) -> bool:
        """Every due time, none revised: nothing was read twice into the results."""
        runs = self.ledger.runs(self.model.plan.key, 0, 2**62)
        dues = [(run.due_ns - START) // MINUTE for run in runs]
        minutes = (self.clock.now_ns() - START) // MINUTE
        return dues == list(range(1, minutes + 1)) and all(run.score is not None and not run.revised for run in runs)


@pytest.fixture
def servers(node_modules: Path, tmp_path: Path) -> Iterator[list[ForeignHistorian]]:
    tags = [
        ForeignTag(f"P101/{role}", values.tolist(), start_ms=int(times[0]) // MS, step_ms=60_000)
        for role in ROLES
        for times, values in [SmallSite.samples(f"P101/{role}")]
    ]
    with ExitStack() as stack:
        yield [stack.enter_context(node_historian(node_modules, tmp_path / str(n), tags)) for n in range(2)]


@pytest.fixture
async def pair(servers: list[ForeignHistorian], tmp_path: Path) -> AsyncIterator[Pair]:
    made = Pair(servers, tmp_path)
    yield made
    await made.link.close()
    made.ledger.close()


async def test_the_first_server_is_used_while_both_are_healthy(pair: Pair) -> None:
    await pair.seconds(180)
    assert set(pair.used) == {0}
    assert pair.scored_once()


async def test_a_server_whose_service_level_falls_is_left_within_the_time_promised_and_stays_left(pair: Pair) -> None:
    await pair.seconds(60)
    pair.servers[0].tell_service_level(100)
    began = len(pair.used)
    await pair.seconds(240)
    assert pair.used[began:].index(1) * 5.0 <= PROMISED_S
    assert (pair.moves, pair.used[-1]) == (1, 1)
    pair.servers[0].tell_service_level(255)
    await pair.seconds(240)
    assert (pair.moves, pair.used[-1]) == (1, 1)  # no way back while the second one is healthy
    assert pair.scored_once()


async def test_a_server_that_dies_is_left_within_the_time_promised_and_its_history_is_read_on_from_the_other(
    pair: Pair,
) -> None:
    await pair.seconds(120)
    pair.servers[0].process.kill()
    pair.servers[0].process.wait()
    await pair.seconds(240)
    assert pair.without_s() <= PROMISED_S
    assert (pair.moves, pair.used[-1]) == (1, 1)
    assert pair.scored_once()
    speed = pair.servers[1].address("P101/Flow")
    span = Span(FIRST, FIRST + 240 * MINUTE)
    found = (await pair.link.use(lambda historian: read_history(historian, [speed], span))).tags[speed]
    assert len(set(found.times.tolist())) == len(found) == 240


async def test_two_servers_that_take_turns_being_degraded_do_not_make_it_flap(pair: Pair) -> None:
    """Ten changes of levels in ten minutes, both degraded in between: only a healthy server is moved to."""
    await pair.seconds(30)
    attempts = pair.link.attempts
    for minute in range(10):
        pair.servers[0].tell_service_level(150 - minute)
        pair.servers[1].tell_service_level(150 + (-1) ** minute * 30)
        await pair.seconds(60)
    assert pair.moves <= 1
    assert pair.link.attempts - attempts <= 2
    pair.servers[1].tell_service_level(255)
    await pair.seconds(120)
    assert pair.used[-1] == 1
    assert pair.moves <= 2
    assert pair.scored_once()


async def test_both_gone_is_no_connection_and_the_one_that_comes_back_is_used(pair: Pair) -> None:
    await pair.seconds(60)
    for one in pair.servers:
        one.tell_service_level(0)
    await pair.seconds(120)
    assert pair.used[-1] == -1
    attempts = pair.link.attempts
    pair.servers[1].tell_service_level(200)
    await pair.seconds(int(LONGEST_BACK_OFF_S) + 5)
    assert pair.used[-1] == 1
    assert attempts <= 30
    await pair.seconds(120)
    assert pair.scored_once()


async def test_a_link_says_why_it_moved(pair: Pair) -> None:
    await pair.seconds(30)
    pair.servers[0].tell_service_level(60)
    with pytest.raises(NotConnected, match="ServiceLevel fell to 60"):
        await pair.redundant.describe()

"""What happens to the wire, over real sockets: few attempts, one session, nothing twice. The back-off's time is set."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import numpy as np
import pytest
import pytest_asyncio
from asyncua import ua

from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import open_opcua
from tests.connectors.opcua import rogue_server as lies
from tests.connectors.opcua.plant_server import START_NS, URI, connection, trust_the_server
from tests.connectors.opcua.wire_proxy import Proxy, Wire, wire_proxy

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(90)]

ADDRESS = f"nsu={URI};s=P101.Speed"
SPAN = Span(START_NS, START_NS + lies.VALUES * SECOND)
OUTAGE_S, STEP_S = 120.0, 0.5
BACK_S = 60.0
ANSWER_S = 2.0


@dataclass
class Site:
    """A link over SignAndEncrypt, a wire to break, and the server behind it."""

    link: Link
    proxy: Proxy
    rogue: lies.Rogue
    clock: SetClock
    times: list[int] = field(default_factory=list)

    async def read(self) -> bool:
        """Whether the history came, whole."""
        try:
            self.times = await self.link.use(_times)
        except NotConnected:
            return False
        return self.times == [START_NS + at * SECOND for at in range(lies.VALUES)]

    async def outage(self) -> int:
        """Ask all the time while it is down; the attempts to connect."""
        before = self.link.attempts
        for _ in range(round(OUTAGE_S / STEP_S)):
            self.clock.advance(STEP_S)
            assert not await self.read()
        return self.link.attempts - before

    async def back(self) -> bool:
        """Whether it is, in time, with one session."""
        for _ in range(round(BACK_S / STEP_S)):
            self.clock.advance(STEP_S)
            if await self.read():
                return self.proxy.open == 1 and await self.rogue.sessions_become(1)
        return False


async def _times(historian: Historian) -> list[int]:
    pages = [page.history.times async for page in historian.read_raw([ADDRESS], SPAN)]
    return np.concatenate(pages).tolist()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Path, int, lies.Rogue]]:
    folder = tmp_path_factory.mktemp("wire")
    async with lies.rogue_server(folder, secure=True) as (port, rogue):
        trust_the_server(folder)
        yield folder, port, rogue


@pytest_asyncio.fixture(loop_scope="module")
async def site(server: tuple[Path, int, lies.Rogue]) -> AsyncIterator[Site]:
    folder, port, rogue = server
    async with wire_proxy(port) as proxy:
        clock = SetClock(START_NS)
        link = Link("plant", open_opcua(connection(proxy.port, folder, timeout_s=ANSWER_S)), clock)
        site = Site(link, proxy, rogue, clock)
        assert await site.read()
        clock.advance(BACK_S)
        assert await site.read()
        yield site
        await link.close()
    rogue.channel_ms = 0
    assert await rogue.sessions_become(0)


async def test_a_server_that_is_down_for_two_minutes(site: Site) -> None:
    await site.proxy.go_down()
    assert await site.outage() <= 30
    await site.proxy.listen()
    assert await site.back()


async def test_a_server_that_accepts_and_closes_for_two_minutes(site: Site) -> None:
    site.proxy.wire = Wire.CLOSES
    await site.proxy.reset()
    before = site.proxy.accepted
    assert await site.outage() <= 30
    assert site.proxy.accepted - before <= 30
    site.proxy.wire = Wire.WHOLE
    assert await site.back()


async def test_a_server_that_has_no_session_left_for_two_minutes(site: Site) -> None:
    site.rogue.about = ua.CreateSessionResponse
    with site.rogue.lying(lies.fault(ua.StatusCodes.BadTooManySessions)):
        await site.proxy.reset()
        assert await site.outage() <= 30
    assert await site.back()


async def test_a_server_that_forgot_the_session(site: Site) -> None:
    site.rogue.about = ua.HistoryReadResponse
    with site.rogue.lying(lies.fault(ua.StatusCodes.BadSessionIdInvalid)):
        assert not await site.read()
    assert await site.back()
    assert site.link.attempts == 2


async def test_a_peer_that_vanishes_without_a_word_during_a_read(site: Site) -> None:
    site.proxy.wire = Wire.VANISHED
    assert not await site.read()
    assert "nor to a small request" in site.link.trouble
    site.proxy.wire = Wire.WHOLE
    assert await site.back()
    assert site.link.attempts == 2


async def test_a_server_that_takes_its_time_is_waited_for(site: Site) -> None:
    site.proxy.delay_s = ANSWER_S / 4
    assert await site.read()
    assert site.link.attempts == 1


async def test_a_server_that_answers_small_questions_alone_is_asked_small_ones(site: Site) -> None:
    def answer(one: lies.Answer) -> None:
        (result,) = one.response.Results
        if result.HistoryData is None or len(result.HistoryData.DataValues) < lies.VALUES:
            one.send(one.body)

    site.rogue.about = ua.HistoryReadResponse
    site.link.historian._size.history_values = 3 * lies.VALUES
    with site.rogue.lying(answer):
        assert await site.read()
    assert site.link.attempts == 1


async def test_a_channel_of_short_life_is_renewed_under_way(site: Site) -> None:
    site.rogue.channel_ms = 400
    site.rogue.tokens.clear()
    await site.proxy.reset()
    assert await site.back()
    while len(site.rogue.tokens) < 6:
        assert await site.read()
        await asyncio.sleep(0.05)
    assert site.link.attempts == 2


async def test_a_wire_that_breaks_anywhere_gives_each_value_once_in_the_end(site: Site) -> None:
    random = Random(7)
    site.proxy.spoil = lambda _: random.random() < 0.1
    whole = 0
    for _ in range(60):
        site.clock.advance(BACK_S)
        with suppress(HistorianError):
            whole += await site.read()
    assert 0 < whole < 60
    site.proxy.spoil = lambda _: False
    assert await site.back()

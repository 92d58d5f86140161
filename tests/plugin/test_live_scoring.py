"""Scoring by a subscription gives the runs that scoring by history gives."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from tagsight.connections import Link
from tagsight.historians import live_of
from tagsight.plan import HistorianPlan, LiveMode
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.history import Page, Span, TagHistory
from tagsight_connectors.live import Arrived, Receiver
from tagsight_connectors.live_values import Live, LiveValues
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.quality import Quality, quality_of
from tests.plugin.small_site import MINUTE, START, Site

MINUTES = 40


class Subscribed:
    """A subscription."""

    def __init__(self, receiver: Receiver) -> None:
        self.receiver = receiver
        self.failure = ""
        self.addresses: list[str] = []

    async def watch(self, addresses: Sequence[str]) -> Mapping[str, str]:
        self.addresses += addresses
        return {}

    async def close(self) -> None:
        self.failure = "closed"


class Telling(MemoryHistorian):
    """Tells values as they change, and counts the values that are asked of its history."""

    def __init__(self, store: MemoryStore, *, bare: bool = False, offers: bool = True) -> None:
        super().__init__(store)
        self.bare, self.offers, self.asked = bare, offers, 0
        self.subscription: Subscribed | None = None

    async def subscribe(self, receiver: Receiver) -> Subscribed:
        if not self.offers:
            raise Unsupported("subscriptions")
        self.subscription = Subscribed(receiver)
        return self.subscription

    async def without_history(self, addresses: Sequence[str]) -> Sequence[str]:
        return addresses if self.bare else []

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        async for page in super().read_raw(addresses, span):
            self.asked += len(page.history)
            yield page

    def tell(self, time_ns: int, *, overflow: bool = False) -> None:
        if self.subscription is not None and not self.subscription.failure:
            arrived = [
                Arrived(address, self._at(address, time_ns), overflow) for address in self.subscription.addresses
            ]
            self.subscription.receiver.receive(arrived, time_ns)

    def _at(self, address: str, time_ns: int) -> TagHistory:
        return self.store.history(address, Span(time_ns, time_ns + 1))


async def scored(site: Site, mode: Live | None, **kind: bool) -> Telling:
    """`MINUTES` of scoring, with a queue that overflows and a connection that is lost in between."""
    source = Telling(site.store, **kind)
    historian = source if mode is None else LiveValues(source, mode)
    site.link = Link("default", historian, site.clock, jitter=lambda: 0.0)
    site.ticker.link = site.link
    await site.tick()

    def before(minute: int) -> None:
        site.store.faults.down = minute in {25, 26}
        if minute not in {10, 11, 12}:
            source.tell(START + minute * MINUTE, overflow=minute == 13)

    await site.minutes(MINUTES, before)
    return source


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    """Call it with a name."""
    made: list[Site] = []

    def make(name: str) -> Site:
        (tmp_path / name).mkdir()
        made.append(Site(tmp_path / name))
        return made[-1]

    yield make
    for site in made:
        site.ledger.close()


def said(site: Site) -> list[tuple[int, float | None, int, str]]:
    return [(run.due_ns, run.score, run.quality, run.reason) for asset in site.assets for run in site.runs(asset)]


async def test_both_ways_give_the_same_runs_and_the_subscription_asks_less_of_history(
    make_site: Callable[[str], Site],
) -> None:
    by_history, by_subscription = make_site("history"), make_site("subscription")
    from_history = await scored(by_history, None)
    from_subscription = await scored(by_subscription, Live.SUBSCRIPTION)
    assert said(by_subscription) == said(by_history)
    assert len(said(by_history)) == 2 * (MINUTES + 1)
    assert from_subscription.asked < from_history.asked
    assert {what for what, _ in by_subscription.troubles} == {what for what, _ in by_history.troubles}


async def test_tags_without_history_are_scored_once_enough_was_received(make_site: Callable[[str], Site]) -> None:
    site = make_site("bare")
    await scored(site, Live.AUTO, bare=True)
    runs = {(run.due_ns - START) // MINUTE: run for run in site.runs()}
    assert runs[1].score is None
    assert runs[MINUTES].score is not None
    assert quality_of(runs[MINUTES].quality) is Quality.GOOD


async def test_a_server_that_refuses_the_subscription_is_told_of_once(make_site: Callable[[str], Site]) -> None:
    site = make_site("refusing")
    await scored(site, Live.SUBSCRIPTION, offers=False)
    told = [why for what, why in site.troubles if what == "subscription of default"]
    assert told
    assert "subscriptions; new values come from history alone" in told[0]
    assert len(told) <= 2  # once, and once after the connection was lost


@pytest.mark.parametrize(
    ("url", "mode", "watches"),
    [
        ("opc.tcp://scada01:4840", LiveMode.AUTO, True),
        ("opc.tcp://scada01:4840", LiveMode.SUBSCRIPTION, True),
        ("opc.tcp://scada01:4840", LiveMode.HISTORY, False),
        ("memory://plant", LiveMode.AUTO, False),
    ],
)
def test_the_plan_says_which_way(url: str, mode: LiveMode, watches: bool) -> None:  # noqa: FBT001 - a parameter
    historian = Telling(MemoryStore("x"))
    made = live_of(HistorianPlan("default", url, live=mode), historian)
    assert isinstance(made, LiveValues) is watches

"""The store in the plugin: who reads through it, which gaps the service notices, and how they end."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight.certificate_watch import CertificateWatch
from tagsight.clocks import SECOND, SetClock
from tagsight.connections import Link
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile, plugin_values
from tagsight.history_keeping import DAY_NS, LATE_NS, NOT_RUNNING, Histories, keep_histories, opened_store
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.plan import HistorianPlan, HistoryStorePlan, ModelPlan, Plan, TrainPlan
from tagsight.plugin_state import PluginState
from tagsight.scoring_task import StorePlace
from tagsight.status import status_lines
from tagsight.training import gather
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.history import Page, Span
from tagsight_connectors.memory.historian import MemoryHistorian
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.store.gaps import GapState
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.tag import Tag
from tests.plugin.small_site import ROLES, participant, plan_of

HOUR = 3_600 * SECOND
TODAY = 20_400 * DAY_NS
EVERY_WEEK = TrainPlan(last_ns=10 * DAY_NS, every={"day_of_week": "sun"})
STORED = "opc.tcp://plant:4840"


class Counting(MemoryHistorian):
    """Counts the values that it gives."""

    given = 0

    async def read_raw(self, addresses: Sequence[str], span: Span) -> AsyncIterator[Page]:
        async for page in super().read_raw(addresses, span):
            self.given += len(page.history)
            yield page


def plan(*models: ModelPlan, url: str = STORED, store: HistoryStorePlan | None = None) -> Plan:
    historians = {"default": HistorianPlan("default", url)}
    return Plan(ZoneInfo("UTC"), historians, {}, models, history_store=store or HistoryStorePlan())


@dataclass
class Site:
    """One pump with 12 days of history, read through a store; the service's part of the work is `histories`."""

    folder: Path
    model: ModelPlan = field(default_factory=lambda: plan_of("P101", train=EVERY_WEEK))
    clock: SetClock = field(default_factory=lambda: SetClock(TODAY + 6 * HOUR))
    last_alive_ns: int | None = None
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.plan = plan(self.model)
        self.data = DataFolder(self.folder)
        self.data.create()
        self.memory = MemoryStore(now_ns=self.clock.now_ns)
        times = np.arange(TODAY - 12 * DAY_NS, TODAY + 10 * DAY_NS, HOUR)
        for role in ROLES:
            self.memory.add(Tag(f"P101/{role}", f"P101/{role}"))
            self.memory.append(f"P101/{role}", times, np.sin(times / 1e14))
        self.historian = Counting(self.memory)
        self.links = {"default": Link("default", self.historian, self.clock, jitter=lambda: 0.0)}
        self.link = self.links["default"]
        self.store = HistoryStore.open(self.data.history, StoreBounds(), self.told.append)
        keep_histories(self.plan, self.links, self.store)
        self.ledger = Ledger.open(self.data.ledger, self.clock)
        self.ledger.bind(BoundModel(self.model.key, participant(self.model).binding, detail=False))
        self.start()

    def start(self) -> None:
        """As at a start of the service."""
        self.histories = Histories(
            self.plan,
            self.links,
            self.ledger,
            self.clock,
            self.last_alive_ns,
            lambda *said: self.told.append(str(said)),
        )

    async def connect(self) -> "Site":
        await self.link.use(nothing)
        return self

    async def look(self, seconds: float = 61.0) -> None:
        """A minute later, until there is nothing more to do."""
        self.clock.advance(seconds)
        while (await self.histories.look("default")).more:
            pass

    def shown(self, output: str) -> object:
        """What the plugin's own tag says now."""
        certificates = CertificateWatch(self.data.certificates / "own", self.links, {})
        state = PluginState(HeartbeatFile(self.data.heartbeat), self.links, self.ledger, certificates, self.clock)
        state.beat()
        assert state.status is not None
        return next(one.value for one in plugin_values(state.status) if one.output == output)

    def stored_days(self) -> int:
        return self.store.usage().days


async def nothing(_historian: object) -> None:
    """Only the connection is wanted."""


async def test_a_retrain_asks_the_historian_for_what_is_new_alone(tmp_path: Path) -> None:
    site = Site(tmp_path)
    place = StorePlace(site.data.models, site.data.signing_key)
    _, first = await gather(site.model, site.link, place, "")
    asked = site.historian.given
    site.historian.given = 0
    _, second = await gather(site.model, site.link, place, "")
    assert asked >= 10 * 24 * len(ROLES)
    assert site.historian.given <= 2 * 24 * len(ROLES)  # the running day, and one day that is compared
    assert all(np.array_equal(first.history[role].times, second.history[role].times) for role in ROLES)
    assert all(np.array_equal(first.history[role].values, second.history[role].values) for role in ROLES)


@pytest.mark.parametrize("url", ["file:///exports/pumps.csv", "memory://plant"])
def test_what_is_on_this_machine_anyway_is_not_stored(tmp_path: Path, url: str) -> None:
    with opened_store(plan(plan_of("P101"), url=url), DataFolder(tmp_path), print) as store:
        assert store is None
    assert not DataFolder(tmp_path).history.exists()


def test_the_plan_may_want_no_store(tmp_path: Path) -> None:
    with opened_store(plan(store=HistoryStorePlan(use=False)), DataFolder(tmp_path), print) as store:
        assert store is None


def test_a_store_that_cannot_be_opened_is_told_and_done_without(tmp_path: Path) -> None:
    told: list[str] = []
    DataFolder(tmp_path).history.write_text("a file where the folder should be")
    with opened_store(plan(), DataFolder(tmp_path), told.append) as store:
        assert store is None
    assert "cannot be used" in told[0]


async def test_a_day_is_final_after_the_longest_late_of_the_models(tmp_path: Path) -> None:
    model = plan_of("P101")
    site = Site(tmp_path, model=replace(model, score=replace(model.score, late_ns=7 * HOUR)))
    assert site.link.stored is not None
    assert site.link.stored.final_days(Span(0, TODAY + DAY_NS)).stop == TODAY // DAY_NS - 1
    assert Site(tmp_path / "other").link.stored.final_days(Span(0, TODAY)).stop == TODAY // DAY_NS  # type: ignore[union-attr]
    assert LATE_NS < 6 * HOUR


async def test_an_outage_is_a_gap_that_is_filled_when_its_day_is_over(tmp_path: Path) -> None:
    site = await Site(tmp_path).connect()
    await site.look()
    site.memory.faults.down = True
    with pytest.raises(Exception, match="went away"):
        await site.link.use(lambda historian: historian.read_current(["P101/Flow"]))
    await site.look()
    (gap,) = site.store.gaps.open_gaps("default " + STORED)
    assert gap.end_ns is None
    assert "went away" in gap.cause
    site.clock.advance(2 * 3600)
    site.memory.faults.down = False
    await site.connect()
    await site.look()
    assert site.store.gaps.totals().open == 1  # the day is not over
    await site.look(DAY_NS / SECOND)
    assert (site.store.gaps.totals().open, site.store.gaps.totals().filled) == (0, 1)
    assert site.stored_days() == len(ROLES)


async def test_the_time_without_tagsight_is_a_gap_and_its_part_beyond_the_limit_is_not_recovered(
    tmp_path: Path,
) -> None:
    site = Site(tmp_path, last_alive_ns=TODAY - 40 * DAY_NS)
    await site.connect()
    await site.look()
    await site.look()
    totals = site.store.gaps.totals()
    assert (totals.open, totals.filled, totals.not_recovered) == (1, 0, 1)
    (lost,) = site.store.gaps.newest(GapState.NOT_RECOVERED)
    assert lost.start_ns == TODAY - 40 * DAY_NS
    assert NOT_RUNNING in lost.cause
    assert any("not recovered" in one for one in site.told)
    assert any(entry.what == "history not recovered" for entry in site.ledger.audit_entries())
    assert site.stored_days() >= 30 * len(ROLES)
    await site.look(DAY_NS / SECOND)
    assert site.store.gaps.totals().filled == 1


async def test_the_plugins_tag_of_what_is_not_recovered_counts_gaps_too_and_goes_on_after_a_restart(
    tmp_path: Path,
) -> None:
    site = await Site(tmp_path, last_alive_ns=TODAY - 40 * DAY_NS).connect()
    assert site.shown("NotRecovered") == 0
    await site.look()
    assert site.shown("NotRecovered") == 1
    await site.look()
    site.store.close()
    site.store = HistoryStore.open(site.data.history, StoreBounds(), site.told.append)
    keep_histories(site.plan, site.links, site.store)
    assert site.shown("NotRecovered") == 1


async def test_a_gap_that_is_given_up_is_told_although_the_historian_fails_in_the_same_look(tmp_path: Path) -> None:
    site = await Site(tmp_path, last_alive_ns=TODAY - 40 * DAY_NS).connect()
    site.memory.faults.down = True
    with pytest.raises(NotConnected):
        await site.look(seconds=1.0)  # within the minute for which the historian's clock is believed
    assert any("not recovered" in one for one in site.told)
    assert site.shown("NotRecovered") == 1


async def test_before_the_first_attempt_to_connect_nothing_is_a_gap(tmp_path: Path) -> None:
    site = Site(tmp_path)
    await site.look()
    assert site.store.gaps.open_gaps("default " + STORED) == []


async def test_a_kill_in_an_outage_leaves_the_gap_open_and_the_next_start_ends_it(tmp_path: Path) -> None:
    site = await Site(tmp_path).connect()
    await site.look()
    site.store.gaps.begin("default " + STORED, TODAY, "link down", TODAY)
    site.last_alive_ns = TODAY + HOUR
    site.start()
    await site.look()
    assert [gap.end_ns is not None for gap in site.store.gaps.open_gaps("default " + STORED)] == [True, True]


async def test_models_that_are_not_trained_again_need_no_history(tmp_path: Path) -> None:
    site = await Site(tmp_path, model=plan_of("P101"), last_alive_ns=TODAY - 3 * DAY_NS).connect()
    await site.look()
    assert site.store.gaps.totals().open == 0
    assert site.historian.given == 0


async def test_status_shows_how_full_the_store_is_and_its_gaps(tmp_path: Path) -> None:
    site = await Site(tmp_path, last_alive_ns=TODAY - 40 * DAY_NS).connect()
    assert not any(
        "history store" in line for line in status_lines(site.ledger, DataFolder(tmp_path / "no"), site.clock)
    )
    await site.look()
    await site.look()
    lines = list(status_lines(site.ledger, site.data, site.clock))
    assert (
        "history store: 0.1 MB of 20.0 GB; 60 days of 2 tags, 2025-10-09 to 2025-11-07; 0 damaged, 0 changed afterwards"
        in lines
    )
    assert "history gaps: 1 open, 0 filled, 1 not recovered" in lines
    assert any(line.startswith("  not recovered: all tags, 2025-09-29") for line in lines)

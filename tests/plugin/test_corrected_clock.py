"""A historian's clock that was ahead and is set right: what was scored in its future is taken back, nothing waits."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from tagsight.ledger.records import DeliveryState
from tagsight_connectors.quality import Quality, quality_of
from tests.plugin.small_site import MINUTE, START, Site

HOUR = 60
DAY = 24 * HOUR


@dataclass
class Ahead:
    """A site whose historian's clock can be set; the samples keep their true times."""

    site: Site

    def __post_init__(self) -> None:
        self.true_now = self.site.store.now_ns
        self.wrong_ns = 0
        self.site.store.now_ns = lambda: self.true_now() + self.wrong_ns

    def set(self, minutes: int) -> None:
        """So far ahead from now on."""
        self.wrong_ns = minutes * MINUTE

    async def minutes(self, count: int) -> None:
        await self.site.minutes(count)

    @property
    def good(self) -> list[int]:
        """Due times with a score."""
        return [(run.due_ns - START) // MINUTE for run in self.site.runs() if run.score is not None]

    @property
    def newest(self) -> int:
        """Due time of what operators see."""
        row = self.site.ledger.newest_row("P101/Health", "score")
        return (row.row.due_ns - START) // MINUTE if row else -1


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[Ahead]:
    site = Site(tmp_path)
    yield Ahead(site)
    site.ledger.close()


@pytest.mark.parametrize("by", [2 * HOUR, pytest.param(DAY, marks=pytest.mark.slow)], ids=["two-hours", "day"])
async def test_a_clock_that_was_ahead_and_is_set_right_does_not_stop_scoring(ahead: Ahead, by: int) -> None:
    await ahead.minutes(5)
    ahead.set(by)
    await ahead.minutes(20)
    assert max(ahead.site.ledger.watermarks().values()) > START + by * MINUTE
    ahead.set(0)
    await ahead.minutes(20)
    assert ahead.good == list(range(1, 46))
    assert ahead.site.dues() == list(range(1, 46))
    assert ahead.newest == 45
    assert quality_of(ahead.site.outputs()["Score"].status) is Quality.GOOD
    assert ahead.site.ledger.doubted_since() == {}
    assert ahead.site.ledger.backlogs() == ()


async def test_what_was_taken_back_is_told_and_kept_in_the_audit_trail(ahead: Ahead) -> None:
    await ahead.minutes(5)
    ahead.set(2 * HOUR)
    await ahead.minutes(5)
    ahead.set(0)
    await ahead.minutes(5)
    assert any("taken back" in why for _what, why in ahead.site.troubles)
    entries = [one.detail for one in ahead.site.ledger.audit_entries() if one.what == "retracted"]
    assert sorted(detail.partition(":")[0] for detail in entries) == ["P101/Health", "P102/Health"]
    assert ahead.site.ledger.retractions() == 2
    ahead.site.ledger.verify_audit()


async def test_a_start_between_the_error_and_its_correction_changes_nothing(tmp_path: Path) -> None:
    first = Ahead(Site(tmp_path))
    await first.minutes(5)
    first.set(2 * HOUR)
    await first.minutes(5)
    first.site.ledger.close()
    again = Ahead(Site(tmp_path, clock=first.site.clock))
    await again.minutes(12)
    assert again.good == list(range(1, 23))
    again.site.ledger.close()


async def test_a_clock_that_was_ahead_before_the_first_score_is_followed_when_it_is_set_right(ahead: Ahead) -> None:
    ahead.set(2 * HOUR)
    await ahead.minutes(5)
    ahead.set(0)
    await ahead.minutes(5)
    assert ahead.good[-3:] == [8, 9, 10]
    assert ahead.newest == 10


async def test_alarms_of_before_stay_and_alarms_of_a_time_that_has_not_come_go(ahead: Ahead) -> None:
    site = ahead.site
    site.store.append("P101/Flow", START + MINUTE * np.arange(1, 8) + 1, np.full(7, 90.0))
    site.store.append("P101/Flow", START + MINUTE * (2 * HOUR + np.arange(0, 30)), np.full(30, 90.0))
    site.store.append("P101/Pressure", START + MINUTE * (2 * HOUR + np.arange(0, 30)), np.full(30, 51.0))
    await ahead.minutes(6)
    (before,) = site.ledger.activations(0, 2**62)
    ahead.set(2 * HOUR)
    await ahead.minutes(20)
    ahead.set(0)
    await ahead.minutes(5)
    (after,) = site.ledger.activations(0, 2**62)
    assert (after.since_ns, after.announced_ns) == (before.since_ns, before.announced_ns)
    assert after.cleared_ns is None or after.cleared_ns <= START + 31 * MINUTE


async def test_results_owed_for_a_time_that_has_not_come_are_given_up_and_counted(ahead: Ahead) -> None:
    site = ahead.site
    site.ticker.destinations = {"P101/Health": "write:default"}
    await ahead.minutes(5)
    ahead.set(2 * HOUR)
    await ahead.minutes(5)
    ahead.set(0)
    await ahead.minutes(2)
    assert site.ledger.counters().not_recovered > 0
    pending = site.ledger.pending("write:default", 10_000)
    assert max(one.row.due_ns for one in pending) <= START + 12 * MINUTE
    assert site.ledger.deliveries_in(DeliveryState.PENDING) == len(pending)


async def test_a_clock_that_goes_back_without_having_been_doubted_takes_nothing_back_and_says_that_it_waits(
    ahead: Ahead,
) -> None:
    await ahead.minutes(60)
    ahead.set(-40)
    await ahead.minutes(10)
    assert ahead.good == list(range(1, 62))  # the tick that noticed it had begun before
    assert quality_of(ahead.site.outputs()["Score"].status) is Quality.BAD
    assert "went back" in str(ahead.site.outputs()["Reason"].value)
    assert sum("went back" in why for _what, why in ahead.site.troubles) == 1
    ahead.set(0)
    await ahead.minutes(12)
    assert ahead.good == list(range(1, 83))
    assert quality_of(ahead.site.outputs()["Score"].status) is Quality.GOOD


async def test_a_clock_that_is_believed_again_without_a_correction_keeps_everything(ahead: Ahead) -> None:
    await ahead.minutes(5)
    ahead.site.clock.step(-HOUR * 60.0)  # this machine's clock was wrong, not the historian's
    await ahead.minutes(5)
    assert ahead.site.ledger.doubted_since().keys() == {"P101/Health", "P102/Health"}
    ahead.site.clock.step(HOUR * 60.0)
    await ahead.minutes(5)
    assert ahead.site.ledger.doubted_since() == {}
    assert ahead.site.ledger.retractions() == 0
    assert ahead.site.dues() == list(range(1, 16))

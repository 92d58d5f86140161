"""Values that no sensor of a healthy plant tells: no exception, and never a Good score that says normal."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagsight.alarms import LIMIT
from tagsight.results import Run
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.tag import DataType, Tag
from tagsight_models.frame import Floats
from tests.plugin.small_site import LEARNED, MINUTE, ROLES, START, UNLEARNED, Site, participant, plan_of

ADDRESSES = [f"{asset}/{role}" for asset in ("P101", "P102") for role in ROLES]
POISONS = {"nan": np.nan, "inf": np.inf, "minus-inf": -np.inf, "1e308": 1e308, "minus-1e308": -1e308, "1e300": 1e300}

Change = Callable[[Floats, Floats], Floats]
"""Minutes after START and values to what the first role of P101 has instead."""


def _site(folder: Path, change: Change, **fields: Any) -> Site:
    site = Site(folder, stored=False, **fields)
    for address in ADDRESSES:
        times, values = Site.samples(address)
        minutes = (times - START) / MINUTE
        site.store.append(address, times, change(minutes, values) if address == "P101/Flow" else values)
    return site


def _says_normal(run: Run) -> bool:
    return quality_of(run.quality) is Quality.GOOD and run.score is not None and run.score <= LIMIT


def _holds(site: Site) -> None:
    """What every poison leaves alone: the outputs are numbers, the other pump is scored, nobody complains."""
    for asset in ("P101", "P102"):
        assert np.isfinite(float(site.outputs(asset)["Score"].value or 0.0))
    assert all(_says_normal(run) for run in site.runs("P102"))
    assert site.troubles == []
    site.ledger.close()


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
async def test_a_single_poisoned_value_is_not_scored_and_the_windows_with_it_are_not_good(
    tmp_path: Path, poison: float
) -> None:
    site = _site(tmp_path, lambda minutes, values: np.where(minutes == 2, poison, values), limits=LEARNED)
    await site.tick()
    await site.minutes(14)
    runs = site.runs()
    assert (runs[2].score, quality_of(runs[2].quality)) == (None, Quality.BAD)
    assert "Flow" in runs[2].reason
    assert [quality_of(run.quality) for run in runs[3:12]] == [Quality.UNCERTAIN] * 9
    assert [_says_normal(run) for run in runs] == [True] * 2 + [False] * 10 + [True] * 3
    _holds(site)


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
async def test_where_no_limit_was_learned_a_poisoned_value_is_not_scored_or_is_abnormal(
    tmp_path: Path, poison: float
) -> None:
    site = _site(tmp_path, lambda minutes, values: np.where(minutes == 2, poison, values), limits=UNLEARNED)
    await site.tick()
    await site.minutes(2)
    assert not _says_normal(site.runs()[2])
    _holds(site)


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
async def test_a_sensor_that_is_poisoned_for_good_is_never_normal_again(tmp_path: Path, poison: float) -> None:
    site = _site(tmp_path, lambda minutes, values: np.where(minutes >= 2, poison, values), limits=LEARNED)
    await site.tick()
    await site.minutes(20)
    assert [_says_normal(run) for run in site.runs()] == [True] * 2 + [False] * 19
    _holds(site)


@pytest.mark.parametrize("factor", [1_000.0, 0.001], ids=["x1000", "x0.001"])
async def test_a_jump_of_the_unit_is_never_scored_as_normal_and_becomes_an_alarm(tmp_path: Path, factor: float) -> None:
    site = _site(tmp_path, lambda minutes, values: np.where(minutes >= 2, values * factor, values), limits=LEARNED)
    await site.tick()
    await site.minutes(20)
    assert [_says_normal(run) for run in site.runs()] == [True] * 2 + [False] * 19
    assert [one.model for one in site.ledger.activations(0, START + 100 * MINUTE)] == ["P101/Health"]
    _holds(site)


async def test_a_sensor_that_stands_still_is_not_scored_once_it_is_longer_than_ever_in_training(tmp_path: Path) -> None:
    site = _site(tmp_path, lambda minutes, values: np.where(minutes >= 2, 50.0, values), limits=LEARNED)
    await site.tick()
    await site.minutes(20)
    after = site.runs()[2 + 10 :]
    assert {quality_of(run.quality) for run in after} == {Quality.BAD}
    assert all(run.score is None and run.reason == "flat line: Flow" for run in after)
    _holds(site)


@pytest.mark.parametrize("became", ["stopped", "51.3", "", True], ids=["state", "digits", "empty", "boolean"])
async def test_a_number_that_becomes_a_text_is_not_scored_until_numbers_come_again(
    tmp_path: Path,
    became: object,
) -> None:
    site = _site(tmp_path, lambda _minutes, values: values, limits=LEARNED)
    site.store.add(Tag("P101/Mixed", "P101/Mixed", data_type=DataType.TEXT))
    times, numbers = Site.samples("P101/Flow")
    values = numbers.astype(object)
    values[(times >= START + 2 * MINUTE) & (times < START + 6 * MINUTE)] = became
    site.store.append("P101/Mixed", times, values)
    addresses = {"Flow": "P101/Mixed", "Pressure": "P101/Pressure"}
    site.participants[0] = participant(plan_of("P101"), addresses, LEARNED)
    await site.tick()
    await site.minutes(20)
    runs = site.runs()
    assert not any(_says_normal(run) for run in runs[2:15])
    assert all(_says_normal(run) for run in (*runs[:2], *runs[16:]))
    assert all(run.score is None or run.score > LIMIT for run in runs[2:6])
    _holds(site)

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import numpy as np
import pytest

from tagsight.errors import StorageError
from tagsight.explaining import AT_ONCE, Explainer
from tagsight.results import Run
from tagsight_connectors.quality import Quality, quality_of
from tests.plugin.small_site import MINUTE, START, Site


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    yield made
    made.ledger.close()


@pytest.fixture
def explainer(site: Site) -> Explainer:
    plans = {one.plan.key: one.plan for one in site.participants}
    return Explainer(site.worker, site.ticker.place, site.ledger, {}, plans)  # type: ignore[arg-type]


async def _minutes(site: Site, explainer: Explainer, count: int) -> None:
    for _ in range(count):
        site.clock.advance(60.0)
        explainer.add((await site.ticker.tick(site.participants)).explainable)


def _failures(runs: list[Run]) -> list[str | None]:
    return [run.explanation.failure if run.explanation else None for run in runs]


async def test_every_scored_run_is_explained_and_its_parts_sum_to_its_score(site: Site, explainer: Explainer) -> None:
    await _minutes(site, explainer, 2)
    while await explainer.step():
        pass
    for run in (*site.runs("P101"), *site.runs("P102")):
        assert run.explanation is not None
        assert run.score == pytest.approx(run.explanation.base + sum(run.explanation.contributions.values()))
    assert explainer.waiting == 0


async def test_the_most_abnormal_run_is_explained_first(site: Site, explainer: Explainer) -> None:
    site.store.append("P102/Flow", np.array([START + MINUTE + 1]), np.array([80.0]))
    site.store.append("P102/Flow", np.array([START + 2 * MINUTE + 1]), np.array([80.0]))
    await _minutes(site, explainer, 3)
    assert await explainer.step()
    assert site.runs("P102")[-1].explanation is not None
    assert site.runs("P101")[-1].explanation is None


async def test_old_normal_runs_give_way_and_say_so_when_time_is_short(site: Site, explainer: Explainer) -> None:
    await _minutes(site, explainer, 5)
    while await explainer.step():
        pass
    assert _failures(site.runs("P101")) == ["no time before the next scoring"] * 3 + ["", ""]
    assert site.worker.explained == 4


async def test_a_long_backlog_of_abnormal_runs_is_explained_in_portions(site: Site, explainer: Explainer) -> None:
    site.store.append("P101/Flow", START + MINUTE * np.arange(1, 60) + 1, np.full(59, 90.0))
    await _minutes(site, explainer, AT_ONCE + 5)
    assert await explainer.step() == AT_ONCE + 1  # the first run is normal and gives way
    while await explainer.step():
        pass
    assert None not in _failures(site.runs("P101"))


async def test_a_worker_that_fails_leaves_the_score_and_a_reason(site: Site, explainer: Explainer) -> None:
    await _minutes(site, explainer, 1)
    site.worker.failing = {"P101/Health"}
    while await explainer.step():
        pass
    assert _failures(site.runs("P101")) == ["took longer than 2 s; its process was replaced"]
    assert _failures(site.runs("P102")) == [""]
    assert quality_of(site.outputs("P101")["Score"].status) is Quality.GOOD
    assert quality_of(site.outputs("P101")["Message"].status) is Quality.UNCERTAIN


async def test_a_ledger_that_is_full_keeps_the_runs_waiting(
    site: Site, explainer: Explainer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _minutes(site, explainer, 2)

    def full(_record: object) -> NoReturn:
        raise StorageError(what="the ledger cannot be written: no space left", mend="Make room.")

    with monkeypatch.context() as broken:
        broken.setattr(site.ledger, "record", full)
        with pytest.raises(StorageError):
            await explainer.step()
    assert explainer.waiting == 4
    while await explainer.step():
        pass
    assert _failures(site.runs("P101")) == _failures(site.runs("P102")) == ["", ""]

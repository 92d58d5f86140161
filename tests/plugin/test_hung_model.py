"""50 models on real workers, one of which hangs: the others are scored and explained, and the hung one says so."""

from pathlib import Path

import pytest

from tagsight.clocks import SystemClock
from tagsight.explaining import Explainer
from tagsight.workers import Worker
from tagsight_connectors.quality import Quality, quality_of
from tests.plugin.hung_tasks import HUNG, tasks
from tests.plugin.small_site import Site

ASSETS = [f"P{number:03d}" for number in range(50)]
MODELS = {f"{asset}/Health" for asset in ASSETS}
DEADLINE_S = 8.0
"""Of one task; starting a process on a busy machine is part of it."""


@pytest.mark.slow
async def test_with_one_hung_model_of_fifty_no_due_time_is_without_an_entry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight.tick.SECONDS_AT_LEAST", DEADLINE_S)
    monkeypatch.setattr("tagsight.tick.SECONDS_A_TASK", 0.01)
    site = Site(tmp_path, assets=ASSETS)
    worker = Worker("scoring", tasks, SystemClock())
    site.ticker.worker = worker
    await site.tick()
    (tmp_path / "hangs").touch()
    await site.minutes(1)
    (tmp_path / "hangs").unlink()
    before = {asset: site.runs(asset) for asset in ASSETS}
    await site.minutes(1)
    await worker.close()
    assert all(site.dues(asset) == [0, 1, 2] for asset in ASSETS)
    hung = before[HUNG.partition("/")[0]][1]
    assert (hung.score, quality_of(hung.quality)) == (None, Quality.BAD)
    assert f"took longer than {DEADLINE_S:g} s" in hung.reason
    assert all(before[asset][1].score == 0.5 for asset in ASSETS if f"{asset}/Health" != HUNG)
    assert all(run.score == 0.5 for asset in ASSETS for run in site.runs(asset))  # the young one was scored again
    assert site.ledger.counters().missed == 0
    site.ledger.close()


@pytest.mark.slow
async def test_a_hung_explanation_is_recorded_as_failed_and_every_other_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight.explaining._SECONDS_SPARE", DEADLINE_S)
    site = Site(tmp_path, assets=ASSETS)
    done = await site.ticker.tick(site.participants)
    (tmp_path / "hangs").touch()
    worker = Worker("explaining", tasks, SystemClock())
    plans = {one.plan.key: one.plan for one in site.participants}
    explainer = Explainer(worker, site.ticker.place, site.ledger, {}, plans)
    explainer.add(done.explainable)
    while await explainer.step():
        pass
    await worker.close()
    found = {f"{asset}/Health": site.runs(asset)[0].explanation for asset in ASSETS}
    assert found.keys() == MODELS
    assert all(one is not None for one in found.values())
    assert {model for model, one in found.items() if one is not None and one.failure} == {HUNG}
    site.ledger.close()

"""Explanations that a kill has cut off: the young ones are made after the start, the others say why not."""

from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from tagsight.cut_off import CutOff
from tagsight.explaining import Explainer
from tagsight.recording import EXPLAINED_LATER
from tagsight.results import Run
from tagsight_connectors.errors import NotConnected
from tests.plugin.small_site import MINUTE, START, Site

ENDED = "TagSight ended before it was explained"


@pytest.fixture
async def killed(tmp_path: Path) -> AsyncIterator[Site]:
    """20 minutes were scored, nothing was explained, and TagSight starts again."""
    first = Site(tmp_path)
    await first.minutes(20)
    first.ledger.close()
    made = Site(tmp_path, clock=first.clock)
    yield made
    made.ledger.close()


def _starting(site: Site) -> CutOff:
    plans = {one.plan.key: one.plan for one in site.participants}
    explainer = Explainer(site.worker, site.ticker.place, site.ledger, {}, plans)  # type: ignore[arg-type]
    cut_off = CutOff(site.ticker, explainer)
    cut_off.look(plans, _participants(site))
    return cut_off


def _participants(site: Site) -> dict[str, object]:
    return {one.plan.key: one for one in site.participants}


async def _explained(site: Site, cut_off: CutOff) -> list[Run]:
    await cut_off.explain(_participants(site))  # type: ignore[arg-type]
    while await cut_off.explainer.step():
        pass
    return site.runs("P101")


def _failures(runs: list[Run]) -> list[str | None]:
    return [run.explanation.failure if run.explanation else None for run in runs]


async def test_the_newest_runs_of_the_last_hour_are_explained_after_a_kill_and_older_ones_say_why_not(
    killed: Site,
) -> None:
    runs = await _explained(killed, _starting(killed))
    assert _failures(runs) == [ENDED] * (20 - EXPLAINED_LATER) + [""] * EXPLAINED_LATER
    last = runs[-1]
    assert last.explanation is not None
    assert last.score == pytest.approx(sum(last.explanation.contributions.values()))
    assert not any(run.revised for run in runs)
    assert killed.dues() == list(range(1, 21))


async def test_what_is_older_than_an_hour_is_not_explained_any_more(killed: Site) -> None:
    killed.clock.advance(3_600.0 - 5 * 60.0)
    assert _failures(await _explained(killed, _starting(killed))) == [ENDED] * 14 + [""] * 6


async def test_a_run_whose_samples_have_changed_since_is_not_given_another_runs_explanation(killed: Site) -> None:
    cut_off = _starting(killed)
    killed.store.append("P101/Flow", np.array([START + 19 * MINUTE]), np.array([57.0]))
    assert _failures(await _explained(killed, cut_off))[-3:] == ["", ENDED, ENDED]


async def test_a_historian_that_is_down_at_the_start_is_waited_for(killed: Site) -> None:
    killed.store.faults.down = True
    cut_off = _starting(killed)
    with pytest.raises(NotConnected):
        await _explained(killed, cut_off)
    killed.store.faults.down = False
    killed.clock.advance(31.0)
    assert _failures(await _explained(killed, cut_off))[-1] == ""


async def test_a_tag_that_can_no_longer_be_read_leaves_its_runs_unexplained_and_that_is_told(killed: Site) -> None:
    cut_off = _starting(killed)
    killed.store.faults.unreadable.add("P101/Flow")
    assert set(_failures(await _explained(killed, cut_off))) == {ENDED}
    assert _failures(killed.runs("P102"))[-1] == ""
    assert any("stay unexplained" in why for _what, why in killed.troubles)

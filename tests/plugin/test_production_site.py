"""A model of production in the service: trained, scored with its loss and its advice, explained as it was written."""

import numpy as np
import pytest

from tagsight.fitting import compute
from tagsight.job_plans import ProductionPlan
from tagsight.plan import Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.scoring import Scorer
from tagsight.scoring_task import ScoreTask, StorePlace
from tagsight.training import TrainTask
from tagsight_connectors.history import TagHistory
from tagsight_explain.settings import ExplainSettings
from tagsight_models.frame import Floats, Role
from tests.plugin.minutes import MINUTE, START, histories
from tests.plugin.model_pages import checked_page, checked_time

STEPS = 4_000
ROLES = ("Feed", "Cooling", "Weather", "Rate")


def values() -> Floats:
    """The rate rises with feed and cooling and falls with the weather; shape (steps, roles)."""
    random = np.random.default_rng(2)
    slow = np.zeros((STEPS, 3))
    for step in range(1, STEPS):
        slow[step] = 0.95 * slow[step - 1] + 0.3 * random.normal(size=3)
    feed, cooling, weather = 100.0 + 3.0 * slow[:, 0], 20.0 + slow[:, 1], 15.0 + 2.0 * slow[:, 2]
    rate = 0.8 * feed + 1.5 * cooling - 0.5 * weather + 0.2 * random.normal(size=STEPS)
    return np.stack([feed, cooling, weather, rate], axis=1)


VALUES = values()


def history(first: int, last: int) -> dict[str, TagHistory]:
    return histories(VALUES, ROLES, first, last)


def plan() -> ModelPlan:
    return ModelPlan(
        asset="Line",
        name="Rate",
        job=Job.PRODUCTION,
        historian="default",
        inputs=("Line/*",),
        train=TrainPlan(start_ns=START, end_ns=START + STEPS * MINUTE, at_most_seconds=20.0),
        score=ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=12),
        of_job=ProductionPlan("Line/Rate", adjustable={"Cooling": (16.0, 24.0)}, conditions=("Feed", "Weather")),
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StorePlace:
    folder = tmp_path_factory.mktemp("production")
    place = StorePlace(folder / "models", folder / "key")
    task = TrainTask(
        plan=plan(),
        place=place,
        roles=tuple(Role(role) for role in ROLES),
        history=history(0, STEPS),
        operands={},
        span=(START, START + STEPS * MINUTE),
        plan_hash="0" * 64,
    )
    outcome = compute(task, lambda _share, _words: None)
    assert not outcome.trial
    assert {"Prediction", "Best", "Loss", "Gain", "Advice/Cooling"} <= {one.name for one in outcome.outputs}
    return place


def test_little_cooling_is_found_as_what_costs_production_and_more_of_it_is_advised(place: StorePlace) -> None:
    step = int(VALUES[100:3900, 1].argmin()) + 100
    asked = ScoreTask(
        plan(), tuple(Role(role) for role in ROLES), history(step - 60, step + 1), {}, (START + step * MINUTE,)
    )
    scorer = Scorer(place)
    scored = scorer.score(asked)
    results = scored[0].run.results
    assert float(results["Loss"]) > 0.0
    assert float(results["Advice/Cooling"]) > VALUES[step, 1]
    assert float(results["Gain"]) > 0.0
    (run,) = scorer.explain("Line/Rate", scored, ExplainSettings())
    assert run.explanation is not None
    assert not run.explanation.failure
    assert max(run.explanation.contributions, key=lambda role: run.explanation.contributions[role]) == "Cooling"  # type: ignore[union-attr]


def test_the_version_has_a_page_and_its_contributions_lie_in_time(place: StorePlace) -> None:
    assert "limits and advice" in checked_page(place, "Line/Rate")
    scorer, step = Scorer(place), int(VALUES[100:3900, 1].argmin()) + 100
    asked = ScoreTask(
        plan(), tuple(Role(role) for role in ROLES), history(step - 60, step + 1), {}, (START + step * MINUTE,)
    )
    checked_time(scorer, "Line/Rate", scorer.score(asked)[0])

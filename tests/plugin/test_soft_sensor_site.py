"""A soft sensor in the service: trained from a task, corrected by laboratory values, explained as it was written."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tagsight.fitting import compute
from tagsight.job_plans import QualityPlan
from tagsight.laboratory import Laboratory
from tagsight.plan import AlarmPlan, Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.scoring import Scorer
from tagsight.scoring_task import LabReading, ScoreTask, StorePlace
from tagsight.training import TrainTask
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.quality import BAD, GOOD
from tagsight_explain.settings import ExplainSettings
from tagsight_models.frame import Floats, Role
from tests.plugin.minutes import MINUTE, START, histories
from tests.plugin.model_pages import checked_page, checked_time

STEPS, EVERY = 6_000, 30
ROLES = ("Feed", "Temperature", "Pressure")
OFFSET = 2.0
LAB_VALUES = 30


def plant(steps: int) -> Floats:
    """Shape (steps, roles): slow random walks."""
    random = np.random.default_rng(7)
    noise = random.normal(size=(steps, len(ROLES)))
    found = np.zeros_like(noise)
    for step in range(1, steps):
        found[step] = 0.95 * found[step - 1] + 0.3 * noise[step]
    return np.asarray(found + np.array([50.0, 20.0, 5.0]))


VALUES = plant(STEPS + 2_000)


def truth(step: int) -> float:
    feed, temperature, pressure = VALUES[step]
    return float(0.5 * feed + 2.0 * temperature - pressure)


def history(first: int, last: int) -> dict[str, TagHistory]:
    return histories(VALUES, ROLES, first, last)


def laboratory(steps: range, offset: float = 0.0) -> TagHistory:
    random = np.random.default_rng(3)
    values = np.array([truth(step) + offset + 0.05 * random.normal() for step in steps])
    times = START + np.array(steps, dtype=np.int64) * MINUTE
    return TagHistory(times, values, np.full(len(values), GOOD, dtype=np.uint32))


def model_plan() -> ModelPlan:
    middle = truth(0)
    return ModelPlan(
        asset="C1",
        name="Viscosity",
        job=Job.QUALITY,
        historian="default",
        inputs=("C1/*",),
        train=TrainPlan(start_ns=START, end_ns=START + STEPS * MINUTE, at_most_seconds=20.0),
        score=ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=12),
        alarm=AlarmPlan(),
        of_job=QualityPlan("Lab/Viscosity", delay_ns=0, low=middle - 8.0, high=middle + 8.0),
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StorePlace:
    folder = tmp_path_factory.mktemp("soft-sensor")
    place = StorePlace(folder / "models", folder / "key")
    task = TrainTask(
        plan=model_plan(),
        place=place,
        roles=tuple(Role(role) for role in ROLES),
        history=history(0, STEPS),
        operands={},
        span=(START, START + STEPS * MINUTE),
        plan_hash="0" * 64,
        target=laboratory(range(EVERY, STEPS, EVERY)),
    )
    outcome = compute(task, lambda _share, _words: None)
    assert outcome.approved
    assert {one.name for one in outcome.outputs} >= {"Prediction", "Lower", "Upper", "Bias"}
    return place


def score_task(step: int, readings: tuple[LabReading, ...] = ()) -> ScoreTask:
    return ScoreTask(
        plan=model_plan(),
        roles=tuple(Role(role) for role in ROLES),
        history=history(step - 60, step + 1),
        operands={},
        due=(START + step * MINUTE,),
        laboratory=readings,
    )


def readings(step: int, offset: float) -> tuple[LabReading, ...]:
    found = laboratory(range(step - 20 * EVERY, step, EVERY), offset)
    return tuple(
        LabReading(
            int(time), float(value), history(int((time - START) // MINUTE) - 60, int((time - START) // MINUTE) + 1)
        )
        for time, value in zip(found.times, found.values, strict=True)
    )


def test_the_prediction_is_near_the_truth_and_follows_the_laboratory_when_that_moves_away(place: StorePlace) -> None:
    scorer, step = Scorer(place), STEPS + 900
    (alone,), (followed,) = scorer.score(score_task(step)), scorer.score(score_task(step, readings(step, OFFSET)))
    assert alone.run.results["Prediction"] == pytest.approx(truth(step), abs=0.5)
    bias = followed.run.results["Bias"]
    assert 0.2 * OFFSET < float(bias) < 1.2 * OFFSET
    assert followed.run.results["Prediction"] == pytest.approx(float(alone.run.results["Prediction"]) + float(bias))
    assert followed.run.score != alone.run.score


def test_the_explanation_adds_up_to_the_corrected_score_that_was_written(place: StorePlace) -> None:
    scorer, step = Scorer(place), STEPS + 900
    runs = [*scorer.score(score_task(step)), *scorer.score(score_task(step, readings(step, OFFSET)))]
    for run in scorer.explain("C1/Viscosity", runs, ExplainSettings()):
        assert run.explanation is not None
        assert not run.explanation.failure
        total = run.explanation.base + sum(run.explanation.contributions.values())
        assert total == pytest.approx(run.score, rel=1e-4, abs=1e-4)


def test_a_laboratory_value_whose_inputs_are_missing_does_not_count(place: StorePlace) -> None:
    step = STEPS + 900
    empty = {
        role: TagHistory(*(each[:0] for each in (one.times, one.values, one.status)))
        for role, one in history(0, 1).items()
    }
    (alone,) = Scorer(place).score(score_task(step))
    (same,) = Scorer(place).score(
        score_task(step, tuple(replace(one, history=empty) for one in readings(step, OFFSET)))
    )
    assert same.run.results == alone.run.results


async def test_what_was_read_of_the_laboratory_is_read_once_and_a_corrected_value_counts() -> None:
    asked: list[int] = []
    values = laboratory(range(0, 50 * EVERY, EVERY))

    async def target(span: Span) -> TagHistory:
        inside = (values.times >= span.start_ns) & (values.times < span.end_ns)
        return TagHistory(values.times[inside], values.values[inside], values.status[inside])

    async def inputs(time_ns: int) -> Mapping[str, TagHistory]:
        asked.append(time_ns)
        return {}

    kept, span = Laboratory(), Span(START, START + 40 * EVERY * MINUTE + 1)
    first = await kept.readings(span, target, inputs, LAB_VALUES)
    assert len(first) == LAB_VALUES
    assert len(asked) == LAB_VALUES
    assert await kept.readings(span, target, inputs, LAB_VALUES) == first
    values.values[40] += 1.0
    values.status[39] = BAD
    later = await kept.readings(span, target, inputs, LAB_VALUES)
    assert later[-1].value == first[-1].value + 1.0
    assert first[-2].sampled_ns not in {one.sampled_ns for one in later}
    assert len(asked) == LAB_VALUES + 1  # one older value took the place of the bad one


def test_the_version_has_a_page_and_its_contributions_lie_in_time(place: StorePlace) -> None:
    assert "Prediction and laboratory" in checked_page(place, "C1/Viscosity")
    scorer, step = Scorer(place), STEPS + 900
    checked_time(scorer, "C1/Viscosity", scorer.score(score_task(step, readings(step, OFFSET)))[0])

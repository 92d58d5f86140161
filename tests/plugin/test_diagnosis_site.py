"""A diagnosis in the service: trained from labels, named, explained as it was written."""

from pathlib import Path

import numpy as np
import pytest

from tagsight.fitting import compute
from tagsight.job_plans import DiagnosisPlan, LabelsPlan
from tagsight.plan import Job, ModelPlan, ScorePlan, TrainPlan
from tagsight.scoring import Scorer
from tagsight.scoring_task import ScoreTask, StorePlace
from tagsight.training import TrainTask
from tagsight_connectors.history import TagHistory
from tagsight_explain.settings import ExplainSettings
from tagsight_models.errors import ModelError
from tagsight_models.frame import Floats, Role
from tagsight_models.training_data import LabelledPeriod
from tests.plugin.minutes import MINUTE, START, histories
from tests.plugin.model_pages import checked_page, checked_time

ROLES = ("Flow", "Pressure", "Vibration")
PART, PARTS = 400, 9
STATES = ("normal", "bearing", "leak") * 3


def values() -> Floats:
    """Nine parts one after the other: normal, worn bearing, leak, and so on; shape (steps, roles)."""
    random = np.random.default_rng(5)
    found = random.normal(size=(PART * PARTS, 3)) + np.array([50.0, 10.0, 2.0])
    for part, state in enumerate(STATES):
        rows = slice(part * PART, (part + 1) * PART)
        found[rows, 2] += 4.0 * (state == "bearing")
        found[rows, :2] -= np.array([5.0, 3.0]) * (state == "leak")
    return found


VALUES = values()


def history(first: int, last: int) -> dict[str, TagHistory]:
    return histories(VALUES, ROLES, first, last)


def plan() -> ModelPlan:
    return ModelPlan(
        asset="P101",
        name="Fault",
        job=Job.DIAGNOSIS,
        historian="default",
        inputs=("P101/*",),
        train=TrainPlan(start_ns=START, end_ns=START + PART * PARTS * MINUTE, at_most_seconds=20.0),
        score=ScorePlan(every_ns=MINUTE, grid_ns=MINUTE, window_steps=20),
        of_job=DiagnosisPlan(LabelsPlan()),
    )


def task(folder: Path, states: tuple[str, ...] = STATES) -> TrainTask:
    labels = tuple(
        LabelledPeriod(START + n * PART * MINUTE, START + (n + 1) * PART * MINUTE, state)
        for n, state in enumerate(states)
    )
    return TrainTask(
        plan=plan(),
        place=StorePlace(folder / "models", folder / "key"),
        roles=tuple(Role(role) for role in ROLES),
        history=history(0, PART * PARTS),
        operands={},
        span=(START - MINUTE, START + (PART * PARTS - 1) * MINUTE),
        plan_hash="0" * 64,
        labels=labels,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> StorePlace:
    made = task(tmp_path_factory.mktemp("diagnosis"))
    outcome = compute(made, lambda _share, _words: None)
    assert outcome.outputs[0].name == "Class"
    return made.place


@pytest.mark.parametrize(
    ("step", "state"), [(3 * PART - 100, "leak"), (2 * PART - 100, "bearing"), (PART - 100, "normal")]
)
def test_a_known_fault_is_named_and_its_explanation_adds_up_to_the_score_that_was_written(
    place: StorePlace, step: int, state: str
) -> None:
    asked = ScoreTask(
        plan=plan(),
        roles=tuple(Role(role) for role in ROLES),
        history=history(step - 60, step + 1),
        operands={},
        due=(START + step * MINUTE,),
    )
    scorer = Scorer(place)
    scored = scorer.score(asked)
    assert scored[0].run.results["Class"] == state
    assert (scored[0].run.score or 0.0) > 1.0 if state != "normal" else (scored[0].run.score or 0.0) < 1.0
    (run,) = scorer.explain("P101/Fault", scored, ExplainSettings())
    assert run.explanation is not None
    assert not run.explanation.failure
    leading = max(run.explanation.contributions, key=lambda role: run.explanation.contributions[role])  # type: ignore[union-attr]
    assert state == "normal" or leading in {"leak": ("Flow", "Pressure"), "bearing": ("Vibration",)}[state]


def test_the_version_has_a_page_and_its_contributions_lie_in_time(place: StorePlace) -> None:
    assert "Expected and actual" in checked_page(place, "P101/Fault")
    scorer, step = Scorer(place), 3 * PART - 100
    asked = ScoreTask(
        plan(), tuple(Role(role) for role in ROLES), history(step - 60, step + 1), {}, (START + step * MINUTE,)
    )
    checked_time(scorer, "P101/Fault", scorer.score(asked)[0])


def test_one_class_only_is_refused_with_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="one class only"):
        compute(task(tmp_path, ("normal",) * PARTS), lambda _share, _words: None)

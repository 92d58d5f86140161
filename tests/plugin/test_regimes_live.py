"""A machine that is set to what the training did not hold is not judged: no alarm, and the reason in words."""

import numpy as np
import pytest

from tagsight.outputs import Circumstances, score_row
from tagsight.results import State
from tagsight.scoring import _scored
from tagsight.scoring_task import ScoredRun, ScoreTask
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import GOOD, Quality, quality_of
from tagsight_models.frame import Floats
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.jobs import train
from tagsight_models.model_store import Loaded
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, frame_of
from tests.plugin.small_site import START, plan_of

NAMES = ("role0", "role1", "role2")


def graded(grade: Floats, seed: int) -> Floats:
    """Two roles that follow a grade, and the grade."""
    noise = np.random.default_rng(seed).normal(size=(len(grade), 2))
    return np.column_stack([noise + grade[:, None] * np.array([1.0, -2.0]), grade])


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    values = graded(np.array([10.0, 20.0])[(np.arange(4000) // 250) % 2], 0)
    gates = GateLimits({name: RoleLimits(3 * MINUTE) for name in NAMES}).to_json()
    made = train("health", TrainingData(frame_of(values)), TrainingSettings(regime="role2"), gates=gates)
    return Loaded(made.model, made.card, 1)


def scored(loaded: Loaded, grade: float) -> ScoredRun:
    times = START + MINUTE * np.arange(-99, 1, dtype=np.int64)
    values, good = graded(np.full(100, grade), 3), np.full(100, GOOD, dtype=np.uint32)
    history = {name: TagHistory(times, values[:, k], good) for k, name in enumerate(NAMES)}
    (one,) = _scored(ScoreTask(plan_of("P101"), loaded.card.roles, history, {}, (START,)), loaded)
    return one


def test_a_grade_that_was_seen_is_scored(loaded: Loaded) -> None:
    run = scored(loaded, 20.0).run
    assert run.score is not None
    assert run.score < 1.0
    assert quality_of(run.quality) is Quality.GOOD


def test_a_grade_that_was_never_seen_is_uncertain_with_its_reason_and_no_alarm(loaded: Loaded) -> None:
    one = scored(loaded, 15.0)
    assert one.run.score is None
    assert quality_of(one.run.quality) is Quality.UNCERTAIN
    assert one.run.reason == "operating regime that the training did not hold"
    outputs = {value.output: value for value in score_row(one.run, Circumstances("P101")).values}
    assert outputs["State"].value == State.FUNCTION_CHECK
    assert outputs["Alarm"].value == 0

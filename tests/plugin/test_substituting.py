"""A few missing inputs do not stop a model: it goes on with its estimates of them, and says so."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight.outputs import Circumstances, explanation_row, score_row
from tagsight.results import State
from tagsight.scoring import _scored
from tagsight.scoring_task import ScoredRun, ScoreTask
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD, GOOD, Quality, quality_of
from tagsight_explain.explainers import explain_many
from tagsight_explain.settings import ExplainSettings
from tagsight_models.frame import Floats
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.jobs import train
from tagsight_models.model_store import Loaded
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, frame_of, linear_plant
from tests.plugin.small_site import START, plan_of

STEPS = 140
NAMES = tuple(f"role{number}" for number in range(6))


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    limits = GateLimits({name: RoleLimits(3 * MINUTE, flat_steps=10) for name in NAMES})
    made = train("health", TrainingData(frame_of(linear_plant(3000))), TrainingSettings(), gates=limits.to_json())
    return Loaded(made.model, made.card, 1)


def scored(loaded: Loaded, values: Floats, bad: tuple[int, ...] = (), substitute: float = 0.2) -> ScoredRun:
    """The run at the last step; `bad` columns have quality Bad in the last 20 steps."""
    times = START + MINUTE * np.arange(1 - STEPS, 1, dtype=np.int64)
    statuses = np.full(values.shape, GOOD, dtype=np.uint32)
    statuses[-20:, list(bad)] = BAD
    history = {name: TagHistory(times, values[:, k], statuses[:, k]) for k, name in enumerate(NAMES)}
    task = ScoreTask(replace(plan_of("P101"), substitute=substitute), loaded.card.roles, history, {}, (START,))
    (one,) = _scored(task, loaded)
    return one


def normal() -> Floats:
    return linear_plant(STEPS, seed=7)


def test_one_bad_input_of_six_is_replaced_and_the_score_is_uncertain_with_the_reason(loaded: Loaded) -> None:
    one = scored(loaded, normal(), bad=(2,))
    run = one.run
    assert run.score is not None
    assert run.score < 1.0
    assert quality_of(run.quality) is Quality.UNCERTAIN
    assert run.reason == "role2 replaced by its estimate: bad quality"
    assert run.roles[2].actual == pytest.approx(run.roles[2].expected)
    assert not one.sensor_fault


def test_a_fault_in_the_other_inputs_is_still_seen_and_not_blamed_on_the_replaced_one(loaded: Loaded) -> None:
    faulty = normal()
    faulty[-60:, 0] += 60.0
    one = scored(loaded, faulty, bad=(2,))
    assert one.run.score is not None
    assert one.run.score > 1.0
    assert one.window is not None
    (found,) = explain_many(loaded.model, one.window[None], np.array([one.run.score]), ExplainSettings(), lambda: 0.0)
    assert abs(found.contributions[2]) < 0.2 * found.contributions.max()


def test_more_bad_inputs_than_allowed_are_not_replaced(loaded: Loaded) -> None:
    run = scored(loaded, normal(), bad=(1, 2)).run
    assert (run.score, quality_of(run.quality)) == (None, Quality.BAD)
    assert run.reason == "bad quality: role1, role2"
    assert scored(loaded, normal(), bad=(1, 2), substitute=0.4).run.score is not None


def test_without_the_setting_nothing_is_replaced(loaded: Loaded) -> None:
    assert scored(loaded, normal(), bad=(2,), substitute=0.0).run.score is None


def test_an_input_that_stands_still_is_replaced_and_is_the_fault_of_its_sensor(loaded: Loaded) -> None:
    flat = normal()
    flat[-30:, 3] = flat[-31, 3]
    one = scored(loaded, flat)
    assert one.run.reason == "role3 replaced by its estimate: flat line"
    assert one.run.score is not None
    assert one.sensor_fault


def test_a_role_that_jumps_alone_is_named_and_still_an_alarm_for_it_may_be_the_machine(loaded: Loaded) -> None:
    faulty = normal()
    faulty[-30:, 1] += 150.0
    one = scored(loaded, faulty)
    assert not one.sensor_fault
    assert one.run.score is not None
    assert one.run.score > 1.0
    assert quality_of(one.run.quality) is Quality.GOOD
    assert one.run.reason == "check role1: its value jumped and the others did not"


def test_a_sensor_that_becomes_noisy_alone_is_named_and_is_no_alarm(loaded: Loaded) -> None:
    faulty = normal()
    faulty[-30:, 1] += np.random.default_rng(1).normal(size=30) * 150.0
    one = scored(loaded, faulty)
    assert one.sensor_fault
    assert one.run.score is not None
    assert one.run.score < 1.0
    assert quality_of(one.run.quality) is Quality.UNCERTAIN
    assert one.run.reason == "check role1: it became noisy and the others did not"
    now = Circumstances("P101", sensor_fault=True)
    rows = (score_row(one.run, now), explanation_row(one.run, now))
    outputs = {value.output: value for row in rows for value in row.values}
    assert outputs["State"].value == State.OUT_OF_SPECIFICATION
    assert outputs["Alarm"].value == 0
    assert quality_of(outputs["Score"].status) is Quality.UNCERTAIN
    assert outputs["Message"].value == "P101: check role1: it became noisy and the others did not"
    german = explanation_row(one.run, replace(now, language="de")).values[0]
    assert german.value == "P101: role1 prüfen: rauscht stärker, die anderen nicht"


def test_a_sensor_that_has_been_off_for_long_is_named_and_still_counts(loaded: Loaded) -> None:
    faulty = normal()
    faulty[:, 1] += 150.0
    one = scored(loaded, faulty)
    assert not one.sensor_fault
    assert one.run.score is not None
    assert one.run.score > 1.0
    assert one.run.reason == "check role1: it disagrees with all others"


def test_a_fault_of_the_process_is_an_alarm_without_a_sensor_to_check(loaded: Loaded) -> None:
    faulty = normal()
    faulty[-30:, :3] += 150.0
    run = scored(loaded, faulty).run
    assert run.score is not None
    assert run.score > 1.0
    assert not run.reason
    assert quality_of(run.quality) is Quality.GOOD


def test_without_the_setting_no_sensor_is_taken_out(loaded: Loaded) -> None:
    faulty = normal()
    faulty[-30:, 1] += 150.0
    run = scored(loaded, faulty, substitute=0.0).run
    assert run.score is not None
    assert run.score > 1.0

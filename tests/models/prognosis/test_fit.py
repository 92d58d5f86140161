"""Training of remaining life: what it says of itself, and what it refuses."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import TooFewLives, UnusableInput, UnusableLife
from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.model import HOUR_NS, PrognosisModel
from tagsight_models.prognosis.settings import PrognosisSettings
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.training_data import Life, TrainingData
from tests.models.prognosis.conftest import JOB, SETTINGS
from tests.models.prognosis.worn_machines import fleet


def silent(_share: float, _words: str) -> None:
    """Tells nobody."""


def train(data: TrainingData, job: PrognosisSettings = JOB) -> PrognosisTrained:
    return train_prognosis(data, SETTINGS, job, silent)


def test_a_training_says_how_good_it_is(trained: PrognosisTrained) -> None:
    assert not trained.trial
    assert trained.metrics["RMSE, h"] < 15.0
    assert 65.0 < trained.metrics["covered, %"] < 95.0
    assert trained.compared[0].startswith("TagSight")
    assert trained.calibration["regimes"] == 2
    assert any("unknown" in sentence for sentence in trained.cannot_see)


@pytest.mark.slow
def test_the_same_data_and_seed_give_the_same_model_without_a_cap_named_or_with_lives_unended() -> None:
    data = fleet(12, seed=3, points=1)
    unended = replace(data.lives[0], failed=False)
    mixed = replace(data, lives=(*data.lives[1:], unended))
    job = PrognosisSettings(members=3)
    one, other = train(mixed, job), train(mixed, job)
    for name, value in one.model.tensors().items():
        np.testing.assert_array_equal(value, other.model.tensors()[name])
    assert isinstance(one.model, PrognosisModel)
    assert 20.0 < one.model.scale.cap < 110.0
    assert any("had not failed" in sentence for sentence in one.cannot_see)


def test_inputs_that_tell_nothing_put_the_model_on_trial() -> None:
    data = fleet(10, seed=4, points=1)
    noise = np.random.default_rng(0).normal(size=data.frame.values.shape)
    frame = replace(data.frame, values=np.where(np.isnan(data.frame.values), np.nan, noise))
    told = train(replace(data, frame=frame), replace(JOB, members=3))
    assert told.trial
    assert "On trial" in told.verdict


def test_too_few_failed_lives_are_refused_with_how_many_would_do() -> None:
    data = fleet(12, seed=5)
    lives = tuple(replace(life, failed=number < 9) for number, life in enumerate(data.lives))
    with pytest.raises(TooFewLives, match="9 runs to failure, at least 10") as refused:
        train(replace(data, lives=lives))
    assert refused.value.needed == 10


def test_an_interval_of_95_percent_needs_more_lives() -> None:
    with pytest.raises(TooFewLives, match="at least 39"):
        train(fleet(12, seed=5), replace(JOB, interval=0.95))


@pytest.mark.parametrize(
    ("life", "cause"),
    [
        pytest.param(Life(-500 * HOUR_NS, -400 * HOUR_NS), "outside the data", id="before the data"),
        pytest.param(Life(9_000 * HOUR_NS, 9_100 * HOUR_NS), "outside the data", id="after the data"),
        pytest.param(Life(30 * HOUR_NS, 20 * HOUR_NS), "ends before it begins", id="backwards"),
        pytest.param(Life(0, 60 * HOUR_NS), "before the one before it has ended", id="two at once"),
    ],
)
def test_a_life_that_cannot_be_is_refused(life: Life, cause: str) -> None:
    data = fleet(11, seed=6)
    with pytest.raises(UnusableLife, match=cause):
        train(replace(data, lives=(*data.lives, life)))


def test_a_life_without_enough_values_is_refused() -> None:
    data = fleet(11, seed=6)
    values, reasons = data.frame.values.copy(), data.frame.reasons.copy()
    values[:60, 1], reasons[:60, 1] = np.nan, 3
    with pytest.raises(UnusableLife, match=r"run 1 of .* at least 20"):
        train(
            replace(
                data,
                frame=replace(data.frame, values=values, reasons=reasons),
                lives=(Life(0, 70 * HOUR_NS), *data.lives[1:]),
            )
        )


def test_a_constant_input_is_refused_by_name_unless_it_may_be_left_out() -> None:
    data = fleet(11, seed=7)
    values = data.frame.values.copy()
    values[~np.isnan(values[:, 2]), 2] = 5.0
    data = replace(data, frame=replace(data.frame, values=values))
    with pytest.raises(UnusableInput, match="flow"):
        train(data)
    told = train_prognosis(data, replace(SETTINGS, drop_constant=True), replace(JOB, members=3), silent)
    assert "flow" not in [role.name for role in told.model.roles]
    assert "flow" in told.dropped


def test_a_condition_that_is_no_input_is_refused() -> None:
    with pytest.raises(UnusableInput, match="altitude"):
        train(fleet(11, seed=8), replace(JOB, conditions=("altitude",)))

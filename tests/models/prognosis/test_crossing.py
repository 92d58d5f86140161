"""Time until a tag crosses a limit."""

import json
from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Floats, Frame, Role
from tagsight_models.prognosis.crossing import CrossingModel
from tagsight_models.prognosis.fit import train_prognosis
from tagsight_models.prognosis.model import HOUR_NS
from tagsight_models.prognosis.settings import Crossing, PrognosisSettings
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.prognosis.trend import lines
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings

STEPS = 48
JOB = PrognosisSettings(crossing=Crossing("vibration", 1e9), cap_hours=2000.0, horizon_hours=100.0)


def level_of(seed: int, steps: int, slope: float = 0.01) -> Floats:
    """A level that rises and wanders."""
    return np.asarray(5.0 + np.cumsum(slope + 0.02 * np.random.default_rng(seed).normal(size=steps)))


def drifting(seed: int, steps: int) -> Floats:
    """The same measured, with noise and wild values."""
    rng = np.random.default_rng(seed + 10_000)
    wild = np.where(rng.random(steps) < 0.02, 10.0, 0.0)
    return level_of(seed, steps) + 0.1 * rng.normal(size=steps) + wild


def frame_of(values: Floats) -> Frame:
    times = np.arange(len(values), dtype=np.int64) * HOUR_NS
    shape = (len(values), 1)
    reasons, uncertain = np.zeros(shape, dtype=np.uint8), np.zeros(shape, dtype=np.bool_)
    return Frame(times, values[:, None], reasons, uncertain, (Role("vibration", "mm/s"),), HOUR_NS)


def train(values: Floats, job: PrognosisSettings = JOB) -> PrognosisTrained:
    settings = TrainingSettings(window_steps=STEPS)
    return train_prognosis(TrainingData(frame_of(values)), settings, job, lambda _share, _words: None)


@pytest.fixture(scope="module")
def learned() -> PrognosisTrained:
    return train(drifting(0, 4000))


def with_limit(trained: PrognosisTrained, limit: float, *, rising: bool = True) -> CrossingModel:
    model = trained.model
    assert isinstance(model, CrossingModel)
    description = model.description()
    description["crossing"] |= {"limit": limit, "rising": rising}
    return CrossingModel.from_parts(description, model.tensors())


def test_a_line_with_wild_values_is_found() -> None:
    values = 3.0 + 0.5 * np.arange(-39.0, 1.0)
    values[::5] += 100.0
    level, slope = lines(values[None])
    assert level[0] == pytest.approx(3.0)
    assert slope[0] == pytest.approx(0.5)


def test_the_interval_holds_the_true_crossing_of_new_machines(learned: PrognosisTrained) -> None:
    held, told = [], []
    for seed in range(100, 220):
        values, level = drifting(seed, 1500), level_of(seed, 1500)
        limit = float(level[STEPS]) + 1.5
        truth = float(np.argmax(level[STEPS:] >= limit))
        result = with_limit(learned, limit).results(values[None, 1 : STEPS + 1, None])[0]
        held.append(float(result["Lower"]) <= truth <= float(result["Upper"]))
        told.append(float(result["Lower"]) <= float(result["RemainingLife"]) <= float(result["Upper"]))
    assert all(told)
    assert 0.65 < np.mean(held) <= 1.0


def test_falling_is_the_mirror_image_of_rising(learned: PrognosisTrained) -> None:
    model = learned.model
    assert isinstance(model, CrossingModel)
    spread = model.spread
    mirrored = {"horizons": spread.horizons, "below": -spread.above, "above": -spread.below}
    rising, falling = with_limit(learned, 8.0), with_limit(learned, -8.0, rising=False)
    falling = CrossingModel.from_parts(falling.description(), mirrored)
    windows = np.stack([drifting(seed, STEPS) for seed in range(5)])[:, :, None]
    np.testing.assert_allclose(rising.times(windows), falling.times(-windows), rtol=1e-9)


def test_beyond_the_limit_nothing_remains_and_away_from_it_all(learned: PrognosisTrained) -> None:
    model = with_limit(learned, 6.0)
    straight = np.linspace(0.0, 0.05 * (STEPS - 1), STEPS)
    windows = np.stack([9.0 + straight, 2.0 - straight])[:, :, None]
    assert model.times(windows)[0].tolist() == [0.0, 0.0, 0.0]
    assert model.times(windows)[1, 0] == 2000.0
    assert model.score(windows)[0] == 100.0
    assert model.score(windows)[1] == pytest.approx(0.05)


def test_a_trend_survives_its_file_to_the_last_bit(learned: PrognosisTrained) -> None:
    model = with_limit(learned, 8.0)
    windows = np.stack([drifting(seed, STEPS) for seed in range(5)])[:, :, None]
    again = CrossingModel.from_parts(json.loads(json.dumps(model.description())), model.tensors())
    np.testing.assert_array_equal(again.times(windows), model.times(windows))
    np.testing.assert_array_equal(again.expectation(windows).upper, model.expectation(windows).upper)
    assert [output.name for output in model.outputs] == list(model.results(windows)[0])


def test_a_trend_without_its_spread_is_refused(learned: PrognosisTrained) -> None:
    with pytest.raises(ValueError, match="horizon"):
        CrossingModel.from_parts(
            learned.model.description(), {"horizons": np.ones(2), "below": np.ones(1), "above": np.ones(2)}
        )


def test_a_training_says_how_far_trends_held(learned: PrognosisTrained) -> None:
    assert 60.0 < learned.metrics["covered, %"] <= 100.0
    assert learned.compared[1].startswith("it stays as it is")


def test_a_tag_that_only_wanders_puts_its_trend_on_trial() -> None:
    wander = np.cumsum(np.random.default_rng(1).normal(size=3000))
    assert train(wander).trial


def test_too_little_history_is_refused_with_how_much_would_do() -> None:
    with pytest.raises(TooLittleData) as refused:
        train(drifting(0, 100))
    assert refused.value.needed == STEPS + 9 * (STEPS // 4)
    train(drifting(0, refused.value.needed))


@pytest.mark.parametrize(
    ("values", "role"),
    [
        pytest.param(np.full(500, 3.0), "vibration", id="constant"),
        pytest.param(np.arange(500.0), "speed", id="no such input"),
    ],
)
def test_a_role_without_a_trend_is_refused(values: Floats, role: str) -> None:
    with pytest.raises(UnusableInput, match=role):
        train(values, replace(JOB, crossing=Crossing(role, 1.0)))

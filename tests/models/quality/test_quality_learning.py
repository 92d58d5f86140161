"""What a soft sensor learns from: the delay, wrong values, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Series
from tagsight_models.quality.delay import find_delay
from tagsight_models.quality.fit import train_quality
from tagsight_models.quality.lab_samples import lab_values
from tagsight_models.quality.mistakes import mistaken
from tagsight_models.quality.settings import QualitySettings
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.training import silent
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, windows_of
from tests.models.quality.lab_plant import JOB, SMALL, lab_plant

TOLD = TrainingSettings(window_steps=4)


def refused(data: TrainingData, kind: type[Exception], words: str, job: QualitySettings = JOB) -> None:
    with pytest.raises(kind, match=words):
        train_quality(data, TOLD, job, silent)


@pytest.mark.parametrize("delay", [0, 3, 7])
def test_the_delay_is_found_in_the_data(delay: int) -> None:
    times, values = lab_values(lab_plant(1600, delay=delay).data())
    assert find_delay(lab_plant(1600, delay=delay).frame, times, values, 4, 10).steps == delay


def test_a_delay_that_was_found_lengthens_the_window() -> None:
    job = QualitySettings(most_delay_ns=5 * MINUTE, regressor=replace(SMALL, networks=0))
    found = train_quality(lab_plant(800, delay=3).data(), TOLD, job, silent)
    assert found.calibration["delay_ns"] == 3 * MINUTE
    assert found.model.window_steps == 4 + 3


def test_a_sensor_with_a_delay_predicts_the_sample_of_now() -> None:
    job = replace(JOB, delay_ns=5 * MINUTE, regressor=replace(SMALL, networks=0))
    model = train_quality(lab_plant(1200, delay=5).data(), TOLD, job, silent).model
    plant = lab_plant(800, 3, delay=5)
    found = model.predict(windows_of(plant.frame.values, model.window_steps))
    assert np.mean((found - plant.truth[model.window_steps - 1 :]) ** 2) < 0.2 * plant.truth.var()


def test_wrong_values_do_little_harm() -> None:
    job, plant = replace(JOB, regressor=replace(SMALL, networks=0)), lab_plant(800, 3)
    trained = train_quality(lab_plant(1600).data(wrong=0.03), TOLD, job, silent)
    assert trained.calibration["left_out_as_mistakes"] > 3
    found = trained.model.predict(windows_of(plant.frame.values, 4))
    assert np.mean((found - plant.truth[3:]) ** 2) < 0.25 * plant.truth.var()


def test_an_excursion_that_the_inputs_tell_is_no_mistake() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(2000, 2))
    features[::100, 0] += 10.0
    values = 0.1 * random.normal(size=2000) + 8.0 * (features[:, 0] > 5.0)
    values[50] = 9.0
    assert np.flatnonzero(mistaken(features, values, TreeSettings())).tolist() == [50]


def test_no_target_is_refused() -> None:
    refused(replace(lab_plant(300).data(), target=None), UnusableInput, "no laboratory values")


def test_too_few_values_are_refused_with_how_many_would_do() -> None:
    refused(lab_plant(300).data(every=10), TooLittleData, "30 usable steps, at least 60")


def test_values_that_are_no_numbers_or_bad_do_not_count() -> None:
    data = lab_plant(400).data()
    assert data.target is not None
    values = np.where(np.arange(100) % 2, np.nan, data.target.values)
    refused(replace(data, target=replace(data.target, values=values)), TooLittleData, "50")
    bad = np.where(np.arange(100) % 2, 2, 0).astype(np.uint8)
    refused(replace(data, target=replace(data.target, quality=bad)), TooLittleData, "50")


def test_a_target_of_three_values_is_refused() -> None:
    data = lab_plant(1200).data()
    assert data.target is not None
    classes = replace(data.target, values=np.arange(300.0) % 3)
    refused(replace(data, target=classes), UnusableInput, "3 different values")


def test_values_outside_the_time_of_the_inputs_are_refused() -> None:
    data = lab_plant(1200).data()
    assert data.target is not None
    later = Series(data.target.times + 10_000 * MINUTE, data.target.values, data.target.quality)
    refused(replace(data, target=later), TooLittleData, "usable inputs, of 300: 0")


def test_a_constant_input_is_refused_or_left_out() -> None:
    data = lab_plant(1200).data()
    values = data.frame.values.copy()
    values[:, 3] = 7.0
    data = replace(data, frame=replace(data.frame, values=values))
    refused(data, UnusableInput, "role3")
    job = replace(JOB, regressor=replace(SMALL, networks=0))
    found = train_quality(data, replace(TOLD, drop_constant=True), job, silent)
    assert list(found.dropped) == ["role3"]
    assert len(found.model.roles) == 3


def test_an_adjustable_role_that_is_no_input_is_refused() -> None:
    refused(lab_plant(1200).data(), UnusableInput, "reflux", replace(JOB, adjustable={"reflux": (0.0, 1.0)}))


def test_bounds_that_hold_nothing_are_refused() -> None:
    refused(lab_plant(1200).data(), UnusableInput, "lower bound", replace(JOB, adjustable={"role0": (1.0, 1.0)}))

"""The soft sensor."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.quality.fit import QualityTrained, train_quality
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.quality.soft_sensor import SoftSensor
from tagsight_models.training import silent
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import windows_of
from tests.models.quality.lab_plant import EVERY, JOB, LabPlant, lab_plant

KNOWN_LATER = 5 * 60_000_000_000


def history(plant: LabPlant, steps: int) -> LabHistory:
    rows = np.arange(steps - 1, len(plant.truth), EVERY)
    times = plant.frame.times[rows]
    return LabHistory(times, times + KNOWN_LATER, plant.truth[rows], windows_of(plant.frame.values, steps)[::EVERY])


def shifted(by: float, seed: int = 7) -> LabPlant:
    plant = lab_plant(800, seed)
    return LabPlant(plant.frame, plant.truth + by)


def test_it_tells_most_of_what_the_laboratory_says(viscosity: QualityTrained) -> None:
    plant = shifted(0.0)
    found = viscosity.model.predict(windows_of(plant.frame.values, 4))
    assert np.mean((found - plant.truth[3:]) ** 2) < 0.15 * plant.truth.var()


def test_the_interval_covers_as_stated_in_time_that_calibration_did_not_see(viscosity: QualityTrained) -> None:
    plant = lab_plant(2000, 11)
    made = viscosity.model.plain(windows_of(plant.frame.values, 4))
    covered = np.mean((plant.truth[3:] >= made.lower) & (plant.truth[3:] <= made.upper))
    assert 0.84 <= covered <= 0.97


def test_new_values_correct_a_shift_and_the_interval_covers_again(viscosity: QualityTrained) -> None:
    plant, model = shifted(2.0), viscosity.model
    windows, truth = windows_of(plant.frame.values, 4), plant.truth[3:]
    found = model.corrected(windows, plant.frame.times[3:], history(plant, 4))
    late = slice(200, None)
    assert abs(np.mean(found.bias[late]) - 2.0) < 0.3
    assert np.mean((truth - found.prediction)[late] ** 2) < 0.1 * np.mean((truth - model.predict(windows))[late] ** 2)
    assert np.mean((truth >= found.lower) & (truth <= found.upper)) > 0.84


def test_a_value_counts_only_from_when_it_is_known(viscosity: QualityTrained) -> None:
    plant, model = shifted(2.0), viscosity.model
    windows, times, lab = windows_of(plant.frame.values, 4)[:60], plant.frame.times[3:63], history(plant, 4)
    whole = model.corrected(windows, times, lab)
    for end in (10, 30, 59):
        known = lab.known_ns <= times[end]
        part = LabHistory(lab.sampled_ns[known], lab.known_ns[known], lab.values[known], lab.windows[known])
        alone = model.corrected(windows[end : end + 1], times[end : end + 1], part)
        np.testing.assert_allclose(alone.prediction[0], whole.prediction[end], rtol=1e-9)
        np.testing.assert_allclose(alone.upper[0], whole.upper[end], rtol=1e-9)


@settings(max_examples=10, deadline=None)
@given(order=st.permutations(range(20)))
def test_the_order_in_which_values_are_given_does_not_matter(order: list[int]) -> None:
    plant, model = shifted(1.0), trained_once()
    lab, windows = history(plant, 4), windows_of(plant.frame.values, 4)[100:110]
    some = LabHistory(lab.sampled_ns[:20], lab.known_ns[:20], lab.values[:20], lab.windows[:20])
    mixed = LabHistory(some.sampled_ns[order], some.known_ns[order], some.values[order], some.windows[order])
    times = plant.frame.times[103:113]
    assert np.array_equal(model.corrected(windows, times, some).lower, model.corrected(windows, times, mixed).lower)


_MODEL: list[SoftSensor] = []


def trained_once() -> SoftSensor:
    if not _MODEL:
        job = replace(JOB, regressor=replace(JOB.regressor, networks=0))
        data = lab_plant(1200).data()
        _MODEL.append(train_quality(data, TrainingSettings(window_steps=4), job, silent).model)
    return _MODEL[0]


def test_one_wrong_laboratory_value_moves_the_prediction_little(viscosity: QualityTrained) -> None:
    plant, model = shifted(0.0), viscosity.model
    lab, window, end = history(plant, 4), windows_of(plant.frame.values, 4)[-1:], plant.frame.times[-1:]
    values = lab.values.copy()
    values[-4] *= 10.0
    wrong = replace(lab, values=values)
    right = model.corrected(window, end, lab)
    assert abs(model.corrected(window, end, wrong).bias[0] - right.bias[0]) < 0.5 * (right.upper - right.lower)[0]


def test_values_that_are_no_numbers_do_not_count(viscosity: QualityTrained) -> None:
    plant, model = shifted(1.0), viscosity.model
    lab, windows, times = history(plant, 4), windows_of(plant.frame.values, 4)[-3:], plant.frame.times[-3:]
    values = lab.values.copy()
    values[::2] = np.nan
    kept = LabHistory(lab.sampled_ns[1::2], lab.known_ns[1::2], lab.values[1::2], lab.windows[1::2])
    found = model.corrected(windows, times, replace(lab, values=values))
    assert np.array_equal(found.prediction, model.corrected(windows, times, kept).prediction)


def test_without_laboratory_values_nothing_is_corrected(viscosity: QualityTrained) -> None:
    windows = windows_of(shifted(0.0).frame.values, 4)[:5]
    found = viscosity.model.corrected(windows, np.arange(5), LabHistory.none(4, 4))
    assert np.array_equal(found.prediction, viscosity.model.predict(windows))
    assert not found.bias.any()


def test_what_else_is_in_the_batch_does_not_change_a_score(viscosity: QualityTrained) -> None:
    windows = windows_of(shifted(0.0).frame.values, 4)[:50]
    whole = viscosity.model.score(windows)
    np.testing.assert_allclose([viscosity.model.score(windows[n : n + 1])[0] for n in range(50)], whole, rtol=1e-9)


def test_a_sensor_travels_to_the_last_bit(viscosity: QualityTrained) -> None:
    model, windows = viscosity.model, windows_of(shifted(0.0).frame.values, 4)
    again = SoftSensor.from_parts(model.description(), model.tensors())
    assert np.array_equal(again.score(windows), model.score(windows))
    assert np.array_equal(again.plain(windows).upper, model.plain(windows).upper)
    assert again.description() == model.description()


@pytest.mark.parametrize("name", ["field", "regressor.line", "regressor.trees.leaves", "usual", "region.whitening"])
def test_parts_that_do_not_fit_are_refused(viscosity: QualityTrained, name: str) -> None:
    tensors = viscosity.model.tensors()
    with pytest.raises(ValueError, match="shape"):
        SoftSensor.from_parts(viscosity.model.description(), tensors | {name: tensors[name][:-1]})


def test_an_unknown_array_is_refused(viscosity: QualityTrained) -> None:
    tensors = viscosity.model.tensors() | {"extra": np.zeros(1)}
    with pytest.raises(ValueError, match="extra"):
        SoftSensor.from_parts(viscosity.model.description(), tensors)


def test_results_have_the_names_of_the_outputs(viscosity: QualityTrained) -> None:
    job = replace(JOB, adjustable={"role0": (30.0, 70.0)}, low=10.0, high=30.0)
    model = SoftSensor(replace(viscosity.model.parts, adjustable=job.adjustable)).with_limits(10.0, 30.0)
    results = model.results(windows_of(shifted(0.0).frame.values, 4)[:2])
    assert [list(one) for one in results] == [[output.name for output in model.outputs]] * 2


def test_the_score_is_one_at_a_limit(viscosity: QualityTrained) -> None:
    windows = windows_of(shifted(0.0).frame.values, 4)[:1]
    predicted = float(viscosity.model.predict(windows)[0])
    assert viscosity.model.with_limits(predicted - 4.0, predicted).score(windows)[0] == pytest.approx(1.0)
    assert viscosity.model.with_limits(predicted - 2.0, predicted + 2.0).score(windows)[0] == pytest.approx(0.0)


def test_the_same_data_and_seed_give_the_same_model() -> None:
    job = replace(JOB, regressor=replace(JOB.regressor, trees=replace(JOB.regressor.trees, trees=10)))
    data, told = lab_plant(600).data(), TrainingSettings(window_steps=2)
    one, two = (train_quality(data, told, job, silent).model.tensors() for _ in range(2))
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_the_comparison_is_told_in_words(viscosity: QualityTrained) -> None:
    assert "last laboratory value" in " ".join(viscosity.compared.lines)
    assert not viscosity.compared.trial
    assert 0.8 <= viscosity.metrics["coverage"] <= 0.99

"""Lasting offsets of the laboratory are followed within a few values, single wrong ones are not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.frame import Floats
from tagsight_models.quality.fit import QualityTrained
from tagsight_models.quality.lab_following import Following, Known, Tracking, follow
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.quality.residual_field import Points, ResidualField
from tests.models.plants import windows_of
from tests.models.quality.lab_plant import EVERY, lab_plant

COUNT = 60
STEP = 30
DAY = 1_000_000_000
NOISE = np.random.default_rng(7).normal(size=(6, COUNT))


def points(count: int, after: float = 0.0) -> Points:
    return Points(np.arange(count) + after, np.zeros((count, 2)), np.ones(count))


@pytest.fixture(scope="module")
def quiet() -> ResidualField:
    """Learned from errors that are noise alone: no lasting offset."""
    return ResidualField.fit(points(250), np.random.default_rng(0).normal(size=250))


def followed(field: ResidualField, errors: Floats) -> Following:
    """Half an interval after each value, which is known a fifth of one after its sample."""
    times = np.arange(len(errors), dtype=np.int64) * DAY
    known = Known(times, times + DAY // 5, points(len(errors)), errors)
    return follow(field, known, points(len(errors), 0.5), times + DAY // 2, Tracking(1.64, 0.9))


@pytest.mark.parametrize(("size", "values"), [(3.0, 6), (4.0, 4), (6.0, 3), (10.0, 2), (-10.0, 2), (30.0, 2)])
def test_a_lasting_offset_is_followed_within_a_few_values(quiet: ResidualField, size: float, values: int) -> None:
    offset = size * (np.arange(COUNT) >= STEP)
    biases = np.array([followed(quiet, noise + offset).bias for noise in NOISE])
    soon, later = biases[:, STEP + values - 1].mean(), biases[:, STEP + 10 :].mean()
    assert soon / size > 0.75
    assert later / size == pytest.approx(1.0, abs=0.1)


def test_without_an_offset_the_correction_is_what_it_was(quiet: ResidualField) -> None:
    assert np.abs(np.array([followed(quiet, noise).bias for noise in NOISE])).max() < 1.5


@pytest.mark.parametrize("size", [8.0, 25.0, -100.0])
def test_single_wrong_values_pull_no_farther_than_a_surprise_may(quiet: ResidualField, size: float) -> None:
    for noise in NOISE:
        wrong = noise.copy()
        wrong[[10, 25, 48]] += size
        assert np.abs(followed(quiet, wrong).bias - followed(quiet, noise).bias).max() < 1.2


def test_an_offset_that_goes_away_is_left_as_quickly(quiet: ResidualField) -> None:
    away = 8.0 * ((np.arange(COUNT) >= 20) & (np.arange(COUNT) < 40))
    biases = np.mean([followed(quiet, noise + away).bias for noise in NOISE], axis=0)
    assert biases[30] > 6.0
    assert abs(biases[45]) < 1.0


def test_the_interval_is_no_wider_than_before_once_an_offset_is_followed(quiet: ResidualField) -> None:
    errors = NOISE[0] + 10.0 * (np.arange(COUNT) >= STEP)
    found, plain = followed(quiet, errors), followed(quiet, NOISE[0])
    width, usual = found.quantile * found.spread, plain.quantile * plain.spread
    assert width[STEP + 1] > usual[STEP + 1]
    assert width[-1] < 1.5 * usual[-1]
    inside = np.abs(errors[STEP + 5 :] - found.bias[STEP + 4 : -1]) <= width[STEP + 4 : -1]
    assert inside.mean() > 0.8


@settings(deadline=None, max_examples=5)
@given(st.integers(2, COUNT - 1), st.floats(-50.0, 50.0))
def test_what_is_known_later_changes_nothing_before_it(number: int, size: float) -> None:
    field = ResidualField(np.log([0.1, 3.0, 0.1, 40.0, 1.0, 0.05, 100.0, 0.85]))
    errors = NOISE[1] + 10.0 * (np.arange(COUNT) >= STEP)
    other = errors.copy()
    other[number:] += size
    one, two = followed(field, errors), followed(field, other)
    np.testing.assert_array_equal(one.bias[:number], two.bias[:number])
    np.testing.assert_array_equal(one.spread[:number], two.spread[:number])


@settings(deadline=None, max_examples=5)
@given(st.floats(4.0, 40.0), st.integers(0, 5))
def test_an_offset_to_the_other_side_is_followed_alike(size: float, which: int) -> None:
    field = ResidualField(np.log([0.1, 3.0, 0.1, 40.0, 1.0, 0.05, 100.0, 0.85]))
    errors = NOISE[which] + size * (np.arange(COUNT) >= STEP)
    np.testing.assert_allclose(followed(field, -errors).bias, -followed(field, errors).bias, atol=1e-9)


def test_a_correction_that_has_seen_offsets_stays_as_quick_as_it_was() -> None:
    wandering = np.cumsum(0.3 * np.random.default_rng(3).normal(size=400)) + np.random.default_rng(4).normal(size=400)
    field = ResidualField.fit(points(250), wandering[:250])
    later = wandering[250:]
    off = followed(field, later).bias[:-1] - later[1:]
    assert np.sqrt((off**2).mean()) < 1.35


def test_a_soft_sensor_takes_a_step_of_the_laboratory_on(viscosity: QualityTrained) -> None:
    sensor, plant = viscosity.model, lab_plant(400, seed=11)
    blocks, ends = windows_of(plant.frame.values, sensor.window_steps), plant.frame.times[sensor.window_steps - 1 :]
    rows = np.arange(0, len(ends), EVERY)
    step = 20.0
    values = plant.truth[sensor.window_steps - 1 :][rows] + step * (rows >= rows[len(rows) // 2])
    lab = LabHistory(ends[rows], ends[rows], values, blocks[rows])
    last = rows[len(rows) // 2 + 4]
    at = slice(last + 1, last + 1 + EVERY)
    found = sensor.corrected(blocks[at], ends[at], lab)
    truth = plant.truth[sensor.window_steps - 1 :][at] + step
    assert np.abs(found.prediction - truth).mean() < 0.15 * step
    before = sensor.corrected(blocks[at], ends[at], replace(lab, values=values - step * (rows >= rows[len(rows) // 2])))
    np.testing.assert_allclose(found.prediction - before.prediction, step, atol=0.15 * step)

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.calibration import calibrate
from tagsight_models.comparison import Contestant, NormalTime, baselines, compare
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.health_limit import CAUTION, compared, health_limit
from tagsight_models.trained import Trained
from tagsight_models.training import silent
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, frame_of, linear_plant

SETTINGS = TrainingSettings()
ALARMING = SETTINGS.alarming(MINUTE)


def named_time() -> TrainingRows:
    """The last third is named; the second fifth before it is restless."""
    values = linear_plant(1500)
    values[200:400] += 6.0 * np.random.default_rng(1).normal(size=(200, 6))
    frame = frame_of(values)
    return TrainingRows.of(frame, replace(SETTINGS, limit_span=(int(frame.times[1000]), int(frame.times[-1]) + 1)))


@pytest.mark.parametrize("held", [3000, 500], ids=["long", "short"])
def test_each_part_has_its_own_limit_a_mean_a_higher_one_where_time_is_short(linear: Trained, held: int) -> None:
    frame = frame_of(linear_plant(6000))
    span = (int(frame.times[-held]), int(frame.times[-1]) + 1)
    rows = TrainingRows.of(frame, replace(SETTINGS, limit_span=span))
    statistic = linear.model.parameters.statistic
    wild = replace(statistic, level_space=50.0 * statistic.level_space)
    raw = linear.model.with_parameters(replace(linear.model.parameters, statistic=wild.scaled(np.full(3, 0.01))))
    found = health_limit(raw, rows, ALARMING, lambda _: raw, silent)
    assert found.model is found.judged
    parts = found.model.series_parts(rows.held_values)
    share = replace(ALARMING, budget=replace(ALARMING.budget, at_most=ALARMING.budget.at_most / 2))
    limits = [
        calibrate(frame.times, part, replace(share, memory=memory))
        for part, memory in zip(parts.T, raw.memories, strict=True)
    ]
    assert {one.rule for one in limits[2:]} == {"predicted" if held == 500 else "extrapolated"}
    soon = limits[0].value
    residuals = [one.high if held == 500 else one.value for one in limits[2:]]
    np.testing.assert_allclose([limits[1].value, *residuals], soon, rtol=1e-6)
    of_all = calibrate(frame.times, found.model.series_distance(rows.held_values), ALARMING)
    assert found.limit.value == pytest.approx(soon if held == 500 else of_all.value, rel=0.02)


def test_a_part_without_enough_normal_time_for_a_limit_does_not_count(linear: Trained) -> None:
    rows = named_time()
    statistic = linear.model.parameters.statistic
    short = replace(statistic, level_space=statistic.level_space[:, :0])
    raw = linear.model.with_parameters(replace(linear.model.parameters, statistic=short))
    found = health_limit(raw, rows, ALARMING, lambda _: raw, silent)
    parts = found.model.series_parts(rows.held_values)
    assert np.isnan(parts[:, 4]).all()
    scored = found.model.series_distance(rows.held_values)
    whole = np.isfinite(scored)
    np.testing.assert_array_equal(scored[whole], np.fmax.reduce(parts[whole], axis=1))
    assert np.isfinite(found.limit.value)


def test_where_time_is_short_the_model_learns_from_all_of_it_and_another_is_judged(linear: Trained) -> None:
    rows = TrainingRows.of(frame_of(linear_plant(1500)), SETTINGS)
    seen = []

    def fit(values: Floats) -> HealthModel:
        seen.append(int(np.isfinite(values).all(axis=1).sum()))
        return linear.model

    found = health_limit(linear.model, rows, ALARMING, fit, silent)
    assert seen == [1200] * 5 + [1500]
    assert found.limit.normal_ns > 0.8 * 1500 * MINUTE


def test_a_named_time_sets_the_limits_of_the_statistics_too(linear: Trained) -> None:
    rows = named_time()
    limit = calibrate(rows.frame.times, linear.model.series_distance(rows.held_values), ALARMING)
    found = compared(linear.model, limit, rows, ALARMING, 0)
    held = NormalTime(rows.frame.times[1000:], rows.values[1000:])
    learned = NormalTime(rows.frame.times[:1000], rows.values[:1000])
    ours = Contestant("TagSight", linear.model.series_distance, limit.value)
    assert found == compare(ours, baselines(learned, ALARMING, held), held, alarming=ALARMING)
    folded = compared(linear.model, limit, replace(rows, span_given=False), ALARMING, 0)
    assert folded == compare(ours, baselines(learned, ALARMING, None), held, alarming=ALARMING)
    assert max(one.found for one in found.results[1:]) > max(one.found for one in folded.results[1:])


def test_folds_lose_no_rows_to_their_beginning(linear: Trained) -> None:
    rows = TrainingRows.of(frame_of(linear_plant(1500)), SETTINGS)
    found = health_limit(linear.model, rows, ALARMING, lambda _: linear.model, silent)
    alike = found.judged.series_distance(rows.values)
    scored = np.isfinite(alike)
    assert scored.sum() == 1500 - SETTINGS.window_steps + 1
    np.testing.assert_allclose(found.distances[scored], alike[scored], rtol=1e-9)


def test_from_short_folds_the_residuals_count_from_three_times_the_upper_end(linear: Trained) -> None:
    rows = TrainingRows.of(frame_of(linear_plant(1500)), SETTINGS)
    found = health_limit(linear.model, rows, ALARMING, lambda _: linear.model, silent)
    share = replace(ALARMING, budget=replace(ALARMING.budget, at_most=ALARMING.budget.at_most / 2))
    limits = [
        calibrate(rows.frame.times, part, replace(share, memory=memory))
        for part, memory in zip(
            found.model.series_parts(rows.values).T[[0, 2, 3, 4]],
            np.array(linear.model.memories)[[0, 2, 3, 4]],
            strict=True,
        )
    ]
    assert {one.rule for one in limits[1:]} == {"predicted"}
    np.testing.assert_allclose([CAUTION * one.high for one in limits[1:]], limits[0].value, rtol=0.01)

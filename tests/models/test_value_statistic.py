"""The statistic on the values: windows and series agree elsewhere (test_health.py); here is what counts how much."""

import numpy as np
import pytest

from tagsight_models.frame import Floats
from tagsight_models.value_statistic import ValueStatistic, bounded, lookbacks

WINDOW = 60
ALL = np.ones(4, dtype=np.bool_)


def related(steps: int, seed: int = 0) -> Floats:
    """Four roles; the last is the mean of the others but for a thousandth."""
    random = np.random.default_rng(seed)
    free = random.normal(size=(steps, 3))
    return np.column_stack([free, free.mean(axis=1) + 0.001 * random.normal(size=steps)])


def warming(steps: int, start: int = 0) -> Floats:
    """Like `related`, and the first role rises without end."""
    values = related(steps, start)
    values[:, 0] += 0.01 * (start + np.arange(steps))
    values[:, 3] = values[:, :3].mean(axis=1)
    return values + 0.001 * np.random.default_rng(start).normal(size=values.shape)


FITTED = ValueStatistic.fit(related(600), ALL)


def worst(statistic: ValueStatistic, values: Floats) -> Floats:
    return np.asarray(np.fmax.reduce(statistic.parts(values, WINDOW), axis=1))


def test_a_relation_that_breaks_by_a_hundredth_is_found_at_once() -> None:
    values = related(400, seed=1)
    before = np.nanmax(worst(FITTED, values))
    values[200:, 3] += 0.01
    after = worst(FITTED, values)
    assert (after[201:] > before).all()
    values[200:, 3] += 0.5
    assert worst(FITTED, values)[200] > before


def test_what_wandered_while_the_model_learned_may_wander_on() -> None:
    statistic = ValueStatistic.fit(warming(600), ALL)
    inside, later = worst(statistic, warming(600)), worst(statistic, warming(600, start=600))
    assert np.nanmedian(later) < 1.2 * np.nanmedian(inside)
    odd = warming(600, start=600)
    odd[:, 1] += 8.0
    assert np.nanmedian(worst(statistic, odd)) > 1.5 * np.nanmedian(inside)


def test_one_wild_step_is_forgotten_within_a_few() -> None:
    values = related(400, seed=2)
    usual = np.nanmax(worst(FITTED, values))
    values[200] = 1000.0
    parts = FITTED.parts(values, WINDOW)
    assert parts[202, 0] > usual
    assert (parts[225:, 0] < 1.3 * usual).all()


@pytest.mark.parametrize("part", [0, 1], ids=["soon", "lasting"])
def test_a_row_depends_on_its_lookback_alone(part: int) -> None:
    values = related(300, seed=3)
    steps = lookbacks(WINDOW)[part]
    alone = FITTED.parts(values[100 : 100 + steps], WINDOW)[:, part]
    assert alone[-1] == pytest.approx(FITTED.parts(values, WINDOW)[99 + steps, part], rel=1e-9)
    assert np.isnan(alone[:-1]).all()


def test_a_role_with_a_smallest_deviation_does_not_count() -> None:
    statistic = ValueStatistic.fit(related(600), np.array([True, True, False, True]))
    values = related(300, seed=4)
    moved = values.copy()
    moved[:, 2] += 100.0
    np.testing.assert_array_equal(statistic.parts(values, WINDOW), statistic.parts(moved, WINDOW))


def test_too_little_normal_time_gives_a_statistic_without_parts() -> None:
    statistic = ValueStatistic.fit(related(20), ALL)
    assert statistic.sizes == (0, 0)
    assert np.isnan(statistic.parts(related(100), WINDOW)).all()


def test_an_infinite_scale_drops_its_part_alone() -> None:
    values = related(200, seed=5)
    parts = FITTED.scaled(np.array([np.inf, 2.0])).parts(values, WINDOW)
    assert (parts[lookbacks(WINDOW)[0] :, 0] == 0.0).all()
    np.testing.assert_allclose(parts[:, 1], FITTED.parts(values, WINDOW)[:, 1] / 2.0)


def test_the_bound_is_monotone_and_leaves_what_is_usual_alone() -> None:
    squared = np.linspace(0.0, 1000.0, 5001)
    found = bounded(squared, 20.0)
    assert (np.diff(found) > 0.0).all()
    np.testing.assert_array_equal(found[squared <= 20.0], squared[squared <= 20.0])


def test_a_grade_that_changes_for_all_leaves_relations_between_roles_as_tight_as_they_were() -> None:
    grades = np.repeat([0.0, 8.0, 3.0, 12.0, 6.0], 120)
    values = related(600, seed=6) + grades[:, None] * np.array([1.0, 0.5, -0.7, (1.0 + 0.5 - 0.7) / 3.0])
    statistic = ValueStatistic.fit(values, ALL)
    usual = np.nanmax(worst(statistic, values))
    broken = values.copy()
    broken[300:, 3] += 0.02
    assert (worst(statistic, broken)[310:480] > usual).all()


def test_smoothing_of_squares_put_together_is_the_same_as_of_the_whole() -> None:
    values = related(300, seed=7)
    squares = np.concatenate([FITTED.squared(values[:150]), FITTED.squared(values[148:])[2:]])
    np.testing.assert_allclose(FITTED.smoothed(squares, WINDOW), FITTED.parts(values, WINDOW), rtol=1e-9)

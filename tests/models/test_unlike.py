from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.faults import InjectedFault, inject
from tagsight_models.frame import Flags, Floats
from tagsight_models.reasons import Reason
from tagsight_models.training_rows import TrainingRows
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.unlike import unlike, without_unlike
from tests.models.plants import MINUTE, START, frame_of, linear_plant, two_point_plant

STARTS = (500, 1300, 2500)
LENGTH = 80


def spoiled(size: float = 6.0) -> tuple[Floats, Flags]:
    """8 % of normal time with faults in it, and where; the last lies in the held-out quarter."""
    values, where = linear_plant(3000), np.zeros(3000, dtype=np.bool_)
    spread = values.std(axis=0)
    for number, start in enumerate(STARTS):
        part = slice(start, start + LENGTH)
        fault = InjectedFault(("bias", "noise", "bias")[number], (number,), (size,))
        values[part], where[part] = inject(values[part], 0, fault, spread, number), True
    return values, where


@pytest.mark.parametrize("plant", [linear_plant, two_point_plant])
def test_nothing_is_left_out_of_normal_time(plant: object) -> None:
    for seed in range(3):
        assert not unlike(plant(4000, seed), 60).any()  # type: ignore[operator]


def test_faults_in_a_twelfth_of_the_time_are_found_and_hardly_anything_else() -> None:
    values, where = spoiled()
    found = unlike(values, 60)
    assert found[where].mean() > 0.8
    assert found[~where].mean() < 0.03


def test_a_state_that_takes_more_than_a_tenth_of_the_time_is_no_fault() -> None:
    values = linear_plant(3000)
    values[1000:1500, 0] += 200.0
    assert not unlike(values, 60).any()
    values[1200:1500, 0] -= 200.0
    assert unlike(values, 60)[1000:1200].mean() > 0.8


def test_what_is_left_out_has_its_reason_in_the_frame_and_is_no_row_to_learn_from() -> None:
    values, _ = spoiled()
    rows = TrainingRows.of(frame_of(values), TrainingSettings())
    trimmed = without_unlike(rows, 60)
    left_out = (trimmed.frame.reasons == Reason.UNLIKE).all(axis=1)
    np.testing.assert_array_equal(left_out, unlike(rows.values, 60))
    assert np.isnan(trimmed.values[left_out]).all()
    assert left_out[2520:2580].all()
    assert trimmed.frame.counts()["role0"][Reason.UNLIKE] == left_out.sum()
    np.testing.assert_array_equal(trimmed.held, rows.held)


def test_time_that_the_engineer_named_as_normal_stays_whole() -> None:
    values, _ = spoiled()
    span = (START + 2250 * MINUTE, START + 3000 * MINUTE)
    rows = TrainingRows.of(frame_of(values), replace(TrainingSettings(), limit_span=span))
    left_out = (without_unlike(rows, 60).frame.reasons == Reason.UNLIKE).all(axis=1)
    assert not left_out[2250:].any()
    assert left_out[500:580].mean() > 0.6


def test_too_little_data_is_left_as_it_is() -> None:
    values = linear_plant(600)
    values[100:140] += 500.0
    assert not unlike(values, 60).any()


def test_where_rows_are_missing_already_nothing_goes_wrong() -> None:
    values, where = spoiled()
    values[::7] = np.nan
    found = unlike(values, 60)
    assert not found[::7].any()
    present = np.isfinite(values).all(axis=1)
    assert found[where & present].mean() >= 0.5


def test_many_strange_times_that_take_more_than_a_tenth_together_are_left_in() -> None:
    values = linear_plant(3000)
    for number in range(6):
        start = 120 + 480 * number
        values[start : start + 60, number] += 200.0
    assert not unlike(values, 60).any()
    values[120:180] = linear_plant(60, seed=4)
    values[600:660] = linear_plant(60, seed=5)
    assert unlike(values, 60).mean() > 0.05

import numpy as np
import pytest

from tagsight_models.frame import Floats, Role
from tagsight_models.production.limits_reached import LimitsReached
from tests.models.plants import windows_of

RANDOM = np.random.default_rng(3)
DEMAND = np.repeat(RANDOM.uniform(60.0, 120.0, 100), 20)


def found(valve: Floats, other: Floats, lost: Floats, role: Role | None = None) -> LimitsReached:
    roles = (Role("demand"), role or Role("valve"), Role("other"))
    rows = np.stack([DEMAND, valve, other], axis=1)
    return LimitsReached.fit(roles, windows_of(rows, 3), lost[2:], [0], {0})


def test_a_limit_that_costs_nothing_is_told_from_one_that_limits() -> None:
    valve = np.minimum(DEMAND + RANDOM.normal(size=2000), 100.0)
    other = np.minimum(90.0 + 15.0 * np.repeat(RANDOM.normal(size=80), 25), 100.0) + 0.0 * DEMAND
    other -= np.where(other < 100.0, RANDOM.uniform(0.0, 3.0, 2000), 0.0)
    limits = found(valve, other, -np.minimum(DEMAND, 100.0))
    assert limits.limited == [1, 2]
    assert limits.loss[1, 1] > 3.0 > 3.0 * limits.loss[1, 2]


def test_a_swing_has_no_limits() -> None:
    swing = 50.0 + 30.0 * np.sin(np.arange(2000) / 7.0)
    assert found(swing, RANDOM.normal(size=2000), DEMAND).limited == []


def test_an_end_of_the_range_counts_only_where_it_is_reached() -> None:
    valve = 50.0 + 10.0 * RANDOM.normal(size=2000)
    role = Role("valve", low=0.0, high=100.0)
    assert found(valve, RANDOM.normal(size=2000), DEMAND, role).limited == []
    valve[100:110] = 99.5
    assert found(valve, RANDOM.normal(size=2000), DEMAND, role).at[1, 1] == pytest.approx(99.0)


def test_a_state_has_no_limits() -> None:
    assert found(RANDOM.integers(0, 3, 2000).astype(float), RANDOM.normal(size=2000), DEMAND).limited == []

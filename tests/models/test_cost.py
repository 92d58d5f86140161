"""What false alarms and missed faults cost chooses the limit, and never leaves the budget."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.calibration import DAY, Alarming, Budget, Limit, calibrate
from tagsight_models.cost import MONTH, Cost, Peaks, Priced, priced
from tagsight_models.delays import Delays
from tagsight_models.frame import Floats, Times

MINUTE = 60_000_000_000
COSTS = st.floats(0.0, 1e9)


def alarming(at_most: float = 2.0, on_ns: int = 5 * MINUTE) -> Alarming:
    return Alarming(Delays(on_ns, on_ns), Budget(at_most, MONTH), MINUTE, MINUTE, 60)


def normal_time(days: float, seed: int = 0) -> tuple[Times, Floats]:
    steps = int(days * DAY / MINUTE)
    noise = np.random.default_rng(seed).normal(size=steps + 30)
    smooth = np.convolve(noise, np.ones(30) / np.sqrt(30.0), mode="valid")[:steps]
    return MINUTE * np.arange(steps, dtype=np.int64), np.abs(smooth) + 1.0


def peaks(seed: int = 1, known: int = 0) -> Peaks:
    random = np.random.default_rng(seed)
    return Peaks(random.uniform(2.0, 12.0, 96), random.uniform(2.0, 12.0, known))


def found(cost: Cost, days: float = 60.0, faults: Peaks | None = None, at_most: float = 2.0) -> tuple[Priced, Limit]:
    times, distances = normal_time(days)
    asked = alarming(at_most)
    limit = calibrate(times, distances, asked)
    return priced(limit, times, distances, asked, peaks=faults or peaks(), cost=cost), limit


@pytest.mark.parametrize("days", [1.0, 10.0, 120.0], ids=["predicted", "extrapolated", "counted"])
def test_candidates_begin_at_the_budget_ascend_and_raise_fewer_alarms_each(days: float) -> None:
    made, limit = found(Cost(1.0, 1.0, 1.0), days)
    levels, false, missed = ([getattr(one, name) for one in made.candidates] for name in ("limit", "false", "missed"))
    assert levels[0] == limit.value
    assert levels == sorted(set(levels))
    assert false == sorted(set(false), reverse=True)
    assert false[0] <= 2.0
    assert missed == sorted(missed)


@settings(deadline=None, max_examples=10)
@given(COSTS, COSTS, st.floats(0.0, 100.0), st.sampled_from([0.5, 2.0, 20.0]))
def test_whatever_it_costs_the_limit_stays_inside_the_budget(
    false: float, missed: float, faults: float, at_most: float
) -> None:
    made, limit = found(Cost(false, missed, faults), 4.0, at_most=at_most)
    assert made.limit.value >= limit.value
    assert made.limit.activations <= limit.activations
    assert made.candidates[made.chosen].false <= at_most


@settings(deadline=None, max_examples=10)
@given(COSTS, COSTS, st.floats(1.0, 1e6))
def test_dearer_false_alarms_never_lower_the_limit_and_dearer_faults_never_raise_it(
    false: float, missed: float, factor: float
) -> None:
    plain = found(Cost(false, missed, 0.1), 4.0)[0].limit.value
    assert found(Cost(false * factor, missed, 0.1), 4.0)[0].limit.value >= plain
    assert found(Cost(false, missed * factor, 0.1), 4.0)[0].limit.value <= plain
    assert found(Cost(false, missed, 0.1 * factor), 4.0)[0].limit.value <= plain


def test_extreme_costs_take_the_lowest_and_the_highest_candidate() -> None:
    low, limit = found(Cost(1e-9, 1e9, 1.0))
    assert (low.limit.value, low.chosen) == (limit.value, 0)
    assert "no higher one costs less" in low.limit.words
    high, _ = found(Cost(1e9, 1e-9, 1.0))
    assert high.chosen == len(high.candidates) - 1
    assert high.limit.value > 1.1 * limit.value
    assert "times that of the budget" in high.limit.words


def test_where_nothing_costs_anything_the_limit_of_the_budget_stays() -> None:
    made, limit = found(Cost(0.0, 0.0, 1.0))
    assert made.limit.value == limit.value


def test_the_cost_of_a_month_is_that_of_its_false_alarms_and_of_its_missed_faults() -> None:
    made, _ = found(Cost(200.0, 20_000.0, 1.0 / 12.0))
    for one in made.candidates:
        assert one.cost == pytest.approx(200.0 * one.false + 20_000.0 / 12.0 * one.missed)
    assert made.candidates[made.chosen].cost == min(one.cost for one in made.candidates)


def test_faults_that_every_limit_finds_let_the_false_alarms_decide() -> None:
    high = Peaks(np.full(96, 1e3), np.empty(0))
    made, _ = found(Cost(1.0, 1e6, 1.0), faults=high)
    assert made.chosen == len(made.candidates) - 1


def test_known_faults_count_beside_the_injected_ones_the_more_there_are() -> None:
    injected = np.full(96, 1e3)
    few, many = (Peaks(injected, np.full(count, 2.0)) for count in (1, 90))
    assert few.missed(5.0) == pytest.approx(1.0 / 11.0)
    assert many.missed(5.0) == pytest.approx(0.9)
    assert Peaks(injected, np.array([-np.inf])).missed(0.0) > 0.0
    assert found(Cost(1.0, 1.0, 1.0), faults=many)[0].known == 90


def test_a_card_keeps_every_candidate_with_its_cost() -> None:
    made, _ = found(Cost(200.0, 20_000.0, 1.0))
    said = made.to_json()
    assert said["candidates"][said["chosen"]]["limit"] == made.limit.value
    assert {"limit", "false", "missed", "cost"} == set(said["candidates"][0])

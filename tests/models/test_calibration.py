from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.calibration import Alarming, Budget, calibrate, duration_words, held_levels
from tagsight_models.delays import Delays, activations
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats, Times
from tagsight_models.statistics.ewma import smoothed
from tests.models.plants import MINUTE, START

DAY = 1440 * MINUTE
DELAYS = Delays(5 * MINUTE, 5 * MINUTE)
TWO_A_MONTH = Alarming(DELAYS, Budget(2.0, 30 * DAY), MINUTE, MINUTE, 60)


def normal(days: float, seed: int = 0, *, heavy: bool = False) -> tuple[Times, Floats]:
    random = np.random.default_rng(seed)
    steps = int(days * 1440)
    raw = random.standard_t(4, steps) ** 2 if heavy else random.chisquare(30, steps)
    return START + MINUTE * np.arange(steps, dtype=np.int64), np.sqrt(smoothed(raw, 0.1, 50))


@pytest.mark.parametrize("heavy", [False, True], ids=["light-tail", "heavy-tail"])
def test_a_long_normal_time_meets_its_budget_on_time_that_it_did_not_see(*, heavy: bool) -> None:
    limit = calibrate(*normal(100, 1, heavy=heavy), TWO_A_MONTH)
    assert (limit.rule, limit.provisional) == ("counted", "")
    times, distances = normal(300, 2, heavy=heavy)
    assert len(activations(times, distances, limit.value, DELAYS)) <= 2 * 20


@pytest.mark.parametrize(("days", "rule"), [(10, "extrapolated"), (1, "predicted")], ids=["ten-days", "one-day"])
@pytest.mark.parametrize("seed", range(4))
def test_a_short_normal_time_is_extrapolated_and_says_so(days: int, rule: str, seed: int) -> None:
    limit = calibrate(*normal(days, seed), TWO_A_MONTH)
    assert limit.rule == rule
    assert limit.provisional == f"limit provisional: {days} day{'s' if days > 1 else ''} of normal data"
    assert limit.low <= limit.value <= limit.high
    times, distances = normal(120, 100 + seed)
    assert len(activations(times, distances, limit.value, DELAYS)) <= 3 * 8


def test_a_smaller_budget_never_has_a_lower_limit() -> None:
    for days in (1, 10, 60):
        limits = [
            calibrate(*normal(days), Alarming(DELAYS, Budget(allowed, 30 * DAY), MINUTE, MINUTE, 60)).value
            for allowed in (8.0, 2.0, 0.5)
        ]
        assert limits == sorted(limits)


def test_a_longer_on_delay_never_has_a_higher_limit() -> None:
    limits = [
        calibrate(*normal(100), Alarming(Delays(minutes * MINUTE, 0), Budget(2.0, 30 * DAY), MINUTE, MINUTE, 60)).value
        for minutes in (0, 5, 30)
    ]
    assert limits == sorted(limits, reverse=True)


def test_levels_are_the_smallest_within_the_on_delay_and_do_not_cross_a_gap() -> None:
    times = START + MINUTE * np.array([0, 1, 2, 5, 6, 7])
    levels = held_levels(times, np.array([3.0, 2.0, 4.0, 9.0, 8.0, 9.0]), MINUTE, 2 * MINUTE)
    np.testing.assert_array_equal(levels, [np.nan, np.nan, 2.0, np.nan, np.nan, 8.0])


def test_an_alarm_is_announced_exactly_where_the_level_exceeds_the_limit() -> None:
    times, distances = normal(3)
    levels = held_levels(times, distances, MINUTE, DELAYS.on_ns)
    limit = float(np.nanquantile(levels, 0.98))
    announced = {found.announced_ns for found in activations(times, distances, limit, Delays(DELAYS.on_ns, 0))}
    assert announced
    assert announced <= set(times[levels > limit].tolist())
    assert bool(activations(times, distances, float(np.nanmax(levels)), DELAYS)) is False


def test_what_lies_between_due_times_does_not_count() -> None:
    times, distances = normal(3)
    every_five = replace(TWO_A_MONTH, every_ns=5 * MINUTE)
    due = times % (5 * MINUTE) == 0
    between = np.where(due, distances, 1e6)
    assert calibrate(times, between, every_five) == calibrate(times, distances, every_five)
    assert calibrate(times[due], distances[due], every_five) == calibrate(times, distances, every_five)
    assert calibrate(times, distances, every_five).normal_ns == due.sum() * 5 * MINUTE


@pytest.mark.parametrize("every_ns", [0, MINUTE // 2, MINUTE], ids=["none", "half", "one"])
def test_all_steps_are_due_where_scores_come_at_least_as_often(every_ns: int) -> None:
    times, distances = normal(3)
    often = replace(TWO_A_MONTH, every_ns=every_ns)
    assert often.due(times).all()
    assert calibrate(times + 7, distances, often) == calibrate(times, distances, TWO_A_MONTH)


@pytest.mark.parametrize("minutes", [3, 10, 240], ids=str)
def test_a_limit_for_rare_scores_meets_its_budget_on_time_that_it_did_not_see(minutes: int) -> None:
    rarely = replace(TWO_A_MONTH, every_ns=minutes * MINUTE)
    limit = calibrate(*normal(100, 1), rarely)
    times, distances = normal(300, 2)
    due = rarely.due(times)
    assert len(activations(times[due], distances[due], limit.value, DELAYS)) <= 2 * 20


def test_an_interval_that_is_no_multiple_of_the_grid_is_the_next_multiple_as_in_the_service() -> None:
    assert replace(TWO_A_MONTH, every_ns=MINUTE + 1).step_ns == 2 * MINUTE


def test_too_few_windows_are_refused_with_how_many_would_do() -> None:
    with pytest.raises(TooLittleData, match="5 usable steps, at least 20"):
        calibrate(START + MINUTE * np.arange(5), np.ones(5), TWO_A_MONTH)


def test_a_score_that_never_moves_still_has_a_limit_above_it() -> None:
    limit = calibrate(START + MINUTE * np.arange(100), np.zeros(100), TWO_A_MONTH)
    assert limit.value > limit.normal == 0.0


@pytest.mark.parametrize(
    ("span", "words"),
    [(DAY, "1 day"), (22 * DAY, "22 days"), (DAY // 2, "12 hours"), (int(1.5 * DAY), "1.5 days")],
    ids=["day", "days", "hours", "half"],
)
def test_spans_are_told_in_words(span: int, words: str) -> None:
    assert duration_words(span) == words

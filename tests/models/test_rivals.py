"""Champion and challenger on the same live windows."""

import numpy as np
import pytest

from tagsight_models.delays import Delays
from tagsight_models.frame import Floats
from tagsight_models.rivals import DAY, Contest, Rivalry, contest

HOUR = DAY // 24
DELAYS = Delays(0, 0)


def scores(hours: int, *alarms: int) -> Floats:
    found = np.full(hours, 0.3)
    found[list(alarms)] = 1.5
    return found


def judged(champion: Floats, challenger: Floats, true: list[tuple[int, int]] | None = None) -> Contest:
    times = np.arange(len(champion), dtype=np.int64) * HOUR
    return contest(Rivalry(times, champion, challenger), DELAYS, true or [])


def test_a_challenger_that_raises_no_more_alarms_and_finds_every_true_one_holds() -> None:
    found = judged(scores(240, 10, 50), scores(240, 50), [(50 * HOUR, 51 * HOUR)])
    assert (found.champion, found.challenger, found.true_found) == (2, 1, (1, 1))
    assert found.holds


def test_a_challenger_that_misses_an_alarm_called_true_does_not_hold() -> None:
    found = judged(scores(240, 50), scores(240), [(50 * HOUR, 51 * HOUR)])
    assert not found.holds
    assert "misses 1 of 1" in found.verdict


def test_a_challenger_that_raises_more_alarms_and_finds_no_more_does_not_hold() -> None:
    assert not judged(scores(240), scores(240, 10)).holds
    assert judged(scores(240), scores(240, 50), [(50 * HOUR, 51 * HOUR)]).holds


@pytest.mark.parametrize("hours", [0, 1, 160])
def test_too_little_time_together_is_no_judgement(hours: int) -> None:
    found = judged(scores(hours), scores(hours))
    assert not found.holds
    assert found.verdict.startswith("too early")


def test_only_due_times_at_which_both_scored_count() -> None:
    champion = scores(240, 10)
    champion[:200] = np.nan
    assert (judged(champion, scores(240, 10)).champion, judged(champion, scores(240, 10)).challenger) == (0, 0)

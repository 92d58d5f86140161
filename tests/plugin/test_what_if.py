"""Other limits on rehearsed scores."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.what_if import BEFORE_NS, Event, what_if
from tagsight_models.delays import Delays
from tests.plugin.small_site import MINUTE, START

TIMES = START + MINUTE * np.arange(1_000, dtype=np.int64)
AT_ONCE = Delays(0, 0)


def scores(*bumps: tuple[int, int, float]) -> np.ndarray:
    made = np.full(len(TIMES), 0.3)
    for first, last, height in bumps:
        made[first:last] = height
    return made


@given(st.lists(st.floats(0.0, 3.0), min_size=1, max_size=200), st.floats(0.1, 2.0), st.floats(0.0, 1.0))
def test_a_higher_limit_never_makes_more_time_of_alarm(values: list[float], limit: float, more: float) -> None:
    times, found = TIMES[: len(values)], np.array(values)
    low, high = (what_if(times, found, MINUTE, limit=one, delays=AT_ONCE) for one in (limit, limit + more))

    def active(alarms: tuple) -> int:
        return sum((one.cleared_ns or int(times[-1]) + MINUTE) - one.since_ns for one in alarms)

    assert active(high.alarms) <= active(low.alarms)


def test_an_event_is_warned_of_by_the_first_alarm_of_the_day_before_or_while_it_lasts() -> None:
    event = Event(int(TIMES[500]), int(TIMES[600]), "bearing")
    found = what_if(TIMES, scores((470, 520, 1.5), (700, 710, 2.0)), MINUTE, limit=1.0, delays=AT_ONCE, events=[event])
    assert [one.ahead_ns for one in found.warned] == [30 * MINUTE]
    assert (len(found.alarms), found.elsewhere) == (2, 1)
    late = what_if(TIMES, scores((470, 520, 1.5)), MINUTE, limit=1.0, delays=Delays(40 * MINUTE, 0), events=[event])
    assert [one.ahead_ns for one in late.warned] == [-10 * MINUTE]


def test_an_event_without_an_alarm_says_so_and_an_older_alarm_is_none_of_its_warnings() -> None:
    far = Event(int(TIMES[0]) + 2 * BEFORE_NS, int(TIMES[0]) + 3 * BEFORE_NS, "seal")
    found = what_if(TIMES, scores((10, 20, 2.0)), MINUTE, limit=1.0, delays=AT_ONCE, events=[far])
    assert (found.warned[0].ahead_ns, found.elsewhere) == (None, 1)


def test_alarms_are_counted_by_the_time_that_was_scored() -> None:
    values = scores((10, 20, 2.0))
    values[500:] = np.nan
    assert what_if(TIMES, values, MINUTE, limit=1.0, delays=AT_ONCE).per_month == pytest.approx(30 * 1440 / 500)
    nothing = what_if(TIMES, np.full(len(TIMES), np.nan), MINUTE, limit=1.0, delays=AT_ONCE)
    assert np.isnan(nothing.per_month)

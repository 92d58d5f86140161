import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight.alarms import Announcement, judge, lookback_ns
from tagsight.plan import AlarmPlan
from tagsight_models.delays import Activation, Delays, activations

MINUTE = 60_000_000_000
SCORES = st.lists(st.sampled_from([0.2, 1.0, 1.5, 3.0, float("nan")]), min_size=1, max_size=60)


def _judged_one_by_one(times: np.ndarray, scores: np.ndarray, plan: AlarmPlan) -> list[Activation]:
    announced: list[Announcement] = []
    for end in range(1, len(times) + 1):
        first = np.searchsorted(times, times[end - 1] - lookback_ns(plan, MINUTE))
        running = announced[-1] if announced and announced[-1].cleared_ns is None else None
        verdict = judge(times[first:end], scores[first:end], plan, running)
        if verdict.changed and verdict.announcement is not None:
            announced = announced if running is None else announced[:-1]
            announced.append(verdict.announcement)
    return [Activation(one.since_ns, one.announced_ns, one.cleared_ns) for one in announced]


@given(scores=SCORES, on=st.integers(0, 6), off=st.integers(0, 6))
def test_judging_one_by_one_announces_when_the_whole_past_at_once_does(scores: list[float], on: int, off: int) -> None:
    times = np.arange(1, len(scores) + 1, dtype=np.int64) * MINUTE
    values = np.array(scores)
    plan = AlarmPlan(on_delay_ns=on * MINUTE, off_delay_ns=off * MINUTE)
    expected = activations(times, values, 1.0, Delays(on * MINUTE, off * MINUTE))
    judged = _judged_one_by_one(times, values, plan)
    assert [(one.announced_ns, one.cleared_ns) for one in judged] == [
        (one.announced_ns, one.cleared_ns) for one in expected
    ]


def test_a_latched_alarm_stays_until_it_is_acknowledged() -> None:
    times = np.arange(10, dtype=np.int64) * MINUTE
    calm = np.zeros(10)
    plan = AlarmPlan(off_delay_ns=0, latch=True)
    assert judge(times, calm, plan, Announcement(0, 0)).active
    assert not judge(times, calm, plan, Announcement(0, 0, acknowledged=True)).active


def test_a_missing_score_neither_announces_nor_clears() -> None:
    times = np.arange(3, dtype=np.int64) * MINUTE
    plan = AlarmPlan(on_delay_ns=MINUTE, off_delay_ns=MINUTE)
    assert not judge(times, np.array([2.0, 2.0, np.nan]), plan, None).active
    assert judge(times, np.array([0.0, 0.0, np.nan]), plan, Announcement(0, 0)).active

from hypothesis import given
from hypothesis import strategies as st

from tagsight.planner import MOST_DUE_AT_ONCE, Rhythm, due

MINUTE = 60_000_000_000
DAY = 24 * 60 * MINUTE
NOW = 20_000 * DAY + 7 * MINUTE + 30_000_000_000


def rhythm(**changes: int) -> Rhythm:
    values = {"every_ns": MINUTE, "wait_ns": 5_000_000_000, "late_ns": 15 * MINUTE, "catch_up_ns": DAY, **changes}
    return Rhythm("P101/Health", **values)


def test_before_the_first_run_only_the_newest_due_time_counts() -> None:
    assert due(rhythm(), None, NOW).fresh == (20_000 * DAY + 7 * MINUTE,)


def test_every_due_time_since_the_watermark_is_due_once() -> None:
    mark = 20_000 * DAY
    assert due(rhythm(), mark, NOW).fresh == tuple(mark + k * MINUTE for k in range(1, 8))
    assert due(rhythm(), mark + 7 * MINUTE, NOW).fresh == ()


def test_a_due_time_waits_for_its_samples() -> None:
    assert due(rhythm(wait_ns=40_000_000_000), 20_000 * DAY, NOW).fresh[-1] == 20_000 * DAY + 6 * MINUTE


def test_what_is_too_old_to_catch_up_is_counted_as_missed() -> None:
    found = due(rhythm(catch_up_ns=3 * MINUTE), 20_000 * DAY - 100 * MINUTE, NOW)
    assert found.missed + len(found.fresh) == 107
    assert found.fresh[0] >= NOW - 3 * MINUTE


def test_a_clock_that_steps_back_makes_nothing_due_twice() -> None:
    assert due(rhythm(), 20_000 * DAY + 7 * MINUTE, NOW - 60 * MINUTE).fresh == ()


@given(
    every=st.integers(1, 600).map(lambda seconds: seconds * 1_000_000_000),
    behind=st.integers(0, 10 * DAY),
    catch_up=st.integers(MINUTE, DAY),
    wait=st.integers(0, MINUTE),
)
def test_groups_taken_one_after_the_other_leave_no_due_time_out(
    every: int, behind: int, catch_up: int, wait: int
) -> None:
    one = rhythm(every_ns=every, wait_ns=wait, catch_up_ns=catch_up)
    mark = (NOW - behind) // every * every
    expected = range(mark + every, NOW - wait + 1, every)
    seen, missed = 0, 0
    while (found := due(one, mark, NOW)).fresh or found.missed:
        seen, missed = seen + len(found.fresh), missed + found.missed
        assert len(found.fresh) <= MOST_DUE_AT_ONCE
        assert all(later - earlier == every for earlier, later in zip(found.fresh, found.fresh[1:], strict=False))
        mark = found.until_ns
        if seen > 5_000:
            return
    assert seen + missed == len(expected)

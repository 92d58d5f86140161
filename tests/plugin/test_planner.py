from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tagsight.planner import LIVE_AT_MOST, SLICE_OF_ALL, SLICE_OF_ONE, Backlog, Rhythm, due, slice_of_backlogs

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


def test_after_a_long_stop_the_newest_due_time_is_first_and_the_others_are_a_backlog() -> None:
    newest = 20_000 * DAY + 7 * MINUTE
    found = due(rhythm(), newest - 60 * MINUTE, NOW)
    assert (found.fresh, found.until_ns) == ((newest,), newest)
    assert found.behind == Backlog("P101/Health", newest - 59 * MINUTE, newest - MINUTE)


def test_a_slice_is_of_the_models_that_are_farthest_behind() -> None:
    rhythms = [replace(rhythm(), model=f"P{number}/H") for number in range(100)]
    hour = [Backlog(one.model, NOW - 60 * MINUTE, NOW - MINUTE) for one in rhythms[1:]]
    older = Backlog("P0/H", NOW - 70 * MINUTE, NOW - MINUTE)
    (first,) = slice_of_backlogs(rhythms, [*hour, older], NOW)
    assert (first.model, len(first.fresh)) == ("P0/H", SLICE_OF_ONE)
    together = slice_of_backlogs(rhythms, hour, NOW)
    assert len({one.fresh for one in together}) == 1
    assert SLICE_OF_ALL - SLICE_OF_ONE < sum(len(one.fresh) for one in together) <= SLICE_OF_ALL
    assert slice_of_backlogs(rhythms[:1], hour, NOW) == ()


def test_a_clock_that_steps_back_makes_nothing_due_twice() -> None:
    assert due(rhythm(), 20_000 * DAY + 7 * MINUTE, NOW - 60 * MINUTE).fresh == ()


@given(
    every=st.integers(1, 600).map(lambda seconds: seconds * 1_000_000_000),
    behind=st.integers(0, 2 * DAY),
    catch_up=st.integers(MINUTE, DAY),
    wait=st.integers(0, MINUTE),
)
def test_the_present_and_slices_of_the_past_leave_no_due_time_out_and_take_none_twice(
    every: int, behind: int, catch_up: int, wait: int
) -> None:
    one = rhythm(every_ns=every, wait_ns=wait, catch_up_ns=catch_up)
    mark = (NOW - behind) // every * every
    expected = list(range(mark + every, NOW - wait + 1, every))
    found = due(one, mark, NOW)
    assert len(found.fresh) <= LIVE_AT_MOST
    assert due(one, found.until_ns, NOW).fresh == ()
    seen, missed, now = list(found.fresh), found.missed, NOW
    backlogs = [found.behind] if found.behind else []
    while backlogs:
        (step,) = slice_of_backlogs([one], backlogs, now)
        assert len(step.fresh) <= SLICE_OF_ONE
        assert step.behind is not None
        seen, missed, now = [*seen, *step.fresh], missed + step.missed, now + MINUTE
        backlogs = [] if step.behind.done else [step.behind]
    assert len(set(seen)) == len(seen)
    assert set(seen) <= set(expected)
    assert len(seen) + missed == len(expected)

"""Alarm performance figures: laws, and a slow way of counting that must find the same."""

from hypothesis import given
from hypothesis import strategies as st

from tagsight.ledger.records import Activation
from tagsight.reports.alarm_kpis import (
    CHATTER_NS,
    DAY_NS,
    FLOOD_ABOVE,
    FLOOD_BELOW,
    STALE_NS,
    WINDOW_NS,
    alarm_kpis,
    floods,
    peak,
)
from tagsight_connectors.history import Span

MINUTE = 60_000_000_000
START = 1_760_000_000_000_000_000
SHIFT = Span(START, START + 480 * MINUTE)

MINUTES = st.lists(st.integers(0, 479), max_size=80)
CROWDED = st.lists(st.integers(0, 40), min_size=15, max_size=80)


def alarm(minute: int, model: str = "P101/Health", cleared: int | None = None, acked: int | None = None) -> Activation:
    return Activation(
        model,
        since_ns=START + (minute - 5) * MINUTE,
        announced_ns=START + minute * MINUTE,
        cleared_ns=None if cleared is None else START + cleared * MINUTE,
        acknowledged_by="" if acked is None else "olga",
        acknowledged_ns=None if acked is None else START + acked * MINUTE,
    )


ALARMS = st.lists(
    st.builds(
        lambda minute, model, lasts, acked: alarm(
            minute, model, None if lasts is None else minute + lasts, None if acked is None else minute + acked
        ),
        st.integers(-3_000, 600),
        st.sampled_from(["P101/Health", "P102/Health", "K301/Health"]),
        st.none() | st.integers(0, 4_000),
        st.none() | st.integers(0, 600),
    ),
    max_size=60,
)


def in_the_last_ten_minutes(minutes: list[int], now: int) -> int:
    return sum(now - 10 < minute <= now for minute in minutes)


@given(MINUTES | CROWDED)
def test_the_peak_is_the_most_that_any_ten_minutes_hold(minutes: list[int]) -> None:
    slow = max((in_the_last_ten_minutes(minutes, now) for now in range(500)), default=0)
    assert peak([START + minute * MINUTE for minute in minutes]) == slow


@given(MINUTES | CROWDED)
def test_floods_are_what_a_count_of_every_minute_finds(minutes: list[int]) -> None:
    flooded, in_flood = set(), False
    for now in range(480):
        count = in_the_last_ten_minutes(minutes, now)
        in_flood = count >= FLOOD_BELOW if in_flood else count > FLOOD_ABOVE
        if in_flood:
            flooded.add(now)
    found = floods([START + minute * MINUTE for minute in minutes], SHIFT)
    told = {
        minute for one in found for minute in range((one.start_ns - START) // MINUTE, (one.end_ns - START) // MINUTE)
    }
    assert told == flooded


@given(ALARMS, st.randoms())
def test_figures_keep_their_bounds_and_do_not_depend_on_the_order(alarms: list[Activation], random: object) -> None:
    found = alarm_kpis(alarms, SHIFT)
    assert 0 <= found.peak <= found.announced <= len(alarms)
    assert bool(found.floods) == (found.peak > FLOOD_ABOVE)
    assert 0.0 <= found.flood_share <= 1.0
    assert 0.0 <= found.top_share <= 1.0
    assert 0 <= found.acknowledged <= found.announced
    assert sum(count for _, count in found.top) == round(found.top_share * found.announced)
    assert found.per_day == found.announced * 3.0
    shuffled = list(alarms)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    again = alarm_kpis(shuffled, SHIFT)
    assert (again.announced, again.peak, again.floods, again.top, again.chattering) == (
        found.announced, found.peak, found.floods, found.top, found.chattering)  # fmt: skip


@given(ALARMS, st.integers(1, 479))
def test_two_halves_of_a_period_have_the_alarms_of_the_whole(alarms: list[Activation], minute: int) -> None:
    middle = START + minute * MINUTE
    first, second = alarm_kpis(alarms, Span(START, middle)), alarm_kpis(alarms, Span(middle, SHIFT.end_ns))
    whole = alarm_kpis(alarms, SHIFT)
    assert first.announced + second.announced == whole.announced
    assert max(first.peak, second.peak) <= whole.peak


def test_ten_alarms_within_ten_minutes_are_no_flood_and_eleven_are() -> None:
    assert not alarm_kpis([alarm(1)] * 10, SHIFT).floods
    (flood,) = alarm_kpis([alarm(1)] * 11, SHIFT).floods
    assert flood == Span(START + MINUTE, START + MINUTE + WINDOW_NS)


def test_an_alarm_is_stale_after_a_day_and_not_before() -> None:
    shift = Span(START, START + STALE_NS + MINUTE)
    assert not alarm_kpis([alarm(0, cleared=24 * 60)], shift).stale
    assert alarm_kpis([alarm(0)], shift).stale == (alarm(0),)


def test_an_alarm_from_before_the_period_stands_and_is_not_counted_as_announced() -> None:
    found = alarm_kpis([alarm(-60), alarm(-90, "P102/Health", cleared=-1)], SHIFT)
    assert (found.announced, found.standing) == (0, (alarm(-60),))


def test_three_alarms_of_one_model_within_an_hour_chatter_and_those_of_three_models_do_not() -> None:
    assert alarm_kpis([alarm(0), alarm(20), alarm(59)], SHIFT).chattering == ("P101/Health",)
    assert not alarm_kpis([alarm(0), alarm(20), alarm(CHATTER_NS // MINUTE)], SHIFT).chattering
    assert not alarm_kpis([alarm(0, "A/x"), alarm(1, "B/x"), alarm(2, "C/x")], SHIFT).chattering


def test_acknowledging_counts_until_the_end_of_the_period() -> None:
    found = alarm_kpis([alarm(0, acked=4), alarm(10, acked=20), alarm(20), alarm(470, acked=481)], SHIFT)
    assert (found.acknowledged, found.acknowledged_share) == (2, 0.5)
    assert found.median_acknowledged_ns == 7 * MINUTE


def test_without_alarms_there_is_no_share_of_acknowledged_ones() -> None:
    found = alarm_kpis([], Span(START, START + DAY_NS))
    assert (found.per_day, found.acknowledged_share, found.median_acknowledged_ns) == (0.0, None, None)

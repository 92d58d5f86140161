import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.alignment import (
    EARLIEST_NS,
    GRIDS_S,
    SECOND_NS,
    Ignored,
    align,
    clean,
    grid_times,
    median_grid,
    typical_max_gap,
)
from tagsight_models.errors import FrameTooLarge
from tagsight_models.frame import Frame, Role, Series
from tagsight_models.reasons import Reason

T0 = 1_700_000_000 * SECOND_NS
GRID = 10 * SECOND_NS
MEAN, STEP = Role("mean"), Role("step", step=True)


def series(*samples: tuple[float, float, int]) -> Series:
    """(seconds after T0, value, quality)."""
    seconds, values, quality = zip(*samples, strict=True) if samples else ((), (), ())
    return Series(
        T0 + (np.array(seconds, dtype=np.float64) * SECOND_NS).astype(np.int64),
        np.array(values, dtype=np.float64),
        np.array(quality, dtype=np.uint8),
    )


def aligned(one: Series, seconds: int = 60, max_gap_s: int = 20, *, role: Role = MEAN, live: bool = False) -> Frame:
    span = (T0, T0 + seconds * SECOND_NS)
    return align({role.name: one}, [role], GRID, span, {role.name: max_gap_s * SECOND_NS}, live=live)


def test_steps_are_the_multiples_of_the_grid_after_the_start_up_to_the_end() -> None:
    assert grid_times((0, 30), 10).tolist() == [10, 20, 30]
    assert grid_times((5, 29), 10).tolist() == [10, 20]
    assert grid_times((30, 5), 10).tolist() == []


def test_adjacent_spans_share_no_step() -> None:
    both = np.concatenate([grid_times((0, 25), 10), grid_times((25, 60), 10)])
    assert both.tolist() == grid_times((0, 60), 10).tolist()


def test_a_cell_has_the_mean_of_its_samples_and_an_empty_one_the_last_value() -> None:
    frame = aligned(series((1, 1.0, 0), (10, 3.0, 0), (11, 7.0, 0)), 30)
    assert frame.values[:, 0].tolist() == [2.0, 7.0, 7.0]


def test_a_step_role_has_the_last_value() -> None:
    frame = aligned(series((1, 1.0, 0), (10, 3.0, 0), (11, 7.0, 0)), 30, role=STEP)
    assert frame.values[:, 0].tolist() == [3.0, 7.0, 7.0]


def test_a_value_older_than_the_maximum_gap_is_a_gap_and_live_at_the_end_it_is_stale() -> None:
    samples = series((10, 1.0, 0), (40, 2.0, 0))
    gap, stale, used = Reason.GAP, Reason.STALE, Reason.USED
    assert aligned(samples, 70, 10).reasons[:, 0].tolist() == [used, used, gap, used, used, gap, gap]
    assert aligned(samples, 70, 10, live=True).reasons[:, 0].tolist() == [used, used, gap, used, used, stale, stale]
    assert (aligned(series(), live=True).reasons == stale).all()


def test_a_bad_sample_ends_the_held_value_until_a_good_one() -> None:
    frame = aligned(series((5, 1.0, 0), (12, 9.0, 2), (35, 3.0, 0)), 40, 100)
    assert frame.reasons[:, 0].tolist() == [Reason.USED, Reason.BAD_QUALITY, Reason.BAD_QUALITY, Reason.USED]
    assert frame.values[3, 0] == 3.0


def test_a_bad_sample_never_enters_the_mean() -> None:
    assert aligned(series((1, 1.0, 0), (2, 1e9, 2), (3, 3.0, 0)), 10).values[0, 0] == 2.0


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_finite_number_has_no_value(value: float) -> None:
    frame = aligned(series((5, 1.0, 0), (9, value, 0)), 10)
    assert frame.reasons[0, 0] == Reason.NOT_A_NUMBER
    assert np.isnan(frame.values[0, 0])


def test_an_uncertain_sample_marks_every_value_that_rests_on_it() -> None:
    frame = aligned(series((1, 1.0, 1), (2, 1.0, 0), (12, 1.0, 0), (23, 1.0, 1)), 40)
    assert frame.uncertain[:, 0].tolist() == [True, False, True, True]


def test_equal_samples_have_exactly_their_mean_and_large_ones_do_not_overflow() -> None:
    assert aligned(series(*[(second, 0.1, 0) for second in range(1, 10)]), 10).values[0, 0] == 0.1
    assert aligned(series(*[(second, 1e308, 0) for second in range(1, 10)]), 10).values[0, 0] == 1e308


def test_of_equal_times_the_last_stored_counts_and_order_does_not_matter() -> None:
    cleaned, ignored = clean(series((20, 3.0, 0), (10, 1.0, 0), (20, 4.0, 0), (10, 2.0, 0)), T0 * 2)
    assert cleaned.values.tolist() == [2.0, 4.0]
    assert ignored == Ignored(duplicates=2, unsorted=2)


def test_absurd_and_future_times_are_ignored_and_counted() -> None:
    year_9999, year_1601 = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    times = np.array([year_1601, 0, T0, year_9999], dtype=np.int64)
    cleaned, ignored = clean(Series(times, np.arange(4.0), np.zeros(4, dtype=np.uint8)), T0)
    assert cleaned.values.tolist() == [2.0]
    assert ignored == Ignored(absurd=2, future=1)


def test_a_role_without_series_has_a_reason_everywhere() -> None:
    frame = align({}, [MEAN], GRID, (T0, T0 + 3 * GRID), {"mean": GRID})
    assert frame.counts() == {"mean": {Reason.GAP: 3}}


def test_a_frame_that_would_not_fit_is_refused() -> None:
    with pytest.raises(FrameTooLarge, match="at most"):
        align({}, [MEAN], 1, (0, 10**18), {"mean": 1})
    with pytest.raises(ValueError, match="longer than 0"):
        grid_times((0, 10), 0)


def test_the_typical_maximum_gap_forgets_one_outage_among_many_gaps_and_is_two_steps_at_least() -> None:
    regular = series(*[(5.0 * i + (3_600 if i > 1000 else 0), 0.0, 0) for i in range(3000)])
    assert typical_max_gap(regular, SECOND_NS) == 5 * SECOND_NS
    assert typical_max_gap(regular, GRID) == 2 * GRID
    assert typical_max_gap(series(), GRID) == 2 * GRID
    assert typical_max_gap(series((0, 0, 0), (900, 0, 0)), GRID) == 900 * SECOND_NS


@pytest.mark.parametrize(
    ("sampling_s", "grid_s"), [(0.01, 1), (1.02, 1), (7, 5), (59.8, 60), (290, 300), (86_400, 3600)]
)
def test_the_grid_is_the_round_time_nearest_to_the_sampling(sampling_s: float, grid_s: int) -> None:
    tag = series(*[(sampling_s * i, 0.0, 0) for i in range(20)])
    assert median_grid([tag, tag, series()]) == grid_s * SECOND_NS


def test_the_grid_of_nothing_is_one_minute() -> None:
    assert median_grid([]) == median_grid([series((0, 1.0, 0))]) == 60 * SECOND_NS
    assert 60 in GRIDS_S


SAMPLES = st.lists(
    st.tuples(
        st.integers(-400, 1300).map(lambda tenth: tenth / 10),
        st.sampled_from([0.0, 1.0, 2.5, 0.1, -7.3, 1e308, -1e308, np.nan, np.inf]),
        st.sampled_from([0, 0, 0, 1, 2]),
    ),
    max_size=30,
)


@given(samples=SAMPLES, steps=st.integers(1, 12), step=st.booleans(), max_gap_s=st.integers(1, 60))
def test_the_frame_of_a_prefix_is_the_prefix_of_the_frame(
    *, samples: list[tuple[float, float, int]], steps: int, step: bool, max_gap_s: int
) -> None:
    role, whole = Role("r", step=step), series(*samples)
    known = whole.times <= T0 + steps * GRID
    prefix = Series(whole.times[known], whole.values[known], whole.quality[known])
    early = aligned(prefix, steps * 10, max_gap_s, role=role)
    late = aligned(whole, 120, max_gap_s, role=role)
    np.testing.assert_array_equal(early.values, late.values[:steps])
    np.testing.assert_array_equal(early.reasons, late.reasons[:steps])
    np.testing.assert_array_equal(early.uncertain, late.uncertain[:steps])


@given(samples=SAMPLES, first=st.integers(0, 11), step=st.booleans(), max_gap_s=st.integers(1, 60))
def test_a_frame_read_as_far_back_as_the_maximum_gap_equals_the_whole(
    *, samples: list[tuple[float, float, int]], first: int, step: bool, max_gap_s: int
) -> None:
    role, whole, start = Role("r", step=step), series(*samples), T0 + first * GRID
    read = whole.times >= start - max(max_gap_s * SECOND_NS, GRID)
    recent = Series(whole.times[read], whole.values[read], whole.quality[read])
    span = (start, T0 + 120 * SECOND_NS)
    late = align({"r": recent}, [role], GRID, span, {"r": max_gap_s * SECOND_NS})
    full = aligned(whole, 120, max_gap_s, role=role)
    np.testing.assert_array_equal(late.values, full.values[first:])
    np.testing.assert_array_equal(late.reasons, full.reasons[first:])


@given(
    samples=st.lists(
        st.tuples(
            st.integers(-(2**63), 2**63 - 1) | st.integers(EARLIEST_NS - 5, EARLIEST_NS + 5) | st.just(T0),
            st.floats(),
            st.integers(0, 3),
        ),
        max_size=20,
    ),
    live=st.booleans(),
)
def test_poison_never_raises_and_a_value_that_counts_is_finite(
    *, samples: list[tuple[int, float, int]], live: bool
) -> None:
    times, values, quality = zip(*samples, strict=True) if samples else ((), (), ())
    poison = Series(np.array(times, np.int64), np.array(values, np.float64), np.array(quality, np.uint8))
    frame = aligned(poison, 50, 3600, live=live)
    np.testing.assert_array_equal(np.isfinite(frame.values), frame.reasons == Reason.USED)
    np.testing.assert_array_equal(np.isnan(frame.values), frame.reasons != Reason.USED)

"""Trends with fewer points."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight.trends import POINTS_OF_A_BUCKET, thinned

NUMBERS = st.floats(-1e6, 1e6) | st.just(float("nan"))


@given(st.lists(st.tuples(st.integers(0, 50), NUMBERS), max_size=400), st.integers(1, 20))
def test_each_part_keeps_its_lowest_and_its_highest_value_and_there_are_not_more_points_than_promised(
    given_: list[tuple[int, float]], buckets: int
) -> None:
    times = np.cumsum(np.array([1 + gap for gap, _ in given_], dtype=np.int64))
    values = np.array([value for _, value in given_])
    span = (0, int(times[-1]) if len(times) else 1)
    found_times, found = thinned(times, values, span, buckets)
    assert len(found) <= POINTS_OF_A_BUCKET * buckets
    assert (np.diff(found_times) > 0).all()
    place = np.minimum((times / span[1] * buckets).astype(int), buckets - 1)
    found_place = np.minimum((found_times / span[1] * buckets).astype(int), buckets - 1)
    for one in set(place.tolist()):
        whole, kept = values[place == one], found[found_place == one]
        assert np.isfinite(whole).any() == np.isfinite(kept).any()
        if np.isfinite(whole).any():
            assert (np.nanmin(kept), np.nanmax(kept)) == (np.nanmin(whole), np.nanmax(whole))


@given(st.lists(NUMBERS, min_size=1, max_size=300))
def test_every_point_was_there_before(values: list[float]) -> None:
    times = np.arange(len(values), dtype=np.int64)
    found_times, found = thinned(times, np.array(values), (0, len(values)), 3)
    np.testing.assert_array_equal(found, np.array(values)[found_times])


def test_a_hole_stays_a_hole() -> None:
    values = np.ones(10_000)
    values[4_000:5_000] = np.nan
    times = np.arange(10_000, dtype=np.int64)
    found_times, found = thinned(times, values, (0, 10_000), 10)
    assert np.isnan(found[(found_times >= 4_000) & (found_times < 5_000)]).any()
    assert np.isnan(found).sum() <= 10


def test_what_is_outside_the_span_is_left_out() -> None:
    times = np.arange(100, dtype=np.int64)
    found, _ = thinned(times, np.zeros(100), (10, 20), 500)
    assert found.tolist() == list(range(10, 21))

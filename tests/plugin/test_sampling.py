import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight.sampling import Sampling
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD_OUT_OF_RANGE, GOOD, UNCERTAIN

SECOND = 10**9


def page(times: list[int], status: list[int] | None = None) -> TagHistory:
    codes = np.array(status if status is not None else [GOOD] * len(times), dtype=np.uint32)
    return TagHistory(np.array(times, dtype=np.int64), np.zeros(len(times)), codes)


def looked_at(*pages: TagHistory) -> Sampling:
    sampling = Sampling()
    for one in pages:
        sampling.add(one)
    return sampling


def test_a_regular_sampling_is_told_exactly() -> None:
    sampling = looked_at(page([0, 300 * SECOND]), page([600 * SECOND, 900 * SECOND]))
    assert (sampling.gap_ns(0.5), sampling.gap_ns(0.999)) == (300 * SECOND, 300 * SECOND)


@given(st.lists(st.integers(1, 10**15), min_size=2, max_size=60), st.integers(0, 60))
def test_gaps_are_as_of_the_whole_history_within_the_width_of_a_bin(gaps: list[int], cut: int) -> None:
    times = np.cumsum([0, *gaps]).tolist()
    sampling = looked_at(page(times[:cut]), page(times[cut:]))
    exact = sorted(gaps)[max(int(np.ceil(0.5 * len(gaps))) - 1, 0)]
    found = sampling.gap_ns(0.5)
    assert found is not None
    assert exact <= found <= exact * 1.011 + 1


def test_an_empty_history_has_no_gaps_and_no_bad_share() -> None:
    sampling = looked_at(page([]), page([5]))
    assert (sampling.gap_ns(0.5), sampling.holes_ns(), sampling.bad_share, sampling.count) == (None, 0, 0.0, 1)
    assert looked_at().first_ns is None


def test_qualities_and_repeated_times_are_counted() -> None:
    sampling = looked_at(page([1, 1, 2, 3], [GOOD, UNCERTAIN, BAD_OUT_OF_RANGE, GOOD]))
    assert (sampling.bad, sampling.bad_share, sampling.repeated) == (1, 0.25, 1)
    assert sampling.statuses == {UNCERTAIN: 1, BAD_OUT_OF_RANGE: 1}


def test_a_gap_very_much_longer_than_usual_is_a_hole() -> None:
    times = [second * SECOND for second in [*range(100), *range(10_000, 10_100)]]
    assert looked_at(page(times)).holes_ns() == (10_000 - 99) * SECOND

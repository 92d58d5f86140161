from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.frame import Frame, Role
from tagsight_models.reasons import Reason
from tagsight_models.windows import between, digest, windows

GRID = 60
USED, GAP, STALE, STOPPED, STARTING = Reason.USED, Reason.GAP, Reason.STALE, Reason.NOT_RUNNING, Reason.STARTING


def frame_of(*columns: list[Reason]) -> Frame:
    """Values count up 0, 1, 2 ... in each role, plus 100 for the second; NaN where the sample itself is missing."""
    reasons = np.array(columns, dtype=np.uint8).T
    values = np.arange(len(reasons), dtype=np.float64)[:, None] + 100.0 * np.arange(reasons.shape[1])
    values[np.isin(reasons, [GAP, STALE, Reason.BAD_QUALITY, Reason.NOT_A_NUMBER])] = np.nan
    roles = tuple(Role(name) for name in "abcdef"[: reasons.shape[1]])
    times = (1 + np.arange(len(reasons), dtype=np.int64)) * GRID
    return Frame(times, values, reasons, np.zeros(reasons.shape, dtype=np.bool_), roles, GRID)


def test_a_whole_frame_gives_a_window_for_each_step_with_enough_before_it_as_a_view() -> None:
    frame = frame_of([USED] * 5)
    made = windows(frame, 3)
    assert made.ends.tolist() == [180, 240, 300]
    assert made.values[:, :, 0].tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert made.usable.tolist() == [True] * 3
    assert not made.uncertain.any()
    assert made.values.base is not None


def test_windows_end_where_asked_and_elsewhere_there_is_a_gap() -> None:
    made = windows(frame_of([USED] * 5), 3, np.array([300, 180, 120, 999, 181]))
    assert made.values[0, :, 0].tolist() == [2, 3, 4]
    assert made.usable.tolist() == [True, True, False, False, False]
    assert [made.why(n) for n in range(2, 5)] == [(GAP, ("a",))] * 3
    assert made.why(0) == (USED, ())


def test_asking_for_all_ends_is_the_same_as_asking_for_none() -> None:
    frame = frame_of([USED, USED, GAP, USED, USED, STOPPED, USED], [USED] * 7)
    everything, asked = windows(frame, 3), windows(frame, 3, frame.times[2:])
    for name in ("ends", "values", "usable", "uncertain", "reasons", "marked", "too_long"):
        np.testing.assert_array_equal(getattr(everything, name), getattr(asked, name))


def test_a_small_hole_is_bridged_by_the_last_value_and_marked_uncertain() -> None:
    made = windows(frame_of([USED, USED, GAP, GAP, GAP, USED]), 6)
    assert made.values[0, :, 0].tolist() == [0, 1, 1, 1, 1, 5]
    assert made.usable.tolist() == made.uncertain.tolist() == [True]


def test_a_longer_hole_is_never_filled() -> None:
    made = windows(frame_of([USED, GAP, GAP, GAP, GAP, USED], [USED] * 6), 6)
    assert made.usable.tolist() == [False]
    assert made.why(0) == (GAP, ("a",))


def test_an_excluded_value_in_a_small_hole_is_not_used() -> None:
    made = windows(frame_of([USED, Reason.SPIKE, USED]), 3)
    assert made.values[0, :, 0].tolist() == [0, 0, 2]
    assert made.usable.tolist() == [True]


def test_nothing_is_scored_on_a_step_that_is_missing_now() -> None:
    made = windows(frame_of([USED, USED, USED], [USED, USED, Reason.FLAT_LINE]), 3)
    assert made.usable.tolist() == [False]
    assert made.why(0) == (Reason.FLAT_LINE, ("b",))


def test_many_small_holes_are_too_many() -> None:
    every_third = [USED, USED, GAP] * 20
    assert windows(frame_of([*every_third, USED]), 61).usable.tolist() == [False]
    assert windows(frame_of([*every_third, USED]), 61).why(0) == (GAP, ("a",))
    assert windows(frame_of([*[USED] * 42, *every_third[:18], USED]), 61).usable.tolist() == [True]


def test_a_window_that_reaches_back_before_the_start_says_starting_not_stopped() -> None:
    made = windows(frame_of([USED, STOPPED, STOPPED, STARTING, USED, USED]), 2)
    assert [made.why(n)[0] for n in range(5)] == [STOPPED, STOPPED, STARTING, STARTING, USED]
    assert windows(frame_of([STOPPED, USED]), 2).why(0) == (STARTING, ())


def test_the_state_now_goes_before_what_lies_behind() -> None:
    assert windows(frame_of([STOPPED, USED, Reason.BAD_QUALITY]), 3).why(0) == (Reason.BAD_QUALITY, ("a",))


def test_a_frame_shorter_than_a_window_has_none_and_too_small_windows_are_refused() -> None:
    assert len(windows(frame_of([USED] * 2), 3)) == 0
    assert windows(frame_of([]), 3, np.array([60])).usable.tolist() == [False]
    with pytest.raises(ValueError, match="at least one step"):
        windows(frame_of([USED]), 0)


def test_a_digest_changes_with_anything_that_a_run_depends_on_and_with_nothing_else() -> None:
    frame = frame_of([USED] * 4, [USED] * 4)
    first = digest(windows(frame, 3), 1)
    changed = replace(frame, values=frame.values + np.array([[0, 0]] * 3 + [[0, 1e-12]]))
    assert digest(windows(changed, 3), 1) != first
    assert digest(windows(changed, 3), 0) == digest(windows(frame, 3), 0)
    assert digest(windows(replace(frame, uncertain=frame.reasons == USED), 3), 1) != first
    assert digest(windows(replace(frame, roles=(Role("a"), Role("x"))), 3), 1) != first
    assert digest(windows(frame, 3, np.array([240])), 0) == first
    assert digest(windows(frame_of([USED, USED, STALE]), 3), 0) == digest(windows(frame_of([USED, USED, GAP]), 3), 0)


def test_the_steps_between_two_times_are_those_after_the_first_up_to_the_second() -> None:
    part = between(frame_of([USED, GAP, USED, USED]), 60, 180)
    assert part.times.tolist() == [120, 180]
    assert part.reasons[:, 0].tolist() == [GAP, USED]


REASONS = st.sampled_from([USED] * 12 + list(Reason))


@given(st.lists(st.tuples(REASONS, REASONS), min_size=1, max_size=30), st.integers(1, 8), st.integers(0, 4))
def test_a_usable_window_has_only_finite_values_and_an_unusable_one_a_reason(
    rows: list[tuple[Reason, Reason]], steps: int, hole: int
) -> None:
    made = windows(frame_of(*(list(column) for column in zip(*rows, strict=True))), steps, hole_steps=hole)
    assert np.isfinite(made.values[made.usable]).all()
    assert all((made.why(n)[0] == USED) == made.usable[n] for n in range(len(made)))


@given(st.lists(st.tuples(REASONS, REASONS), min_size=8, max_size=40), st.integers(1, 4), st.integers(0, 10))
def test_a_window_is_the_same_in_whatever_frame_it_is_cut_from(
    rows: list[tuple[Reason, Reason]], steps: int, first: int
) -> None:
    frame = frame_of(*(list(column) for column in zip(*rows, strict=True)))
    end = np.array([frame.times[-1]])
    latest = len(rows) - steps - 3  # three steps before the window: as long as a hole
    part = between(frame, min(first, latest) * GRID, int(end[0]))
    assert digest(windows(part, steps, end), 0) == digest(windows(frame, steps, end), 0)
    assert windows(part, steps, end).usable == windows(frame, steps, end).usable

import numpy as np
import pytest

from tagsight_models.diagnosis.folds import folds_of
from tagsight_models.diagnosis.labelled_windows import LabelledWindows, labelled_windows
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tests.models.diagnosis.rigs import cycles, history

ALL = DiagnosisSettings(windows_of_class=100_000)
RUNS = history({"normal": 300, "bearing": 200})


@pytest.fixture(scope="module")
def made() -> LabelledWindows:
    return labelled_windows(RUNS, 24, ALL)


def test_a_window_reaches_over_no_end_of_a_run(made: LabelledWindows) -> None:
    own = made.completed_to < 0
    for start, end in zip(made.starts[own], made.ends[own], strict=True):
        assert np.isfinite(RUNS.frame.values[start : end + 1]).all()


def test_the_first_steps_of_a_fault_are_completed_with_normal_time(made: LabelledWindows) -> None:
    completed = np.flatnonzero(made.completed_to >= 0)
    assert len(completed) == 23
    for n in completed:
        own = int(made.ends[n] - made.starts[n] + 1)
        last = int(made.completed_to[n])
        expected = RUNS.frame.values[[*range(last - 23 + own, last + 1), *range(made.starts[n], made.ends[n] + 1)]]
        np.testing.assert_array_equal(made.values[n], expected)
        assert made.components[0].classes[made.labels[n, 0]] == "bearing"


def test_every_step_of_a_run_of_a_fault_ends_a_window(made: LabelledWindows) -> None:
    ends = made.ends[made.labels[:, 0] == 1]
    np.testing.assert_array_equal(np.sort(ends), np.arange(320, 520))


def test_windows_of_a_class_are_thinned_evenly() -> None:
    few = labelled_windows(RUNS, 24, DiagnosisSettings(windows_of_class=20))
    assert len(few) == 40
    assert np.ptp(np.diff(few.ends[few.labels[:, 0] == 1])) <= 1


def test_held_out_windows_share_no_step_with_learned_ones(made: LabelledWindows) -> None:
    folds = folds_of(made, 3)
    for held, learned in zip(folds.held, folds.learned, strict=True):
        assert held.any()
        assert learned.any()
        steps = [{row for n in np.flatnonzero(chosen) for row in _rows(made, int(n))} for chosen in (held, learned)]
        assert steps[0].isdisjoint(steps[1])


def test_the_beginning_of_a_fault_is_always_learned_from(made: LabelledWindows) -> None:
    first = (made.labels[:, 0] == 1) & (made.ends < 320 + 20)
    folds = folds_of(made, 3)
    assert not folds.held[:, first].any()


def test_each_cycle_is_one_window_with_a_label_of_each_component() -> None:
    found = labelled_windows(cycles(), 30, ALL)
    assert found.cycles
    assert len(found) == 90
    assert found.labels.shape == (90, 2)


def test_combinations_of_labels_are_held_out_whole() -> None:
    found = labelled_windows(cycles(), 30, ALL)
    folds = folds_of(found, 3)
    _, kinds = np.unique(found.labels, axis=0, return_inverse=True)
    for held, learned in zip(folds.held, folds.learned, strict=True):
        assert set(kinds.reshape(-1)[held]).isdisjoint(kinds.reshape(-1)[learned])
    assert (folds.held.sum(axis=0) == 1).all()


def _rows(made: LabelledWindows, n: int) -> range | list[int]:
    own = list(range(int(made.starts[n]), int(made.ends[n]) + 1))
    if made.completed_to[n] < 0:
        return own
    lacking, last = 24 - len(own), int(made.completed_to[n])
    return own + list(range(last - lacking + 1, last + 1))

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.estimates import estimated
from tagsight_models.frame import Flags
from tagsight_models.trained import Trained
from tests.models.plants import linear_plant, two_point_plant, windows_of

NORMAL = windows_of(linear_plant(400, seed=5))[::20]


def absent(*columns: int, roles: int = 6) -> Flags:
    return np.isin(np.arange(roles), columns)


def test_an_absent_role_gets_its_expected_value_at_every_step(linear: Trained) -> None:
    found = estimated(linear.model, NORMAL, absent(2)).windows
    np.testing.assert_allclose(found[:, -1, 2], linear.model.expectation(NORMAL).expected[:, 2])
    np.testing.assert_array_equal(np.delete(found, 2, axis=2), np.delete(NORMAL, 2, axis=2))


def test_what_an_absent_role_held_does_not_matter_even_nan(linear: Trained) -> None:
    holed = NORMAL.copy()
    holed[:, 30:, [1, 4]] = np.nan
    one, other = (estimated(linear.model, windows, absent(1, 4)) for windows in (NORMAL, holed))
    np.testing.assert_array_equal(one.windows, other.windows)


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 5), min_size=2, max_size=4))
def test_settled_estimates_of_several_roles_agree_with_what_is_expected_of_each(
    linear: Trained, columns: set[int]
) -> None:
    found, chosen = estimated(linear.model, NORMAL, absent(*columns)), sorted(columns)
    expected = linear.model.expectation(found.windows).expected[:, chosen]
    parameters = linear.model.parameters
    apart = np.abs(expected - found.windows[:, -1, chosen]) / (parameters.scale * parameters.spread)[chosen]
    assert found.settled.mean() > 0.8
    assert apart[found.settled].max() < 1.0


def test_estimates_that_do_not_agree_with_each_other_are_not_settled(nonlinear: Trained) -> None:
    windows = windows_of(two_point_plant(900, seed=4))[::30]
    found = estimated(nonlinear.model, windows, absent(0, 1, 2, 4, 5, roles=6))
    scores = nonlinear.model.score(found.windows)
    assert not found.settled.all()
    assert estimated(nonlinear.model, windows, absent(4)).settled.all()
    assert np.isfinite(scores).all()


def test_estimates_are_nearer_to_the_truth_than_the_median(nonlinear: Trained) -> None:
    windows = windows_of(two_point_plant(900, seed=4))[::30]
    found = estimated(nonlinear.model, windows, absent(1, 3)).windows[..., [1, 3]]
    ours = np.abs(found - windows[..., [1, 3]]).mean()
    median = np.abs(nonlinear.model.reference[..., [1, 3]] - windows[..., [1, 3]]).mean()
    assert ours < 0.4 * median


@pytest.mark.parametrize("columns", [(0,), (2, 5), (0, 2, 4)], ids=str)
def test_a_normal_window_with_estimates_scores_below_the_limit(linear: Trained, columns: tuple[int, ...]) -> None:
    assert (linear.model.score(estimated(linear.model, NORMAL, absent(*columns)).windows) < 1.0).all()


def test_a_fault_elsewhere_is_still_seen_beside_an_estimate(linear: Trained) -> None:
    faulty = NORMAL.copy()
    faulty[:, 20:, 0] += 60.0
    assert (linear.model.score(estimated(linear.model, faulty, absent(3)).windows) > 1.0).all()

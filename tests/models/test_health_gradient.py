"""The slopes of a health model: of the very score that is written."""

import numpy as np
import pytest

from tagsight_models.frame import Floats
from tagsight_models.health_gradient import slopes
from tagsight_models.scoring_model import DifferentiableModel
from tagsight_models.trained import Trained
from tests.models.plants import linear_plant, two_point_plant, windows_of


def faulty(seed: int = 5) -> Floats:
    found = windows_of(linear_plant(200, seed=seed))[:6].copy()
    found[1:, 20:, 2] += 20.0
    found[3:, 50:, 0] -= 400.0
    found[4] = 1e4
    return found


def test_the_score_that_is_differentiated_is_the_score_that_is_written(linear: Trained) -> None:
    assert isinstance(linear.model, DifferentiableModel)
    np.testing.assert_allclose(slopes(linear.model, faulty())[0], linear.model.score(faulty()), rtol=1e-9, atol=1e-12)


def test_it_is_so_for_a_nonlinear_plant_too(nonlinear: Trained) -> None:
    windows = windows_of(two_point_plant(300, seed=3))[::20]
    np.testing.assert_allclose(slopes(nonlinear.model, windows)[0], nonlinear.model.score(windows), rtol=1e-9)


@pytest.mark.parametrize(("step", "role"), [(59, 2), (40, 2), (30, 0)])
def test_a_slope_is_how_the_score_changes_with_a_value(linear: Trained, step: int, role: int) -> None:
    window = faulty()[1:2]
    found = linear.model.slopes(window)[0, step, role]
    moved = [window.copy(), window.copy()]
    moved[0][0, step, role] -= 1e-4
    moved[1][0, step, role] += 1e-4
    low, high = (float(linear.model.score(one)[0]) for one in moved)
    assert found == pytest.approx((high - low) / 2e-4, rel=1e-4, abs=1e-9)


def test_slopes_are_finite_at_the_reference(linear: Trained) -> None:
    assert np.isfinite(linear.model.slopes(linear.model.reference[None])).all()

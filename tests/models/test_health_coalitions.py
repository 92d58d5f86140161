"""Scores of one window with other roles absent are those of the windows made for it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.frame import Flags, Floats
from tagsight_models.health import HealthModel
from tagsight_models.regimes import Regimes
from tagsight_models.scoring_model import CoalitionModel
from tagsight_models.trained import Trained
from tests.models.plants import linear_plant, two_point_plant, windows_of

LINEAR = windows_of(linear_plant(120, seed=5))
TWO_POINTS = windows_of(two_point_plant(120, seed=5))


def masked(model: HealthModel, window: Floats, present: Flags, *, conditional: bool) -> Floats:
    windows = np.repeat(window[None], len(present), axis=0)
    return model.given(windows, present) if conditional else np.where(present[:, None], windows, model.reference)


@settings(max_examples=15, deadline=None)
@given(
    st.tuples(
        st.sampled_from(["linear", "nonlinear"]),
        st.booleans(),
        st.integers(0, 60),
        st.sampled_from([0.0, 1.0, 8.0, 300.0, 2e5, -1e9]),
        st.integers(0, 2**32),
    )
)
def test_they_are_the_scores_of_the_masked_windows(
    linear: Trained, nonlinear: Trained, drawn: tuple[str, bool, int, float, int]
) -> None:
    which, conditional, number, shift, seed = drawn
    model = (linear if which == "linear" else nonlinear).model
    assert isinstance(model, HealthModel)
    assert isinstance(model, CoalitionModel)
    window = (LINEAR if which == "linear" else TWO_POINTS)[number].copy()
    window[25:, 2] += shift * model.parameters.scale[2]
    present = np.random.default_rng(seed).random((130, len(model.roles))) < 0.6
    present[0], present[1] = True, False
    expected = model.score(masked(model, window, present, conditional=conditional))
    found = model.coalition_scores(window, present, conditional=conditional)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_a_smallest_deviation_counts_as_in_the_score(nonlinear: Trained) -> None:
    model = nonlinear.model
    assert isinstance(model, HealthModel)
    roles = tuple(replace(role, smallest_deviation=0.05) for role in model.roles)
    tolerant = HealthModel(
        roles, model.network, model.parameters, grid_ns=model.grid_ns, window_steps=60, lags=model.lags
    )
    window = TWO_POINTS[0] + 0.1
    present = np.tri(7, 6, -1, dtype=np.bool_)
    expected = tolerant.score(masked(tolerant, window, present, conditional=True))
    np.testing.assert_allclose(tolerant.coalition_scores(window, present, conditional=True), expected, rtol=1e-5)


def test_the_regime_of_the_window_holds_whichever_roles_are_present(linear: Trained) -> None:
    model = linear.model
    assert isinstance(model, HealthModel)
    window = LINEAR[0] + 20.0
    window[:, 0] = 7.0
    regimes = Regimes((0,), ((7.0,), (9.0,)), (0.1,), (2.0, 1.0))
    of_regimes = model.with_parameters(replace(model.parameters, regimes=regimes))
    present = np.tri(7, 6, -1, dtype=np.bool_)
    found = of_regimes.coalition_scores(window, present, conditional=True)
    assert found[-1] == pytest.approx(float(of_regimes.score(window[None])[0]), rel=1e-6)
    assert (found[1:] > 0.0).all()

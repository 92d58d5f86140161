"""What absent roles are expected to be, given the present ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.conditional import covariance_of, filled
from tagsight_models.scoring_model import ConditionalModel
from tagsight_models.trained import Trained

ROWS = np.random.default_rng(0).normal(size=(4000, 4)) @ np.array(
    [[1.0, 0.9, 0.0, 0.0], [0.0, 0.3, 0.0, 0.5], [0.0, 0.0, 1.0, 0.5], [0.0, 0.0, 0.0, 0.2]]
)
COVARIANCE = covariance_of(ROWS)


@given(st.lists(st.booleans(), min_size=4, max_size=4))
def test_it_is_the_conditional_mean_of_a_gaussian(flags: list[bool]) -> None:
    present, window = np.array(flags), ROWS[:3]
    found = filled(window[None], present[None], COVARIANCE)[0]
    absent = ~present
    inverse = np.linalg.inv(COVARIANCE[np.ix_(present, present)])
    expected = window[:, present] @ inverse @ COVARIANCE[np.ix_(present, absent)]
    np.testing.assert_allclose(found[:, absent], expected, atol=1e-9)
    np.testing.assert_array_equal(found[:, present], window[:, present])


def test_what_an_absent_role_holds_plays_no_part() -> None:
    one, present = ROWS[None, :5].copy(), np.array([[True, True, False, False]])
    other = one.copy()
    other[:, :, 2:] = 99.0
    np.testing.assert_array_equal(filled(one, present, COVARIANCE), filled(other, present, COVARIANCE))


def test_a_health_model_gives_its_reference_where_nothing_is_present_and_the_window_where_all_is(
    linear: Trained,
) -> None:
    model = linear.model
    assert isinstance(model, ConditionalModel)
    window = np.random.default_rng(1).normal(size=(1, model.window_steps, len(model.roles)))
    everything = np.ones((1, len(model.roles)), dtype=np.bool_)
    np.testing.assert_array_equal(model.given(window, everything), window)
    np.testing.assert_allclose(model.given(window, ~everything)[0], model.reference, rtol=1e-12)


@pytest.mark.parametrize("roles", [1, 3])
def test_a_constant_relation_has_an_inverse(roles: int) -> None:
    alike = np.repeat(np.random.default_rng(2).normal(size=(500, 1)), roles, axis=1)
    found = filled(alike[None, :4], np.array([[True] + [False] * (roles - 1)]), covariance_of(alike))
    np.testing.assert_allclose(found[0], alike[:4], atol=0.05)

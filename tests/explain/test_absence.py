"""What an absent role is: three value functions, and the laws of each."""

from dataclasses import dataclass

import numpy as np
import pytest

from tagsight_explain.explainers import EXPLAINERS, explain, explain_many
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import Absent, ExplainSettings
from tagsight_models.conditional import covariance_of, filled
from tagsight_models.frame import Flags, Floats
from tests.explain.doubles import NumpyModel, from_last_step, small

RANDOM = np.random.default_rng(0)
DRIVER = RANDOM.normal(size=(8, 2, 1))
NORMAL = np.concatenate([DRIVER, DRIVER, RANDOM.normal(size=(8, 2, 2))], axis=2)
"""Normal windows of four roles: the first two are one tag twice."""

MANY = np.concatenate([RANDOM.normal(size=(500, 2, 1))[:, :, [0, 0]], RANDOM.normal(size=(500, 2, 2))], axis=2)
"""More of them, as their covariance is to be known well."""


@dataclass
class Expecting(NumpyModel):
    """A model that tells itself what it expects: the conditional Gaussian of `NORMAL` about its reference."""

    def given(self, windows: Floats, present: Flags) -> Floats:
        found = filled(windows - self.reference, present, covariance_of(MANY.reshape(-1, 4))) + self.reference
        return np.where(present[:, None, :], windows, found)


def explained(model: NumpyModel, window: Floats, absent: Absent, explainer: str = "fast") -> Explanation:
    score = float(model.function(window[None])[0])
    settings = ExplainSettings(explainer, seconds=60.0, absent=absent)
    normal = MANY if absent == "conditional" else NORMAL
    found = explain(model, window, score, settings, lambda: 0.0, normal=normal)
    assert found.failure == ""
    return found


@pytest.mark.parametrize("absent", ["reference", "normal", "conditional"])
@pytest.mark.parametrize("seed", range(3))
def test_base_and_contributions_add_up_to_the_score(absent: Absent, seed: int) -> None:
    model, window = small(seed, 4, steps=2), np.random.default_rng(seed).normal(size=(2, 4))
    assert explained(model, window, absent).total == pytest.approx(float(model.function(window[None])[0]), abs=1e-9)


@pytest.mark.parametrize("absent", ["reference", "normal", "conditional"])
def test_the_exact_explainer_of_shap_finds_the_same_under_each(absent: Absent) -> None:
    model, window = small(4, 4, steps=2), RANDOM.normal(size=(2, 4))
    ours, theirs = (explained(model, window, absent, explainer) for explainer in ("fast", "shap-exact"))
    np.testing.assert_allclose(ours.contributions, theirs.contributions, atol=1e-8)
    assert ours.evaluations == theirs.evaluations == (16 * 8 if absent == "normal" else 16)


def test_a_role_that_the_model_ignores_gets_nothing_unless_others_follow_from_it() -> None:
    model = from_last_step(lambda last: last[:, 0] ** 2 + last[:, 2], 4)
    window = np.full((2, 4), 3.0)
    for absent in ("reference", "normal"):
        found = explained(model, window, absent).contributions
        assert found[[1, 3]] == pytest.approx(0.0, abs=1e-12)
    conditional = explained(model, window, "conditional").contributions
    assert conditional[1] > 1.0


def test_two_identical_tags_share_alike_under_each_if_the_model_sees_both() -> None:
    model = from_last_step(lambda last: np.abs(last[:, 0] + last[:, 1]) ** 1.5 + last[:, 2], 4)
    for absent in ("reference", "normal", "conditional"):
        found = explained(model, np.full((2, 4), 2.0), absent).contributions
        assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_if_the_model_sees_one_of_two_identical_tags_both_share_alike_only_given_the_present_ones() -> None:
    model = from_last_step(lambda last: last[:, 0] ** 2, 4)
    window = np.full((2, 4), 3.0)
    assert explained(model, window, "reference").contributions[1] == 0.0
    found = explained(model, window, "conditional").contributions
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_a_role_that_is_as_the_reference_gets_nothing_where_absent_roles_stand_there() -> None:
    model = small(1, 4, steps=2)
    window = model.reference + np.array([1.0, 0.0, -1.0, 2.0])
    assert explained(model, window, "reference").contributions[1] == pytest.approx(0.0, abs=1e-12)
    assert explained(model, window, "normal").contributions[1] != pytest.approx(0.0, abs=1e-3)


def test_contributions_of_a_sum_of_scores_are_the_sums_of_the_contributions() -> None:
    one, other, window = small(1, 4, steps=2), small(2, 4, steps=2), RANDOM.normal(size=(2, 4))
    other.reference = one.reference
    both = NumpyModel(lambda windows: one.function(windows) + other.function(windows), one.reference)
    for absent in ("reference", "normal", "conditional"):
        parts = sum(explained(each, window, absent).contributions for each in (one, other))
        np.testing.assert_allclose(explained(both, window, absent).contributions, parts, atol=1e-9)


def test_drawn_from_normal_windows_the_base_is_their_mean_score() -> None:
    model = small(3, 4, steps=2)
    found = explained(model, RANDOM.normal(size=(2, 4)), "normal")
    assert found.base == pytest.approx(float(model.function(NORMAL).mean()), abs=1e-12)


def test_what_an_absent_role_really_was_plays_no_part() -> None:
    """A fault that two coupled tags share is not hidden: without both, nothing of it is left."""
    model = Expecting(lambda windows: np.abs(windows[:, -1]).max(axis=1), np.zeros((2, 4)))
    window = np.zeros((2, 4))
    window[:, :2] = 5.0
    found = explain(model, window, 5.0, ExplainSettings(), lambda: 0.0)
    assert found.base == 0.0
    np.testing.assert_allclose(found.contributions, [2.5, 2.5, 0.0, 0.0], atol=0.05)


def test_a_model_that_tells_what_it_expects_is_asked_by_default_and_another_stands_at_its_reference() -> None:
    window = RANDOM.normal(size=(2, 4))
    model = small(5, 4, steps=2)
    expecting = Expecting(model.function, model.reference)
    np.testing.assert_array_equal(
        explained(model, window, "").contributions, explained(model, window, "reference").contributions
    )
    np.testing.assert_array_equal(
        explained(expecting, window, "").contributions, explained(expecting, window, "conditional").contributions
    )


@pytest.mark.parametrize("absent", ["normal", "conditional"])
@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_without_normal_windows_it_is_a_failure_that_says_what_to_do(absent: Absent, explainer: str) -> None:
    model, windows = small(0, 4), np.ones((2, 3, 4))
    settings = ExplainSettings(explainer, absent=absent)
    for found in explain_many(model, windows, model.function(windows), settings, lambda: 0.0):
        assert "train again" in found.failure
        assert np.isnan(found.total)

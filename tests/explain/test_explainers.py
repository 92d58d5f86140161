"""Explanations as the scoring worker asks for them."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_explain.explainers import EXPLAINERS, explain, explain_many
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import ExplainSettings
from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats
from tests.explain.doubles import NumpyModel, faulty, from_last_step, residual, small


def still() -> float:
    return 0.0


def explained(model: NumpyModel, window: Floats, explainer: str = "fast", **chosen: float) -> Explanation:
    score = float(model.function(window[None])[0])
    return explain(model, window, score, ExplainSettings(explainer, **chosen), still)  # type: ignore[arg-type]


def relative(found: Floats, truth: Floats) -> float:
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 8))
def test_fast_equals_the_exact_explainer_of_shap(seed: int, roles: int) -> None:
    model = small(seed, roles)
    window = np.random.default_rng(seed + 1).normal(size=(3, roles))
    ours, theirs = explained(model, window), explained(model, window, "shap-exact")
    assert ours.failure == theirs.failure == ""
    np.testing.assert_allclose(ours.contributions, theirs.contributions, atol=1e-8)
    assert ours.base == pytest.approx(theirs.base, abs=1e-8)


def test_the_permutation_explainer_of_shap_agrees_within_its_error() -> None:
    model, window = residual(0), faulty(0)
    ours, theirs = explained(model, window), explained(model, window, "shap-permutation")
    assert theirs.failure == ""
    assert relative(ours.contributions, theirs.contributions) < 0.25
    assert (theirs.standard_error > 0).all()


@pytest.mark.parametrize("kind", ["root", "square", "largest"])
def test_the_default_budget_keeps_the_error_below_a_tenth(kind: str) -> None:
    for seed in range(3):
        model, window = residual(seed, kind=kind), faulty(seed)
        found = explained(model, window)
        assert found.failure == ""
        assert relative(found.contributions, _reference(model, window)) < 0.10


def _reference(model: NumpyModel, window: Floats, permutations: int = 400) -> Floats:
    """The plain definition: permutations one after the other, no code of ours."""
    random, roles = np.random.default_rng(7), window.shape[1]
    total = np.zeros(roles)
    for _ in range(permutations // 2):
        forward = random.permutation(roles)
        for order in (forward, forward[::-1]):
            windows = np.repeat(model.reference[None], roles + 1, axis=0)
            for step, role in enumerate(order, start=1):
                windows[step:, :, role] = window[:, role]
            total[order] += np.diff(model.function(windows))
    return total / permutations


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_the_same_window_gives_the_same_explanation(explainer: str) -> None:
    roles = 8 if explainer == "shap-exact" else 14
    model = residual(1, roles)
    one, again = (explained(model, faulty(1, roles), explainer) for _ in range(2))
    np.testing.assert_array_equal(one.contributions, again.contributions)


def test_shap_leaves_the_global_generator_as_it_was() -> None:
    before = np.random.get_state()[1].tolist()  # type: ignore[union-attr,index]  # noqa: NPY002
    explained(small(0, 5), np.ones((3, 5)), "shap-permutation")
    assert np.random.get_state()[1].tolist() == before  # type: ignore[union-attr,index]  # noqa: NPY002


@pytest.mark.parametrize("roles", [6, 16])
def test_many_windows_together_are_explained_as_each_alone(roles: int) -> None:
    model = residual(2, roles)
    windows = np.stack([faulty(seed, roles) for seed in range(20)])
    together = explain_many(model, windows, model.function(windows), ExplainSettings(), still)
    for window, found in zip(windows, together, strict=True):
        alone = explained(model, window)
        np.testing.assert_allclose(found.contributions, alone.contributions, rtol=1e-9, atol=1e-12)
        assert found.evaluations == alone.evaluations


def test_a_wrong_score_is_told() -> None:
    model, window = small(0, 4), np.ones((3, 4))
    score = float(model.function(window[None])[0])
    found = explain(model, window, score + 0.01, ExplainSettings(), still)
    assert "add up to" in found.failure
    assert explain(model, window, score + 0.00005, ExplainSettings(), still).failure == ""


def test_one_role_gets_everything() -> None:
    found = explained(from_last_step(lambda last: last[:, 0] ** 3, 1), np.full((2, 1), 2.0))
    assert (found.base, found.contributions.tolist(), found.shares().tolist()) == (0.0, [8.0], [100.0])


@pytest.mark.parametrize("roles", [3, 20])
def test_a_model_that_ignores_its_input_gives_zeros(roles: int) -> None:
    found = explained(from_last_step(lambda last: np.full(len(last), 0.7), roles), np.ones((2, roles)))
    assert found.failure == ""
    assert found.total == 0.7
    assert not found.contributions.any()
    assert not found.shares().any()


@pytest.mark.parametrize("roles", [4, 20])
def test_identical_tags_share_alike(roles: int) -> None:
    def function(last: Floats) -> Floats:
        return np.asarray(np.abs(last[:, 0] + last[:, 1]) ** 1.5 + np.tanh(last[:, 2:]).sum(axis=1))

    found = explained(from_last_step(function, roles), np.full((2, roles), 1.5))
    assert found.contributions[0] == pytest.approx(found.contributions[1], rel=0.02)


def test_a_window_at_its_reference_gives_zeros() -> None:
    model = residual(0)
    assert not explained(model, model.reference).contributions.any()


def test_200_roles_fit_into_the_default_budget() -> None:
    model = residual(3, roles=200, steps=12)
    found = explained(model, faulty(3, 200, 12))
    assert found.failure == ""
    assert found.evaluations <= 4096


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_a_failure_and_only_of_its_window(bad: float) -> None:
    model = small(0, 4)
    windows = np.ones((3, 3, 4))
    scores = model.function(windows)
    windows[1, 2, 3] = bad
    found = explain_many(model, windows, scores, ExplainSettings(), still)
    assert [bool(explanation.failure) for explanation in found] == [False, True, False]
    assert np.isnan(found[1].contributions).all()
    assert not found[1].shares().any()


@pytest.mark.parametrize("explainer", EXPLAINERS)
@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        pytest.param({"seconds": 0.0}, "budget of 0 s", id="no-time"),
        pytest.param({"at_most_evaluations": 0}, "0 ", id="no-evaluations"),
    ],
)
def test_a_budget_of_zero_is_a_failure(explainer: str, chosen: dict[str, float], words: str) -> None:
    found = explained(small(0, 4), np.ones((3, 4)), explainer, **chosen)
    assert words in found.failure
    assert np.isnan(found.total)


def test_exact_values_of_too_many_roles_are_refused_with_the_mend() -> None:
    found = explained(residual(0), faulty(0), "shap-exact")
    assert "explainer: fast" in found.failure


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_model_that_breaks_down_on_a_part_is_a_failure(explainer: str) -> None:
    def function(last: Floats) -> Floats:
        if (last[:, 0] == 0.0).any():
            raise UnusableInput("speed", "constant")
        return last.sum(axis=1)

    assert "speed" in explained(from_last_step(function, 3), np.ones((2, 3)), explainer).failure


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_a_part_without_a_finite_score_is_a_failure(explainer: str) -> None:
    model = from_last_step(lambda last: np.where(last[:, 0] == 0.0, np.nan, 1.0), 3)
    assert "not a finite number" in explained(model, np.ones((2, 3)), explainer).failure


@pytest.mark.parametrize("module", ["message", "explanation", "explainers"])
def test_importing_brings_neither_torch_nor_shap(module: str) -> None:
    looks = f"import sys, tagsight_explain.{module}; sys.exit(bool({{'torch', 'shap', 'numba'}} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", looks], check=False).returncode == 0


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_time_that_ends_midway_costs_the_explanation_but_says_so(explainer: str) -> None:
    times = iter([0.0, 0.1, 0.2, 0.3, *[9.0] * 1000])
    model, window = residual(0, 10), faulty(0, 10)
    score = float(model.function(window[None])[0])
    found = explain(model, window, score, ExplainSettings(explainer, seconds=1.0), lambda: next(times))
    assert found.failure == "the budget of 1 s ended before there was a result"
    assert found.evaluations > 0


def test_500_roles_are_explained_with_a_standard_error_each() -> None:
    model = residual(3, roles=500, steps=12)
    found = explained(model, faulty(3, 500, 12), seconds=60.0)
    assert found.failure == ""
    assert found.evaluations <= 4096
    assert (found.standard_error > 0.0).sum() > 400


def test_500_roles_do_not_fit_into_a_small_number_of_evaluations_and_say_so() -> None:
    model = residual(3, roles=500, steps=12)
    assert "budget of 1000 evaluations" in explained(model, faulty(3, 500, 12), at_most_evaluations=1000).failure


def test_constant_tags_get_nothing() -> None:
    model = residual(1, 8)
    window = faulty(1, 8)
    window[:, 3] = model.reference[:, 3]
    assert explained(model, window).contributions[3] == pytest.approx(0.0, abs=1e-12)


def test_a_reference_far_outside_the_data_is_explained_all_the_same() -> None:
    model = small(2, 5)
    far = NumpyModel(model.function, model.reference + 1e6)
    found = explained(far, np.random.default_rng(2).normal(size=(3, 5)))
    assert found.failure == ""
    assert np.isfinite(found.contributions).all()


def test_windows_of_one_model_share_the_coalitions_that_are_drawn() -> None:
    model = residual(2, 16)
    shares = [explained(model, faulty(1, 16) * factor).shares() for factor in (1.0, 1.0 + 1e-9)]
    np.testing.assert_allclose(*shares, atol=1e-4)


def test_memory_is_bounded_whatever_the_number_of_windows() -> None:
    model = residual(0, 6, steps=12)
    windows = np.stack([faulty(seed % 7, 6, 12) for seed in range(400)])
    model.largest_batch = 0
    found = explain_many(model, windows, model.function(windows), ExplainSettings(seconds=60.0), still)
    assert not any(one.failure for one in found)
    assert model.largest_batch * windows[0].nbytes <= 2**19

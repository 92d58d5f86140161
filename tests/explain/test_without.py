"""What the score would be without a role, from the evaluations that are made anyway."""

import numpy as np
import pytest

from tagsight_explain.explainers import explain
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import ExplainSettings
from tests.explain.doubles import NumpyModel, faulty, residual, small


def explained(model: NumpyModel, window: np.ndarray, **chosen: int) -> Explanation:
    score = float(model.function(window[None])[0])
    return explain(model, window, score, ExplainSettings(seconds=60.0, **chosen), lambda: 0.0)  # type: ignore[arg-type]


def score_without(model: NumpyModel, window: np.ndarray, role: int) -> float:
    changed = window.copy()
    changed[:, role] = model.reference[:, role]
    return float(model.function(changed[None])[0])


def test_exact_values_know_it_of_every_role_and_cost_no_evaluation_more() -> None:
    model, window = small(0, 5), np.random.default_rng(0).normal(size=(3, 5))
    found = explained(model, window)
    assert found.without is not None
    assert found.without == pytest.approx([score_without(model, window, role) for role in range(5)])
    assert found.evaluations == 2**5


def test_sampled_values_know_it_of_the_leading_roles() -> None:
    model, window = residual(0), faulty(0)
    found = explained(model, window)
    assert found.without is not None
    leading = np.argsort(-found.contributions)[:5]
    assert found.without[leading] == pytest.approx([score_without(model, window, role) for role in leading])
    assert np.isnan(np.delete(found.without, leading)).all()
    assert found.evaluations <= 4096


def test_a_small_budget_is_not_spent_on_it() -> None:
    found = explained(residual(0), faulty(0), at_most_evaluations=120)
    assert found.failure == ""
    assert found.without is not None
    assert np.isnan(found.without).all()


@pytest.mark.parametrize("absent", ["reference", "normal"])
def test_a_smoothed_score_has_the_smoothed_contributions(absent: str) -> None:
    """Linear smoothing inside the window passes through, exactly; what is smoothed may be as nonlinear as it likes."""
    model, random = small(1, 5), np.random.default_rng(1)
    smoothing, long = np.array([0.5, 0.3, 0.2]), random.normal(size=(5, 5))
    normal = random.normal(size=(3, 5, 5))

    def smoothed(windows: np.ndarray) -> np.ndarray:
        return np.asarray(sum(weight * model.function(windows[:, k : k + 3]) for k, weight in enumerate(smoothing)))

    def contributions(one: NumpyModel, window: np.ndarray, seen: np.ndarray) -> np.ndarray:
        settings = ExplainSettings(seconds=60.0, absent=absent)  # type: ignore[arg-type]
        return explain(
            one, window, float(one.function(window[None])[0]), settings, lambda: 0.0, normal=seen
        ).contributions

    whole = NumpyModel(smoothed, np.tile(model.reference[:1], (5, 1)))
    model.reference = whole.reference[:3]
    parts = [contributions(model, long[k : k + 3], normal[:, k : k + 3]) for k in range(3)]
    np.testing.assert_allclose(contributions(whole, long, normal), smoothing @ np.array(parts), atol=1e-9)

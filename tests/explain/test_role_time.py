"""Role x time: sums, exact cases, and shap's GradientExplainer as the reference."""

from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from tagsight_explain.explainers import explain, failed
from tagsight_explain.role_time import OCCLUSION, SLOPES, RoleTimeSettings, completed, role_time
from tagsight_explain.settings import Absent, ExplainSettings
from tagsight_models.frame import Floats
from tests.explain.doubles import NumpyModel, from_last_step, small

STEPS, ROLES = 6, 3


class TorchModel(NumpyModel):
    """A model whose score is a torch module on the flattened window."""

    def __init__(self, module: nn.Module, reference: Floats) -> None:
        self.module = module.double()
        super().__init__(self._scored, reference)

    def _scored(self, windows: Floats) -> Floats:
        with torch.no_grad():
            return self.module(torch.as_tensor(windows))[:, 0].numpy()

    def slopes(self, windows: Floats) -> Floats:
        values = torch.tensor(windows, requires_grad=True)
        (found,) = torch.autograd.grad(self.module(values).sum(), values)
        return found.numpy()


class ByRole(nn.Module):
    """A curved function of each role's window, added up over the roles: every order gives the same."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.register_buffer("inner", torch.randn(ROLES, STEPS, 4, generator=generator))

    def forward(self, windows: Tensor) -> Tensor:
        hidden = torch.tanh(torch.einsum("ntr,rtk->nrk", windows, self.inner))
        return (hidden**2).sum(dim=(1, 2))[:, None]


def network(seed: int) -> TorchModel:
    torch.manual_seed(seed)
    body = nn.Sequential(nn.Flatten(), nn.Linear(STEPS * ROLES, 12), nn.Tanh(), nn.Linear(12, 1))
    return TorchModel(body, np.zeros((STEPS, ROLES)))


def window(seed: int, roles: int = ROLES) -> Floats:
    return np.random.default_rng(seed).normal(size=(STEPS, roles))


def expected_gradients(module: nn.Module, reference: Floats, one: Floats) -> Floats:
    """Those of shap, which counts in float32."""
    shap = pytest.importorskip("shap")
    background = torch.as_tensor(reference.reshape(-1, *one.shape), dtype=torch.float32)
    theirs = shap.GradientExplainer(deepcopy(module).float(), background, batch_size=500)
    found = theirs.shap_values(torch.as_tensor(one[None], dtype=torch.float32), nsamples=5_000, rseed=1)
    return np.asarray(found)[0, :, :, 0]


def explained(model: NumpyModel, one: Floats):  # noqa: ANN201 - an Explanation
    return explain(model, one, float(model.score(one[None])[0]), ExplainSettings(seconds=60.0), lambda: 0.0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_steps_add_up_to_the_contribution_of_each_role(seed: int) -> None:
    for model in (network(seed), small(seed, ROLES, STEPS)):
        one = window(seed)
        whole = explained(model, one)
        found = role_time(model, one, whole)
        np.testing.assert_allclose(found.values.sum(axis=0), whole.contributions, rtol=0, atol=1e-12)


def test_with_all_orders_there_is_nothing_to_complete() -> None:
    for model, way in ((network(3), SLOPES), (small(3, ROLES, STEPS), OCCLUSION)):
        found = role_time(model, window(3), explained(model, window(3)), RoleTimeSettings(orders=6))
        assert found.method == way
        assert np.abs(found.completed).max() < 1e-6


def test_gradients_are_those_of_the_gradient_explainer_of_shap() -> None:
    model = TorchModel(ByRole(5), np.zeros((STEPS, ROLES)))
    one = window(5)
    expected = expected_gradients(model.module, model.reference, one)
    found = role_time(model, one, explained(model, one), RoleTimeSettings(orders=6, nodes=16))
    assert np.abs(found.values - expected).max() < 0.05 * np.abs(expected).max()
    assert np.abs(found.values).max() > 0.5


def test_one_role_has_the_integrated_gradients_of_its_window() -> None:
    torch.manual_seed(2)
    body = nn.Sequential(nn.Flatten(), nn.Linear(STEPS, 8), nn.Tanh(), nn.Linear(8, 1))
    model, one = TorchModel(body, np.full((STEPS, 1), 0.2)), window(2, roles=1)
    expected = expected_gradients(body, model.reference, one)
    found = role_time(model, one, explained(model, one))
    assert np.abs(found.values - expected).max() < 0.05 * np.abs(expected).max()


def test_occlusion_finds_the_segment_that_matters() -> None:
    model = from_last_step(lambda last: last @ np.array([1.0, 2.0, 0.0]), ROLES)
    one = np.ones((2, ROLES))
    found = role_time(model, one, explained(model, one))
    np.testing.assert_allclose(found.values, [[0.0, 0.0, 0.0], [1.0, 2.0, 0.0]], atol=1e-12)


def test_a_role_that_nothing_points_at_has_its_contribution_spread_evenly() -> None:
    values, added = completed(np.zeros((4, 1)), np.array([2.0]))
    np.testing.assert_array_equal(values, np.full((4, 1), 0.5))
    np.testing.assert_array_equal(added, [2.0])


def test_completion_changes_no_sign_while_less_is_missing_than_there_is() -> None:
    values, added = completed(np.array([[3.0], [-1.0], [0.0]]), np.array([2.4]))
    assert (np.sign(values[:, 0]) == [1.0, -1.0, 0.0]).all()
    assert values.sum() == pytest.approx(2.4)
    assert added == pytest.approx([0.4])


def test_without_an_explanation_there_are_no_numbers() -> None:
    model = network(1)
    found = role_time(model, window(1), failed(("a", "b", "c"), "why"))
    assert np.isnan(found.values).all()


def test_the_same_window_gives_the_same_numbers() -> None:
    model = small(4, 7, STEPS)
    one = window(4, roles=7)
    whole = explained(model, one)
    np.testing.assert_array_equal(role_time(model, one, whole).values, role_time(model, one, whole).values)


def drawn(seed: int, count: int = 4) -> Floats:
    return np.random.default_rng(seed).normal(size=(count, STEPS, ROLES)) * 0.3


@pytest.mark.parametrize("absent", ["reference", "normal", "conditional"])
def test_every_choice_of_absent_roles_is_walked_as_it_was_explained(absent: Absent) -> None:
    how = ExplainSettings(seconds=60.0, absent=absent)
    for model in (network(6), small(6, ROLES, STEPS)):
        one = window(6)
        score = float(model.score(one[None])[0])
        whole = explain(model, one, score, how, lambda: 0.0, normal=drawn(6))
        assert not whole.failure
        found = role_time(model, one, whole, RoleTimeSettings(orders=6), explained=how, normal=drawn(6))
        np.testing.assert_allclose(found.values.sum(axis=0), whole.contributions, atol=1e-12)
        assert np.abs(found.completed).max() < 1e-6


def test_a_group_joins_as_a_whole() -> None:
    how = ExplainSettings(seconds=60.0, groups=(("loop", ("role0", "role2")),))
    model, one = network(7), window(7)
    whole = explain(model, one, float(model.score(one[None])[0]), how, lambda: 0.0)
    found = role_time(model, one, whole, explained=how)
    assert found.roles == ("loop", "role1")
    assert found.values.shape == (STEPS, 2)
    assert np.abs(found.completed).max() < 1e-6


def test_expected_gradients_over_normal_windows_are_those_of_shap() -> None:
    how = ExplainSettings(seconds=60.0, absent="normal")
    model, one, normal = TorchModel(ByRole(8), np.zeros((STEPS, ROLES))), window(8), drawn(8)
    whole = explain(model, one, float(model.score(one[None])[0]), how, lambda: 0.0, normal=normal)
    found = role_time(model, one, whole, RoleTimeSettings(orders=6, nodes=16), explained=how, normal=normal)
    expected = expected_gradients(model.module, normal, one)
    assert np.abs(found.values - expected).max() < 0.08 * np.abs(expected).max()

import numpy as np
import torch

from tagsight_models.networks.leave_role_out import LeaveRoleOut, context
from tagsight_models.networks.ridge import leave_role_out_ridge


def network() -> LeaveRoleOut:
    made = LeaveRoleOut(roles=4, lags=3, hidden=8, seed=1).double()
    generator = torch.Generator().manual_seed(2)
    rows = torch.randn(500, 12, generator=generator, dtype=torch.float64).numpy()
    made.linear.copy_(torch.as_tensor(leave_role_out_ridge(rows, 4)))
    with torch.no_grad():
        made.last.copy_(torch.randn(made.last.shape, generator=generator))
    return made


def test_a_role_never_sees_itself() -> None:
    made, rows = network(), torch.randn(20, 12, dtype=torch.float64)
    changed = rows.clone()
    changed[:, 1::4] += 100.0
    before, after = made(rows), made(changed)
    for one, other in zip(before, after, strict=True):
        torch.testing.assert_close(one[:, 1], other[:, 1])
        assert not torch.allclose(one[:, 0], other[:, 0])


def test_without_its_hidden_layer_the_linear_part_remains() -> None:
    made, rows = network(), torch.randn(20, 12, dtype=torch.float64)
    expected, log_spread = made.without_hidden().double()(rows)
    torch.testing.assert_close(expected, rows @ made.linear)
    assert not log_spread.any()


def test_ridge_finds_a_linear_relation_between_roles() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(2000, 6))
    rows[:, 0] = 2.0 * rows[:, 1] - rows[:, 5]
    coefficients = leave_role_out_ridge(rows, 3)
    np.testing.assert_allclose(coefficients[:, 0], [0, 2, 0, 0, 0, -1], atol=0.05)


def test_ridge_equals_one_regression_for_each_role() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(size=(300, 6)) @ random.normal(size=(6, 6))
    coefficients = leave_role_out_ridge(rows, 3)
    gram = rows.T @ rows / 300
    errors = []
    for strength in (0.003, 0.03, 0.3, 3.0):
        direct = np.zeros((6, 3))
        for role in range(3):
            others = [column for column in range(6) if column % 3 != role]
            inner = gram[np.ix_(others, others)] + strength * np.eye(4)
            direct[others, role] = np.linalg.solve(inner, gram[others, role])
        errors.append(np.abs(direct - coefficients).max())
    assert min(errors) < 1e-10


def test_the_context_holds_causal_lags() -> None:
    values = torch.arange(6.0).reshape(1, 6, 1)
    torch.testing.assert_close(context(values, (0, 2)), torch.tensor([[[2.0, 0], [3, 1], [4, 2], [5, 3]]]))

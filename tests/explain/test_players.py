"""Groups of roles that engineers name, as players."""

import numpy as np
import pytest

from tagsight_explain.explainers import EXPLAINERS, explain
from tagsight_explain.explanation import Explanation
from tagsight_explain.players import Players
from tagsight_explain.settings import ExplainSettings
from tests.explain.doubles import NumpyModel, faulty, from_last_step, residual

LOOPS = (("Suction", ("role0", "role2")), ("Cooling", ("role3", "gone")))


def explained(model: NumpyModel, window: np.ndarray, explainer: str = "fast", groups: object = LOOPS) -> Explanation:
    score = float(model.function(window[None])[0])
    settings = ExplainSettings(explainer, seconds=60.0, groups=groups)  # type: ignore[arg-type]
    return explain(model, window, score, settings, lambda: 0.0)


def test_a_group_stands_where_its_first_role_does_and_roles_that_are_not_there_count_for_nothing() -> None:
    players = Players.of(["role0", "role1", "role2", "role3"], LOOPS)
    assert players.names == ("Suction", "role1", "Cooling")
    present = players.present(np.array([[True, False, False], [False, True, True]]))
    assert present.tolist() == [[True, False, True, False], [False, True, False, True]]


@pytest.mark.parametrize("explainer", EXPLAINERS)
def test_the_contribution_of_a_group_has_the_name_of_the_group(explainer: str) -> None:
    model = from_last_step(lambda last: last[:, 0] * last[:, 2] + last[:, 1] + 2.0 * last[:, 3], 4)
    found = explained(model, np.full((2, 4), 3.0), explainer)
    assert found.failure == ""
    assert found.roles == ("Suction", "role1", "Cooling")
    np.testing.assert_allclose(found.contributions, [9.0, 3.0, 6.0], atol=1e-9)


def test_a_group_of_all_roles_gets_everything() -> None:
    model, window = residual(0, 6), faulty(0, 6)
    found = explained(model, window, groups=(("Unit", tuple(f"role{number}" for number in range(6))),))
    assert found.contributions.tolist() == [pytest.approx(found.total - found.base)]


def test_groups_make_many_roles_exact() -> None:
    model, window = residual(3, roles=500, steps=12), faulty(3, 500, 12)
    groups = tuple((f"Loop{k}", tuple(f"role{role}" for role in range(50 * k, 50 * k + 50))) for k in range(10))
    found = explained(model, window, groups=groups)
    assert found.failure == ""
    assert found.evaluations == 2**10
    assert not found.standard_error.any()

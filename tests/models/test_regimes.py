import json
from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import UnusableInput
from tagsight_models.frame import Floats, Role
from tagsight_models.health import HealthModel
from tagsight_models.jobs import train
from tagsight_models.regimes import CHANGE, CHANGED, FOUND, NEW, UNSEEN, Regimes
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant, windows_of

ROLES = tuple(Role(name) for name in ("a", "b", "c", "grade"))


def graded(steps: int = 4000, every: int = 400) -> Floats:
    """Three roles and a grade of three levels; the second grade is noisier than the others."""
    grade = np.array([10.0, 20.0, 40.0])[(np.arange(steps) // every) % 3]
    noise = np.random.default_rng(0).normal(size=(steps, 3)) * np.where(grade == 20.0, 3.0, 1.0)[:, None]
    return np.column_stack([noise + grade[:, None], grade])


def regimes(named: str = FOUND) -> Regimes:
    found = Regimes.of(graded(), ROLES, named, 60)
    assert found is not None
    return found


@pytest.mark.parametrize("named", [FOUND, "grade"])
def test_levels_that_a_role_holds_are_regimes(named: str) -> None:
    assert regimes(named).centres == ((10.0,), (20.0,), (40.0,))
    assert regimes(named).columns == (3,)


def test_a_window_is_in_one_regime_or_holds_a_change_or_is_in_none() -> None:
    values = graded()
    values[2000:2400, 3] = 30.0
    states = regimes().series_states(values, 60)
    assert states[59:400].tolist() == [0] * 341
    assert (states[400:459] == CHANGED).all()
    assert (states[459:800] == 1).all()
    assert (states[2000:2400] == UNSEEN).all()
    assert (states[2400:2459] == CHANGED).all()
    np.testing.assert_array_equal(states[59:], regimes().states(windows_of(values)))


def test_what_is_usual_in_a_regime_is_what_its_distances_are_divided_by() -> None:
    values = graded()
    distances = np.abs(values[:, 0] - values[:, 3])
    states = regimes().series_states(values, 60)
    distances[states == CHANGED] *= 4.0
    distances[:59] = np.nan
    found = regimes().with_factors(states, distances)
    assert found.factors[1] > 2.0 * found.factors[0]
    assert found.changed is not None
    divided = distances / found.divisors(states)
    shares = [(divided[states == number] > np.nanquantile(divided, 0.99)).mean() for number in range(3)]
    assert max(shares) < 0.03
    assert np.nanmax(divided[states == CHANGED]) <= np.nanmax(divided)


def test_changes_that_were_seen_too_seldom_are_not_judged() -> None:
    values = graded(2000, 1200)
    found = Regimes.of(values, ROLES, "grade", 60)
    assert found is not None
    states = found.series_states(values, 60)
    found = found.with_factors(states, np.ones(2000))
    assert found.changed is None
    assert found.divisors(np.array([0, CHANGED, UNSEEN])).tolist() == [1.0, np.inf, np.inf]


def test_a_machine_without_held_roles_has_no_regimes() -> None:
    values = linear_plant(3000)
    roles = tuple(Role(f"r{number}") for number in range(6))
    assert Regimes.of(values, roles, FOUND, 60) is None
    assert Regimes.of(values, roles, "", 60) is None


def test_a_role_that_says_no_regime_is_refused_with_what_to_do() -> None:
    with pytest.raises(UnusableInput, match="no levels"):
        Regimes.of(linear_plant(3000)[:, :4], ROLES, "a", 60)
    with pytest.raises(UnusableInput, match="no input"):
        Regimes.of(graded(), ROLES, "recipe", 60)


def test_regimes_travel_as_json() -> None:
    found = replace(regimes(), changed=2.5)
    assert Regimes.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_a_model_with_regimes_raises_no_alarm_on_changes_that_it_knows_and_judges_no_regime_that_it_does_not() -> None:
    values = graded(6000)
    settings = TrainingSettings(regime="grade")
    model = train("health", TrainingData(replace(frame_of(values), roles=ROLES)), settings).model
    assert isinstance(model, HealthModel)
    again = graded(3600) + np.random.default_rng(5).normal(size=(3600, 1)) * np.array([0.1, 0.1, 0.1, 0.0])
    scores = model.series_distance(again) / model.parameters.limit
    assert np.nanmean(scores > 1.0) < 0.01
    windows = windows_of(again)[::97]
    np.testing.assert_allclose(model.distance(windows), model.series_distance(again)[59::97], rtol=1e-9)
    unseen = windows[:3].copy()
    unseen[..., 3] = 30.0
    assert model.unjudged(unseen) == [NEW] * 3
    assert set(model.unjudged(windows)) <= {"", CHANGE}
    copy = HealthModel.from_parts(json.loads(json.dumps(model.description())), model.tensors())
    np.testing.assert_array_equal(copy.score(windows), model.score(windows))

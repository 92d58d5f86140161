import json

import numpy as np
import pytest

from tagsight_models.card import ModelCard
from tagsight_models.drift import Drift, DriftReference, drift
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.trained import Trained
from tests.models.plants import linear_plant


@pytest.fixture(scope="module")
def model(linear: Trained) -> HealthModel:
    assert isinstance(linear.model, HealthModel)
    return linear.model


@pytest.fixture(scope="module")
def reference(model: HealthModel) -> DriftReference:
    return DriftReference.of(model, linear_plant(3000))


def moved(model: HealthModel, reference: DriftReference, change: Floats | float, column: int = 2) -> Drift:
    values = linear_plant(2880, seed=8)
    values[:, column] += change
    return drift(reference, model, values)


def test_a_machine_as_it_was_has_not_drifted(model: HealthModel, reference: DriftReference) -> None:
    found = moved(model, reference, 0.0)
    assert found.residuals < 1.0
    assert not [role.role for role in found.roles if role.kind in {"drift", "fault"}]


def test_a_role_that_wanders_off_over_days_is_a_drift_and_is_named_first(
    model: HealthModel, reference: DriftReference
) -> None:
    found = moved(model, reference, np.linspace(0.0, 8.0, 2880))
    assert found.moved[0] == "role2"
    assert found.roles[2].kind == "drift"
    assert found.roles[2].residual > 0.5
    assert found.residuals > 1.0


def test_the_same_way_gone_at_once_is_a_fault(model: HealthModel, reference: DriftReference) -> None:
    found = moved(model, reference, np.where(np.arange(2880) > 1600, 8.0, 0.0))
    assert found.roles[2].kind == "fault"


def test_a_machine_that_runs_elsewhere_has_other_inputs_and_the_same_relations(
    model: HealthModel, reference: DriftReference
) -> None:
    rest = np.random.default_rng(1).normal(size=(2880, 6)) * 2.0
    mixing = np.random.default_rng(99).normal(size=(2, 6))
    drivers = np.random.default_rng(2).normal(size=(2880, 1)) * 0.2 + np.array([[2.0, 0.0]])
    found = drift(reference, model, 50.0 + 10.0 * (drivers @ mixing) + rest)
    assert found.inputs > 1.0
    assert np.median([role.relation for role in found.roles]) < 1.0


def test_a_reference_travels_as_json(reference: DriftReference) -> None:
    assert DriftReference.from_json(json.loads(json.dumps(reference.to_json()))) == reference


def test_the_stability_index_of_the_training_data_itself_is_nothing(
    model: HealthModel, reference: DriftReference
) -> None:
    found = drift(reference, model, linear_plant(3000))
    assert max(role.stability for role in found.roles) < 1e-9
    assert max(abs(role.residual) for role in found.roles) < 1e-9


def test_gaps_do_not_count_and_too_little_is_refused(model: HealthModel, reference: DriftReference) -> None:
    values = linear_plant(2880, seed=8)
    values[::5] = np.nan
    values[400:] = np.nan
    with pytest.raises(TooLittleData, match="200 are needed"):
        drift(reference, model, values)


def test_the_card_of_a_health_model_keeps_its_reference(linear: Trained, model: HealthModel) -> None:
    kept = DriftReference.from_json(linear.card.facts["drift"])
    assert kept.roles == tuple(role.name for role in linear.card.roles)
    assert drift(kept, model, linear_plant(2880, seed=8)).residuals < 1.5
    assert ModelCard.from_json(linear.card.to_json()) == linear.card

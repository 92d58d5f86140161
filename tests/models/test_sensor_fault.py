import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.faults import InjectedFault, inject
from tagsight_models.frame import Floats
from tagsight_models.health import HealthModel
from tagsight_models.jobs import train
from tagsight_models.sensor_fault import DRIFT, JUMP, NOISE, OFFSET, STUCK, behaviour, sensor_faults
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import frame_of, linear_plant, two_point_plant

KINDS = {"bias": JUMP, "drift": DRIFT, "noise": NOISE, "stuck": STUCK}


def model_of(trained: Trained) -> HealthModel:
    assert isinstance(trained.model, HealthModel)
    return trained.model


def faulty(kind: str, columns: tuple[int, ...], size: float = 12.0, age: int = 30) -> Floats:
    rows = two_point_plant(900, seed=9)[600 + age - 60 : 600 + age]
    spread = two_point_plant(900, seed=9).std(axis=0)
    return inject(rows, 60 - age, InjectedFault(kind, columns, (size,) * len(columns)), spread, 1)


@pytest.mark.parametrize("kind", ["bias", "drift", "noise"])
def test_a_fault_of_one_sensor_is_named_with_its_kind_and_the_rest_is_normal(nonlinear: Trained, kind: str) -> None:
    (found,) = sensor_faults(model_of(nonlinear), faulty(kind, (2,))[None])
    assert found is not None
    assert (found.column, found.kind, found.proven) == (2, KINDS[kind], kind == "noise")
    assert found.score < 0.8


def test_a_sensor_that_stands_still_while_the_machine_changes_its_load_is_named(nonlinear: Trained) -> None:
    (found,) = sensor_faults(model_of(nonlinear), faulty("stuck", (1,), age=40)[None])
    assert found is not None
    assert (found.column, found.kind) == (1, STUCK)


def test_a_sensor_that_has_always_been_off_in_the_window_is_named_but_not_proven(nonlinear: Trained) -> None:
    (found,) = sensor_faults(model_of(nonlinear), faulty("bias", (3,), age=60)[None])
    assert found is not None
    assert (found.column, found.kind, found.proven) == (3, OFFSET, False)


@pytest.mark.parametrize("columns", [(0, 1), (0, 1, 2), (3, 4, 5)], ids=str)
def test_a_fault_that_moves_several_roles_is_nobodys_sensor(nonlinear: Trained, columns: tuple[int, ...]) -> None:
    assert sensor_faults(model_of(nonlinear), faulty("bias", columns)[None]) == [None]


def test_a_normal_window_has_no_sensor_fault(nonlinear: Trained) -> None:
    window = two_point_plant(900, seed=9)[400:460]
    assert sensor_faults(model_of(nonlinear), window[None]) == [None]


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(4)))
def test_the_verdict_of_a_window_does_not_depend_on_the_others(nonlinear: Trained, order: list[int]) -> None:
    windows = np.stack(
        [faulty("bias", (2,)), faulty("bias", (0, 1)), faulty("noise", (4,)), faulty("bias", (3,), age=60)]
    )
    alone = [sensor_faults(model_of(nonlinear), window[None])[0] for window in windows]
    together = sensor_faults(model_of(nonlinear), windows[order])
    for one, number in zip(together, order, strict=True):
        expected = alone[number]
        assert (one and (one.column, one.kind)) == (expected and (expected.column, expected.kind))


def test_a_role_that_the_others_tell_nothing_of_is_never_blamed() -> None:
    random = np.random.default_rng(3)
    values = np.column_stack([linear_plant(2000), random.normal(size=2000)])
    model = model_of(train("health", TrainingData(frame_of(values)), TrainingSettings()))
    window = values[500:560].copy()
    window[30:, 6] += 40.0
    assert float(model.score(window[None])[0]) > 1.0
    assert sensor_faults(model, window[None]) == [None]


def test_behaviour_is_told_from_values_and_residuals_alone() -> None:
    random = np.random.default_rng(0)
    noise, ramp = random.normal(size=60), np.linspace(0.0, 30.0, 60)
    step = np.where(np.arange(60) >= 25, 12.0, 0.0)
    slow = 12.0 * (1.0 - np.exp(-np.maximum(np.arange(60) - 20, 0) / 12.0))
    assert behaviour(noise, noise + step) == JUMP
    assert behaviour(noise, noise + ramp) == DRIFT
    assert behaviour(noise, noise + 12.0) == OFFSET
    assert behaviour(noise, 8.0 * noise) == NOISE
    assert behaviour(np.append(noise, np.full(15, 3.0)), np.append(noise, np.full(15, 9.0))) == STUCK
    assert behaviour(noise, noise + slow) != JUMP
    assert not behaviour(noise, noise)

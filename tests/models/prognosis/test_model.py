"""Remaining life from windows."""

import json

import numpy as np
import pytest

from tagsight_models.prognosis.filters import life_windows
from tagsight_models.prognosis.model import PrognosisModel
from tagsight_models.prognosis.trained import PrognosisTrained
from tests.models.prognosis.worn_machines import life_of

CAP = 60.0


@pytest.fixture(scope="module")
def model(trained: PrognosisTrained) -> PrognosisModel:
    assert isinstance(trained.model, PrognosisModel)
    return trained.model


@pytest.fixture(scope="module")
def windows(model: PrognosisModel) -> np.ndarray:
    values = life_of(np.random.default_rng(50), steps=100)
    return life_windows(values, model.window_steps, range(30, 100))


def unseen(seed: int, count: int, model: PrognosisModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Results and capped truth of one drawn hour of each of new machines."""
    rng = np.random.default_rng(seed)
    told, truth = [], []
    for _ in range(count):
        values = life_of(rng)
        row = int(rng.integers(24, len(values)))
        result = model.results(life_windows(values, model.window_steps, [row]))[0]
        told.append([float(result[name]) for name in ("RemainingLife", "Lower", "Upper")])
        truth.append(min(len(values) - 1 - row, CAP))
    middle, lower, upper = np.array(told).T
    return middle, np.stack([lower, upper]), np.array(truth)


def test_remaining_life_of_new_machines_is_close(model: PrognosisModel) -> None:
    middle, _, truth = unseen(7, 200, model)
    assert np.sqrt(np.mean((middle - truth) ** 2)) < 0.5 * truth.std()


def test_the_interval_covers_machines_that_neither_fit_nor_calibration_saw(model: PrognosisModel) -> None:
    _, (lower, upper), truth = unseen(8, 400, model)
    assert 0.7 < np.mean((lower <= truth) & (truth <= upper)) < 0.95


def test_the_interval_holds_the_prediction_and_stays_between_nothing_and_the_cap(model: PrognosisModel) -> None:
    middle, (lower, upper), _ = unseen(9, 50, model)
    assert (lower <= middle).all()
    assert (middle <= upper).all()
    assert lower.min() >= 0.0
    assert upper.max() <= CAP


def test_the_score_is_one_where_the_remaining_life_is_the_horizon(model: PrognosisModel, windows: np.ndarray) -> None:
    hours = np.array([float(result["RemainingLife"]) for result in model.results(windows)])
    score = model.score(windows)
    assert ((score >= 1.0) == (hours <= 12.0)).all()
    np.testing.assert_allclose(score[hours > 1.0], 12.0 / hours[hours > 1.0])
    assert score[0] < 0.5
    assert score[-1] > 1.0


def test_what_else_is_scored_changes_nothing(model: PrognosisModel, windows: np.ndarray) -> None:
    alone = np.concatenate([model.score(windows[n : n + 1]) for n in range(len(windows))])
    np.testing.assert_allclose(model.score(windows), alone, rtol=1e-6)
    np.testing.assert_array_equal(model.score(windows), model.score(windows))


def test_no_window_has_no_score(model: PrognosisModel) -> None:
    none = np.empty((0, model.window_steps, len(model.roles)))
    assert model.score(none).shape == (0,)
    assert list(model.results(none)) == []


def test_a_model_survives_its_file_to_the_last_bit(model: PrognosisModel, windows: np.ndarray) -> None:
    again = PrognosisModel.from_parts(json.loads(json.dumps(model.description())), model.tensors())
    np.testing.assert_array_equal(again.score(windows), model.score(windows))
    assert list(again.results(windows)) == list(model.results(windows))
    np.testing.assert_array_equal(again.expectation(windows).lower, model.expectation(windows).lower)
    assert all(value.dtype == np.float64 for value in model.tensors().values())


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda tensors: tensors.pop("features/bank"), id="a missing array"),
        pytest.param(lambda tensors: tensors.update({"features/directions": np.zeros((2, 2))}), id="too few roles"),
        pytest.param(lambda tensors: tensors.update({"member/0/head.weight": np.zeros((9, 9))}), id="unfit weights"),
    ],
)
def test_parts_that_do_not_fit_are_refused(model: PrognosisModel, spoil: object) -> None:
    tensors = dict(model.tensors())
    assert callable(spoil)
    spoil(tensors)
    with pytest.raises((ValueError, KeyError)):
        PrognosisModel.from_parts(model.description(), tensors)


def test_results_have_the_names_of_the_outputs(model: PrognosisModel, windows: np.ndarray) -> None:
    assert [output.name for output in model.outputs] == list(model.results(windows[:1])[0])


def test_both_operating_points_are_found_and_a_third_is_unknown(model: PrognosisModel, windows: np.ndarray) -> None:
    assert {str(result["Regime"]) for result in model.results(windows)} == {"1", "2"}
    elsewhere = windows[:1].copy()
    elsewhere[:, -1] += 5.0 * (windows[:, -1].max(axis=0) - windows[:, -1].min(axis=0))
    assert model.results(elsewhere)[0]["Regime"] == "unknown"


def test_a_machine_without_wear_stays_in_the_band_and_a_worn_one_leaves_it(
    model: PrognosisModel, windows: np.ndarray
) -> None:
    told = model.expectation(windows)
    outside = (windows[:, -1] < told.lower) | (windows[:, -1] > told.upper)
    assert outside[0].sum() == 0
    assert outside[-1, :4].sum() >= 3


def test_the_reference_is_a_machine_without_wear(model: PrognosisModel) -> None:
    assert model.reference.shape == (model.window_steps, len(model.roles))
    assert model.score(model.reference[None])[0] < 0.5

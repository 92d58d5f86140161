import json
from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.frame import Floats
from tagsight_models.production.fit import ProductionTrained
from tagsight_models.production.model import ProductionModel
from tests.models.plants import windows_of
from tests.models.production.conftest import BOUNDS, JOB, NAMES, QUICK, data_of, plant, trained_on


def fresh(steps: int = 400) -> tuple[Floats, Floats]:
    inputs, output = plant(steps, seed=9)
    return windows_of(inputs, 4), output[3:]


def test_the_target_is_told_better_than_by_its_mean_and_its_interval_holds_it(production: ProductionTrained) -> None:
    windows, output = fresh()
    said = production.model.results(windows)
    error = output - np.array([one["Prediction"] for one in said])
    assert error.std() < 0.4 * output.std()
    inside = [one["Lower"] <= value <= one["Upper"] for one, value in zip(said, output, strict=True)]  # type: ignore[operator]
    assert 0.8 < np.mean(inside) <= 1.0
    assert not production.compared.trial


def test_a_move_is_advised_inside_the_bounds_whose_gain_lies_in_its_interval(production: ProductionTrained) -> None:
    windows, _ = fresh()
    cold = windows[windows[:, -1, 1] < 78.0][:1].copy()
    cold[:, :, 1] = cold[:, -1:, 1]
    said = production.model.results(cold)[0]
    advised = float(said["Advice/temperature"])
    assert BOUNDS["temperature"][0] <= advised <= BOUNDS["temperature"][1]
    true = 2.0 * (min(advised, 84.0) - cold[0, -1, 1])
    assert float(said["GainLower"]) <= true <= float(said["GainUpper"])
    assert str(said["AdviceText"]).startswith("move temperature from")


def test_no_move_is_advised_where_no_gain_is_certain(production: ProductionTrained) -> None:
    windows, _ = fresh()
    best = windows[:1].copy()
    best[:, :, 1] = 84.5
    said = production.model.results(best)[0]
    assert said["Advice/temperature"] == 84.5
    assert (said["Gain"], said["GainLower"], said["GainUpper"]) == (0.0, 0.0, 0.0)


def test_the_bottleneck_is_the_valve_that_costs_output_while_it_is_open(production: ProductionTrained) -> None:
    windows, _ = fresh()
    shut, opened = windows[:2].copy()
    shut[:, 2], opened[:, 2] = 70.0, 100.0
    said = production.model.results(np.stack([shut, opened]))
    assert [one["Bottleneck"] for one in said] == ["none", "valve"]
    assert [one["AtLimit/valve"] for one in said] == [0.0, 1.0]
    assert float(said[1]["LostBy/valve"]) == pytest.approx(10.0, abs=2.0)


def test_the_score_rises_with_what_inputs_cost_and_seldom_exceeds_its_limit(production: ProductionTrained) -> None:
    windows, _ = fresh()
    scores = production.model.score(windows)
    assert (scores > 1.0).mean() < 0.02
    cold, warm = windows[:1].copy(), windows[:1].copy()
    cold[:, :, 1], warm[:, :, 1] = 75.0, 84.0
    assert production.model.score(cold)[0] > production.model.score(warm)[0] >= 0.0


def test_the_driver_without_effect_comes_last(production: ProductionTrained) -> None:
    assert production.drivers[-1][0] == "idle"
    assert {name for name, _ in production.drivers} == set(NAMES)


def test_a_model_travels_as_json_and_arrays_to_the_last_bit(production: ProductionTrained) -> None:
    windows, _ = fresh(60)
    model = production.model
    again = ProductionModel.from_parts(json.loads(json.dumps(model.description())), model.tensors())
    assert (again.score(windows) == model.score(windows)).all()
    assert list(again.results(windows)) == list(model.results(windows))
    assert [one.name for one in model.outputs] == list(model.results(windows)[0])


@pytest.mark.parametrize("name", ["reference", "usual", "region.whitening", "limits.at", "expected.centre"])
def test_arrays_that_do_not_fit_are_refused(production: ProductionTrained, name: str) -> None:
    tensors = production.model.tensors()
    with pytest.raises((ValueError, KeyError)):
        ProductionModel.from_parts(production.model.description(), tensors | {name: np.zeros((3, 7))})
    with pytest.raises((ValueError, KeyError)):
        ProductionModel.from_parts(
            production.model.description(), {key: array for key, array in tensors.items() if key != name}
        )


def test_a_score_does_not_depend_on_what_else_is_in_the_batch(production: ProductionTrained) -> None:
    windows, _ = fresh(60)
    alone = np.concatenate([production.model.score(windows[n : n + 1]) for n in range(len(windows))])
    np.testing.assert_allclose(alone, production.model.score(windows), rtol=1e-6)


def test_the_reference_scores_near_nothing_and_an_expectation_bounds_it(production: ProductionTrained) -> None:
    model = production.model
    expected = model.expectation(model.reference[None])
    assert (expected.lower <= expected.expected).all()
    assert (expected.expected <= expected.upper).all()
    assert model.score(model.reference[None])[0] < 1.0


def test_a_target_to_be_lowered_is_advised_downwards() -> None:
    inputs, output = plant(2000)
    trained = trained_on(data_of(inputs, -output), replace(JOB, rising=False))
    cold = windows_of(inputs, 4)[:1].copy()
    cold[:, :, 1] = 77.0
    said = trained.model.results(cold)[0]
    assert float(said["Gain"]) > 5.0
    assert float(said["Loss"]) > 0.0
    assert float(said["Best"]) < float(said["Prediction"])


def test_a_target_among_the_inputs_predicts_nothing_and_tells_what_no_input_explains() -> None:
    inputs, output = plant(2000)
    data = data_of(np.concatenate([inputs, output[:, None]], axis=1), output, (*NAMES, "output"))
    trained = trained_on(replace(data, target=None), replace(JOB, regressor=QUICK))
    window = windows_of(data.frame.values, 4)[:1].copy()
    before = trained.model.results(window)[0]
    window[:, -1, -1] -= 7.0
    after = trained.model.results(window)[0]
    assert after["Prediction"] == before["Prediction"]
    assert float(after["Unexplained"]) - float(before["Unexplained"]) == pytest.approx(7.0)
    assert float(after["Loss"]) - float(before["Loss"]) == pytest.approx(7.0)


def test_under_conditions_that_never_were_no_move_is_advised(production: ProductionTrained) -> None:
    windows, _ = fresh()
    strange = windows[:1].copy()
    strange[:, :, 0], strange[:, :, 1] = 40.0, 76.0
    assert production.model.results(strange)[0]["Gain"] == 0.0

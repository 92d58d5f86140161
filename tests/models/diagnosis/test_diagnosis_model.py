import json

import numpy as np
import pytest

from tagsight_models.diagnosis.fit import DiagnosisTrained
from tagsight_models.diagnosis.model import DiagnosisModel
from tests.models.diagnosis.rigs import cut, cycles, running

NEW = {kind: cut(running(200, kind, seed=7), 24) for kind in ("normal", "bearing", "seal", "leak")}


def share(trained: DiagnosisTrained, kind: str, named: str) -> float:
    return float(np.mean([one["Class"] == named for one in trained.model.results(NEW[kind])]))


@pytest.mark.parametrize("kind", ["normal", "bearing", "seal"])
def test_a_known_state_is_named_in_a_run_that_was_never_seen(running_machine: DiagnosisTrained, kind: str) -> None:
    assert share(running_machine, kind, kind) > 0.85


def test_a_fault_that_nobody_labelled_is_called_unknown(running_machine: DiagnosisTrained) -> None:
    assert share(running_machine, "leak", "unknown") > 0.9


def test_the_score_is_below_its_limit_in_normal_time_and_above_in_a_fault(running_machine: DiagnosisTrained) -> None:
    assert np.mean(running_machine.model.score(NEW["normal"]) < 1.0) > 0.85
    assert np.mean(running_machine.model.score(NEW["bearing"]) >= 1.0) > 0.9
    assert running_machine.model.score(NEW["normal"]).min() >= 0.0


def test_the_score_is_one_where_the_probability_of_any_fault_is_at_its_limit(running_machine: DiagnosisTrained) -> None:
    judgement = running_machine.model.judgements[0]
    at = np.log([[1.0 - judgement.fault_from, judgement.fault_from / 2, judgement.fault_from / 2]])
    assert judgement.score(at) == pytest.approx(1.0)


def test_probabilities_of_a_component_sum_to_one(
    running_machine: DiagnosisTrained, cycling_machine: DiagnosisTrained
) -> None:
    told = running_machine.model.results(NEW["seal"][:3])[0]
    assert sum(float(told[f"Probability/{name}"]) for name in ("normal", "bearing", "seal")) == pytest.approx(1.0)
    told = cycling_machine.model.results(np.zeros((1, 30, 3)))[0]
    assert sum(float(told[f"Probability/valve/{name}"]) for name in ("80", "90", "100")) == pytest.approx(1.0)


def test_results_have_exactly_the_names_of_the_outputs(
    running_machine: DiagnosisTrained, cycling_machine: DiagnosisTrained
) -> None:
    for model, windows in ((running_machine.model, NEW["leak"][:2]), (cycling_machine.model, np.zeros((2, 30, 3)))):
        for told in model.results(windows):
            assert list(told) == [one.name for one in model.outputs]


def test_several_components_with_severities_are_named_at_once(cycling_machine: DiagnosisTrained) -> None:
    data = cycles(seed=5)
    windows = data.frame.values.reshape(-1, 35, 3)[:, :30]
    told = cycling_machine.model.results(windows)
    assert np.mean([one["Class/valve"] == data.periods[2 * n].label for n, one in enumerate(told)]) > 0.85
    assert np.mean([one["Class/pump"] == data.periods[2 * n + 1].label for n, one in enumerate(told)]) > 0.85


def test_severities_ascend(cycling_machine: DiagnosisTrained) -> None:
    assert cycling_machine.model.components[0].classes == ("80", "90", "100")


def test_only_the_component_with_a_normal_class_makes_the_score(cycling_machine: DiagnosisTrained) -> None:
    data = cycles(seed=5)
    windows = data.frame.values.reshape(-1, 35, 3)[:, :30]
    worn = np.asarray([one.label == "worn" for one in data.periods[1::2]])
    scores = cycling_machine.model.score(windows)
    assert np.mean((scores >= 1.0) == worn) > 0.85


@pytest.mark.parametrize("which", ["running_machine", "cycling_machine"])
def test_a_model_travels_as_description_and_tensors_to_the_last_bit(which: str, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(which).model
    again = DiagnosisModel.from_parts(json.loads(json.dumps(model.description())), model.tensors())
    windows = np.random.default_rng(0).normal(50.0, 5.0, size=(20, model.window_steps, len(model.roles)))
    np.testing.assert_array_equal(again.score(windows), model.score(windows))
    assert again.results(windows) == model.results(windows)
    assert {array.dtype.name for array in model.tensors().values()} == {"float64"}


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda tensors: tensors.pop("seen.centre"), id="one is missing"),
        pytest.param(lambda tensors: tensors.update(more=np.zeros(1)), id="one too many"),
        pytest.param(lambda tensors: tensors.update({"judgement0.weights": np.zeros(1)}), id="weights of others"),
        pytest.param(
            lambda tensors: tensors.update({"judgement0.experts.forest.roots": np.asarray([1e9])}), id="a broken tree"
        ),
    ],
)
def test_parts_that_do_not_fit_are_refused(running_machine: DiagnosisTrained, break_it: object) -> None:
    tensors = running_machine.model.tensors()
    break_it(tensors)  # type: ignore[operator]
    with pytest.raises((ValueError, KeyError)):
        DiagnosisModel.from_parts(running_machine.model.description(), tensors)


def test_what_else_is_in_the_batch_changes_nothing(running_machine: DiagnosisTrained) -> None:
    model, windows = running_machine.model, NEW["seal"]
    together = model.score(windows)
    np.testing.assert_allclose([float(model.score(one[None])[0]) for one in windows[:9]], together[:9], rtol=1e-6)


def test_a_margin_says_how_much_more_probable_one_class_is_than_another(running_machine: DiagnosisTrained) -> None:
    model, windows = running_machine.model, NEW["bearing"][:5]
    told = model.results(windows)
    expected = [float(one["Probability/bearing"]) / float(one["Probability/seal"]) for one in told]
    np.testing.assert_allclose(model.margin(windows, "bearing", "seal"), np.log(expected), rtol=1e-9)


def test_the_expectation_of_a_role_is_close_in_normal_time_and_far_in_its_fault(
    running_machine: DiagnosisTrained,
) -> None:
    model = running_machine.model
    normal, fault = model.expectation(NEW["normal"]), model.expectation(NEW["bearing"])
    assert ((NEW["normal"][:, -1] > normal.lower) & (NEW["normal"][:, -1] < normal.upper)).mean() > 0.97
    assert (NEW["bearing"][:, -1, 1] > fault.upper[:, 1]).mean() > 0.5


def test_a_window_is_left_as_it_was(running_machine: DiagnosisTrained) -> None:
    windows = NEW["seal"][:3].copy()
    before = windows.copy()
    running_machine.model.score(windows)
    np.testing.assert_array_equal(windows, before)

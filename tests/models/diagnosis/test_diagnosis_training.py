from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.diagnosis.fit import DiagnosisTrained, train_diagnosis
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.errors import LabelsUnusable, ModelError, TooLittleData, UnusableInput
from tagsight_models.training import silent
from tagsight_models.training_data import LabelledPeriod, TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.diagnosis.rigs import MINUTE, START, history

SMALL = DiagnosisSettings(windows_of_class=60, trees=5, folds=2)
STEPS = TrainingSettings(window_steps=24)
TWO = history({"normal": 300, "bearing": 300})


def train(data: TrainingData, settings: TrainingSettings = STEPS) -> DiagnosisTrained:
    return train_diagnosis(data, settings, SMALL, silent)


def labelled(*periods: LabelledPeriod) -> TrainingData:
    return replace(TWO, periods=periods)


def period(start: int, end: int, label: str) -> LabelledPeriod:
    return LabelledPeriod(START + MINUTE * start, START + MINUTE * end, label)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        pytest.param(labelled(), "no labelled periods", id="none"),
        pytest.param(labelled(period(0, 300, "normal")), "one class only, 'normal'; at least two", id="one class"),
        pytest.param(
            labelled(period(9000, 9300, "normal"), period(9400, 9900, "seal")),
            "no labelled period lies in",
            id="outside",
        ),
        pytest.param(labelled(period(0, 300, "normal"), period(320, 620, "nan")), "has no label", id="NaN"),
        pytest.param(labelled(period(0, 300, "normal"), period(320, 620, " ")), "has no label", id="empty"),
        pytest.param(
            labelled(period(0, 300, "normal"), period(200, 620, "seal")), "the same time is labelled", id="two at once"
        ),
        pytest.param(labelled(period(0, 300, "normal"), period(320, 620, "unknown")), "'unknown'", id="unknown"),
        pytest.param(labelled(period(0, 300, "normal"), period(320, 620, "a/b")), "'a/b'", id="no level of a name"),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_refused_with_the_cause(data: TrainingData, words: str) -> None:
    with pytest.raises(LabelsUnusable, match=words) as raised:
        train(data)
    assert raised.value.mend


def test_a_class_with_too_little_time_is_refused_with_how_much_would_do() -> None:
    with pytest.raises(TooLittleData, match=r"class 'seal'.*: 5 usable steps, at least 34 are needed"):
        train(labelled(period(0, 300, "normal"), period(320, 480, "bearing"), period(500, 505, "seal")))


def test_a_constant_role_is_refused_by_name_or_left_out() -> None:
    values = TWO.frame.values.copy()
    values[:, 2] = np.where(np.isnan(values[:, 2]), np.nan, 3.0)
    data = replace(TWO, frame=replace(TWO.frame, values=values))
    with pytest.raises(UnusableInput, match="role2"):
        train(data)
    trained = train(data, replace(STEPS, drop_constant=True))
    assert [role.name for role in trained.model.roles] == ["role0", "role1", "role3"]
    assert "role2" in trained.dropped


def test_a_role_that_varies_only_outside_labelled_time_is_refused() -> None:
    values = TWO.frame.values.copy()
    values[:100, 2] += 5.0
    values[100:, 2] = np.where(np.isnan(values[100:, 2]), np.nan, 3.0)
    data = replace(TWO, frame=replace(TWO.frame, values=values), periods=(period(150, 300, "normal"), TWO.periods[1]))
    with pytest.raises(UnusableInput, match=r"role2.*labelled time"):
        train(data)


def test_a_window_too_short_to_tell_faults_is_refused() -> None:
    with pytest.raises(UnusableInput, match="too short"):
        train(TWO, TrainingSettings(window_steps=5))


def test_labelled_time_that_is_all_excluded_is_refused() -> None:
    reasons = np.full_like(TWO.frame.reasons, 3)
    with pytest.raises(ModelError):
        train(replace(TWO, frame=replace(TWO.frame, reasons=reasons)))


def test_the_same_data_and_seed_give_the_same_bytes_and_another_seed_others() -> None:
    def made(seed: int) -> bytes:
        tensors = train(TWO, replace(STEPS, seed=seed)).model.tensors()
        return b"".join(tensors[name].tobytes() for name in sorted(tensors))

    first = made(1)
    assert made(1) == first
    assert made(2) != first


def test_training_leaves_the_global_random_states_alone() -> None:
    np.random.seed(3)  # noqa: NPY002 - the global state is what is looked at
    expected = np.random.rand()  # noqa: NPY002 - likewise
    np.random.seed(3)  # noqa: NPY002 - likewise
    train(TWO)
    assert np.random.rand() == expected  # noqa: NPY002 - likewise


def test_progress_goes_up_to_the_end() -> None:
    shares: list[float] = []
    train_diagnosis(TWO, STEPS, SMALL, lambda share, _words: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_training_says_how_it_compares_and_what_it_cannot_see(
    running_machine: DiagnosisTrained, cycling_machine: DiagnosisTrained
) -> None:
    assert not running_machine.trial
    assert "the nearest class mean" in running_machine.lines[0]
    assert running_machine.metrics["mean recall"] > 0.8
    assert cycling_machine.metrics["accuracy: valve"] > 0.8
    assert any("Whether valve is normal" in one for one in cycling_machine.cannot_see)


def test_classes_that_do_not_differ_are_put_on_trial_or_named_in_the_card() -> None:
    data = history({"normal": 500})
    periods = [period(start, start + 50, ("normal", "seal")[n % 2]) for n, start in enumerate(range(0, 500, 50))]
    trained = train(replace(data, periods=tuple(periods)))
    assert trained.trial or any("'seal'" in one for one in trained.cannot_see)


def test_held_out_probabilities_are_calibrated(running_machine: DiagnosisTrained) -> None:
    assert running_machine.metrics["calibration error"] < 0.1


def test_a_setting_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown_share"):
        DiagnosisSettings(unknown_share=0.0)
    with pytest.raises(ValueError, match="folds"):
        DiagnosisSettings(folds=1)

"""Which label of a component means no fault."""

import numpy as np
import pytest

from tagsight_models.diagnosis.fit import train_diagnosis
from tagsight_models.diagnosis.labelled_windows import labelled_windows
from tagsight_models.diagnosis.normal_label import normal_label
from tagsight_models.diagnosis.settings import DiagnosisSettings
from tagsight_models.errors import LabelsUnusable
from tagsight_models.training import silent
from tagsight_models.training_settings import TrainingSettings
from tests.models.diagnosis.rigs import cycles

SMALL = {"windows_of_class": 60, "trees": 10, "folds": 2}


@pytest.mark.parametrize(
    ("labels", "normal"),
    [
        pytest.param(("bearing", "normal", "seal"), "normal", id="named so"),
        pytest.param(("Normal", "Worn"), "Normal", id="written otherwise"),
        pytest.param(("0", "1", "2"), "0", id="severities from 0 on"),
        pytest.param(("0.0", "0.5"), "0.0", id="with decimals"),
    ],
)
def test_without_a_word_of_the_engineer_the_labels_suggest_what_is_normal(labels: tuple[str, ...], normal: str) -> None:
    assert normal_label("pump", labels, {}) == normal


@pytest.mark.parametrize("labels", [("73", "80", "100"), ("-1", "0", "1"), ("worn", "new")])
def test_where_nothing_suggests_it_no_label_is_normal(labels: tuple[str, ...]) -> None:
    assert normal_label("pump", labels, {}) not in labels


def test_what_the_engineer_says_of_a_component_wins_over_what_he_says_of_all() -> None:
    given = {"": "ok", "valve": "100"}
    assert normal_label("valve", ("80", "100", "ok"), given) == "100"
    assert normal_label("pump", ("ok", "worn", "normal"), given) == "ok"
    assert normal_label("cooler", ("0", "1"), given) == "0"


@pytest.mark.parametrize(
    ("normal", "words"),
    [
        ({"valve": "99"}, "'99' is said to be normal of valve, whose labels are 100, 80, 90"),
        ({"gearbox": "ok"}, "'gearbox', and no label is about it; components with labels: valve, pump"),
        ({"": "ok"}, "'ok' is said to be normal, and no period is labelled so"),
    ],
)
def test_a_normal_label_that_does_not_occur_is_refused_with_those_that_do(normal: dict[str, str], words: str) -> None:
    with pytest.raises(LabelsUnusable, match=words) as raised:
        labelled_windows(cycles(), 30, DiagnosisSettings(normal=normal))
    assert "diagnosis.labels" in raised.value.mend


def test_a_severity_that_is_said_to_be_normal_lets_its_component_alarm() -> None:
    settings = DiagnosisSettings(normal={"valve": "100"}, **SMALL)  # type: ignore[arg-type]
    trained = train_diagnosis(cycles(), TrainingSettings(window_steps=30), settings, silent)
    valve = trained.model.components[0]
    assert valve.classes[valve.normal] == "100"
    assert not any("Whether valve" in one for one in trained.cannot_see)
    data = cycles(seed=5)
    windows = data.frame.values.reshape(-1, 35, 3)[:, :30]
    healthy = np.asarray([one.label == "100" for one in data.periods[::2]])
    healthy &= np.asarray([one.label == "normal" for one in data.periods[1::2]])
    assert np.mean((trained.model.score(windows) < 1.0) == healthy) > 0.85

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.production.settings import ProductionSettings
from tagsight_models.reasons import Reason
from tests.models.production.conftest import JOB, data_of, plant, trained_on

INPUTS, OUTPUT = plant(600)


@pytest.mark.parametrize(
    ("output", "words"),
    [
        pytest.param(np.arange(600.0) % 3, "3 different values", id="three-values"),
        pytest.param(np.full(600, 7.0), "constant", id="constant"),
    ],
)
def test_a_target_that_is_no_quantity_is_refused(output: np.ndarray, words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        trained_on(data_of(INPUTS, output))


def test_a_missing_target_is_refused() -> None:
    with pytest.raises(UnusableInput, match="no values of it"):
        trained_on(replace(data_of(INPUTS, OUTPUT), target=None))


def test_a_target_without_numbers_is_refused() -> None:
    with pytest.raises(TooLittleData, match="Good quality: 0 usable"):
        trained_on(data_of(INPUTS, np.full(600, np.nan)))


def test_excluding_everything_is_refused() -> None:
    data = data_of(INPUTS, OUTPUT)
    reasons = np.full(data.frame.reasons.shape, Reason.EXCLUDED, dtype=np.uint8)
    with pytest.raises(TooLittleData):
        trained_on(replace(data, frame=replace(data.frame, reasons=reasons)))


def test_a_short_history_is_refused_with_what_would_do() -> None:
    with pytest.raises(TooLittleData, match="at least 200"):
        trained_on(data_of(INPUTS[:150], OUTPUT[:150]))


@pytest.mark.parametrize(
    ("job", "words"),
    [
        pytest.param(replace(JOB, adjustable={"speed": (1.0, 2.0)}), "'speed'.*no usable input", id="no-input"),
        pytest.param(replace(JOB, adjustable={"output": (1.0, 2.0)}), "the target itself|no usable input", id="target"),
        pytest.param(replace(JOB, adjustable={"temperature": (200.0, 300.0)}), "never was between", id="outside"),
        pytest.param(replace(JOB, adjustable={"temperature": (85.0, 75.0)}), "not below", id="turned-round"),
        pytest.param(replace(JOB, conditions=("wind",)), "'wind'.*a condition", id="condition"),
        pytest.param(replace(JOB, conditions=("temperature",)), "adjustable and a condition", id="both"),
        pytest.param(ProductionSettings(stations={"mill": ("idle",)}), "only station", id="one-station"),
        pytest.param(ProductionSettings(stations={"mill": ("starved",)}), "of station mill", id="station-role"),
        pytest.param(
            ProductionSettings(stations={"mill": ("idle", "valve", "weather"), "press": ("idle",)}),
            "one or two",
            id="three-roles",
        ),
    ],
)
def test_settings_that_fit_no_data_are_refused_by_name(job: ProductionSettings, words: str) -> None:
    with pytest.raises(UnusableInput, match=words):
        trained_on(data_of(INPUTS, OUTPUT), job)


def test_an_input_that_does_not_vary_is_refused() -> None:
    inputs = INPUTS.copy()
    inputs[:, 3] = 1.0
    with pytest.raises(UnusableInput, match="constant"):
        trained_on(data_of(inputs, OUTPUT))

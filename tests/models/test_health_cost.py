"""The cost of limits of a health model that is trained with one."""

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.cost import Cost
from tagsight_models.health import HealthModel
from tagsight_models.jobs import train
from tagsight_models.reasons import Reason
from tagsight_models.trained import Trained
from tagsight_models.training_data import NORMAL, LabelledPeriod, TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, START, frame_of, linear_plant

STEPS = 900


def trained(cost: Cost | None, *periods: LabelledPeriod) -> Trained:
    values = linear_plant(STEPS)
    values[500:560, 1] += 200.0  # a fault that was known and excluded
    frame = frame_of(values)
    reasons = frame.reasons.copy()
    reasons[500:560] = Reason.EXCLUDED
    data = TrainingData(replace(frame, reasons=reasons), periods)
    return train("health", data, TrainingSettings(cost=cost))


@pytest.fixture(scope="module")
def plain() -> Trained:
    return trained(None)


def limit_of(model: object) -> float:
    assert isinstance(model, HealthModel)
    return model.parameters.limit


def test_without_a_cost_nothing_is_said_of_it(plain: Trained) -> None:
    assert "cost" not in plain.card.facts


def test_cheap_false_alarms_leave_the_limit_as_it_was_and_dear_ones_raise_it(plain: Trained) -> None:
    low, high = trained(Cost(0.0, 1.0, 1.0)), trained(Cost(1.0, 0.0, 1.0))
    assert limit_of(low.model) == limit_of(plain.model)
    assert limit_of(high.model) > limit_of(plain.model)
    assert high.card.limit["value"] == limit_of(high.model)
    assert "times that of the budget" in high.card.words()
    candidates = high.card.facts["cost"]["candidates"]
    assert [one["missed"] for one in candidates] == sorted(one["missed"] for one in candidates)
    assert high.card.comparison["verdict"] == plain.card.comparison["verdict"]
    windows = np.stack([linear_plant(60, seed=9)])
    assert high.model.score(windows)[0] <= plain.model.score(windows)[0]


def test_a_known_fault_counts_although_the_training_left_it_out() -> None:
    fault = LabelledPeriod(START + 500 * MINUTE, START + 560 * MINUTE, "fault")
    usual = LabelledPeriod(START + 100 * MINUTE, START + 160 * MINUTE, NORMAL)
    outside = LabelledPeriod(START - 500 * MINUTE, START - 400 * MINUTE, "fault")
    assert trained(Cost(1.0, 1.0, 1.0), fault, usual, outside).card.facts["cost"]["known_faults"] == 1

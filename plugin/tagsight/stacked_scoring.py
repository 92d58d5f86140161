"""What models say of windows, those of health models of one shape side by side: the same template on many assets."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tagsight.job_scoring import Evaluated, evaluated
from tagsight_models.frame import Floats, Times
from tagsight_models.health import HealthModel
from tagsight_models.health_stack import HealthStack, at_most_together, shape_of
from tagsight_models.job_model import JobModel
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.scoring_model import Expectation


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """Windows of one model.

    Attributes:
        model: that is asked.
        block: shape (n, window_steps, roles), n at least 1.
        ends_ns: shape (n,), their last steps.
        laboratory: values that a soft sensor is corrected by.
    """

    model: JobModel
    block: Floats
    ends_ns: Times
    laboratory: LabHistory | None


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What the model says of them: scores and results, and what it expected."""

    found: Evaluated
    expected: Expectation


def answers(asks: Sequence[Ask]) -> list[Answer]:
    """What each model says, in order; the same numbers as alone, but for rounding."""
    said: dict[int, Answer] = {}
    groups: dict[object, list[int]] = {}
    for number, one in enumerate(asks):
        if isinstance(one.model, HealthModel):
            groups.setdefault((shape_of(one.model), len(one.block)), []).append(number)
        else:
            said[number] = _alone(one)
    for numbers in groups.values():
        first = asks[numbers[0]].model
        assert isinstance(first, HealthModel)
        at_once = at_most_together(shape_of(first))
        for start in range(0, len(numbers), at_once):
            part = numbers[start : start + at_once]
            said |= zip(part, _together([asks[number] for number in part]), strict=True)
    return [said[number] for number in range(len(asks))]


def _alone(ask: Ask) -> Answer:
    return Answer(evaluated(ask.model, ask.block, ask.ends_ns, ask.laboratory), ask.model.expectation(ask.block))


def _together(asks: Sequence[Ask]) -> list[Answer]:
    """Health models of one shape, and as many windows of each."""
    if len(asks) == 1:
        return [_alone(asks[0])]
    models = [one.model for one in asks if isinstance(one.model, HealthModel)]
    stack, windows = HealthStack(models), np.stack([one.block for one in asks])
    distances, expected = stack.distance(windows), stack.expectation(windows)
    return [
        Answer(
            Evaluated(
                model.score_of_distance(model.of_regimes(one.block, distances[number])), model.results(one.block)
            ),
            Expectation(expected.expected[number], expected.lower[number], expected.upper[number]),
        )
        for number, (one, model) in enumerate(zip(asks, models, strict=True))
    ]

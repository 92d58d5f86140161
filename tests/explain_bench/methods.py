"""All methods that rank the roles of a case: ours under each value function, and the rivals."""

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np

from tagsight_explain.explainers import explain_many
from tagsight_explain.settings import CONDITIONAL, NORMAL, REFERENCE, Absent, ExplainSettings
from tagsight_models.conditional import covariance_of
from tagsight_models.frame import Floats
from tests.explain_bench.cases import Cases
from tests.explain_bench.rivals import rivals

OURS: Final = "TagSight"
VALUES: Final[Mapping[str, Absent]] = {
    OURS: CONDITIONAL,
    "value function (a): absent at the mean": REFERENCE,
    "value function (b): absent drawn from normal windows": NORMAL,
}
STEP_BY_STEP: Final = "value function (c), every step alike (before decision 12)"
BACKGROUND: Final = 6
"""Normal windows that value function (b) draws from; it may ask for as many evaluations as the others."""
SECONDS: Final = 60.0
"""Of each explanation: the evaluations bound the work, so that a busy machine changes no figure."""


def ours(cases: Cases, absent: Absent = CONDITIONAL, evaluations: int | None = None) -> list[Floats]:
    """Contributions of each case under one value function, at the default number of evaluations or another."""
    at_most = ExplainSettings().at_most_evaluations if evaluations is None else evaluations
    least = 6 * len(cases.model.roles) * (BACKGROUND if absent == NORMAL else 1)
    settings = ExplainSettings(seconds=SECONDS, at_most_evaluations=max(at_most, least), absent=absent)
    normal = normal_windows(cases) if absent == NORMAL else None
    found = explain_many(cases.model, cases.windows, cases.scores, settings, time.monotonic, normal=normal)
    wrong = [one.failure for one in found if one.failure]
    assert not wrong, wrong[0]
    return [one.contributions for one in found]


def normal_windows(cases: Cases) -> Floats:
    """Some that the model learned from."""
    steps = cases.model.window_steps
    ends = np.random.default_rng(0).integers(steps, len(cases.normal) + 1, BACKGROUND)
    return np.array([cases.normal[end - steps : end] for end in ends])


def all_methods(cases: Cases, evaluations: int | None = None) -> dict[str, list[Floats]]:
    """Contributions of each case by every method."""
    found = {name: ours(cases, absent, evaluations) for name, absent in VALUES.items()}
    return {**found, STEP_BY_STEP: ours(step_by_step(cases), CONDITIONAL, evaluations), **rivals(cases)}


def step_by_step(cases: Cases) -> Cases:
    """The same model with one covariance for what is slow and what is quick, as it was before."""
    parameters = cases.model.parameters
    covariance = covariance_of((cases.normal - parameters.centre) / parameters.scale)
    model = cases.model.with_parameters(replace(parameters, covariance=np.stack([covariance, covariance])))
    return Cases(model, cases.normal, cases.cases)

"""Scores and results of a model of any job; a soft sensor is corrected by the laboratory values that were known."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tagsight.framing import build_frame, live_span
from tagsight.results import Run
from tagsight.scoring_task import LabReading, ScoreTask
from tagsight_models.card import ModelCard
from tagsight_models.frame import Floats, Times
from tagsight_models.gates import GateLimits
from tagsight_models.job_model import JobModel, Results
from tagsight_models.quality.lab_history import LabHistory
from tagsight_models.quality.shifted import Shifted
from tagsight_models.quality.soft_sensor import SoftSensor
from tagsight_models.scoring_model import ScoringModel
from tagsight_models.windows import windows

BIAS = "Bias"


@dataclass(frozen=True, slots=True, eq=False)
class Evaluated:
    """Scores (n,) and results of n windows."""

    scores: Floats
    results: Sequence[Results]


def evaluated(model: JobModel, block: Floats, ends_ns: Times, laboratory: LabHistory | None) -> Evaluated:
    """Of windows of shape (n, window_steps, roles) that end at `ends_ns`."""
    if isinstance(model, SoftSensor) and laboratory is not None and len(laboratory):
        corrected = model.corrected(block, ends_ns, laboratory)
        return Evaluated(model.corrected_score(corrected), model.corrected_results(block, ends_ns, laboratory))
    return Evaluated(model.score(block), model.results(block))


def laboratory_of(task: ScoreTask, card: ModelCard, limits: GateLimits) -> LabHistory | None:
    """The laboratory values of a task with their windows; those whose inputs cannot be used do not count."""
    if not task.laboratory:
        return None
    found = [(one, window) for one in task.laboratory if (window := _window(one, task, card, limits)) is not None]
    if not found:
        return None
    sampled = np.array([one.sampled_ns for one, _ in found], dtype=np.int64)
    return LabHistory(
        sampled,
        sampled + card.asks.get("target_known_after_ns", 0),
        np.array([one.value for one, _ in found]),
        np.stack([window for _, window in found]),
    )


def explained_as(model: JobModel, run: Run) -> ScoringModel:
    """What gave the score of the run: of a soft sensor, the one with the correction that it had."""
    if isinstance(model, SoftSensor) and isinstance(bias := run.results.get(BIAS), float):
        return Shifted(model, bias)
    return model


def _window(one: LabReading, task: ScoreTask, card: ModelCard, limits: GateLimits) -> Floats | None:
    end = one.sampled_ns // card.grid_ns * card.grid_ns
    start, _ = live_span(end, card.window_steps, card.grid_ns, limits, task.plan.running_buffer_ns)
    roles = card.roles
    if any(role.name not in one.history for role in roles):
        return None
    framed = build_frame(
        {role.name: one.history[role.name] for role in roles},
        {},
        roles,
        card.grid_ns,
        (start, end),
        limits=replace(limits, operands={}),
        periods=[(period.start_ns, period.end_ns) for period in task.plan.train.exclude],
    )
    cut = windows(framed.frame, card.window_steps, np.array([end], dtype=np.int64))
    return np.array(cut.values[0]) if cut.usable[0] else None

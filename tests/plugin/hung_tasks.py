"""A scoring worker of which one model hangs: plain functions that a spawned process can import."""

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tagsight.results import ExplanationResult, Run
from tagsight.scoring_task import ScoredRun, ScoreTask, StorePlace
from tagsight.workers import TaskFunction
from tagsight_connectors.quality import GOOD

HUNG = "P007/Health"

Progress = Callable[[float, str], None]


def _hang(place: StorePlace, model: str) -> None:
    """While the file says so, this model's computation never comes back."""
    if model == HUNG and Path(place.root, "hangs").exists():
        time.sleep(3_600.0)


def _score(argument: Any, _progress: Progress) -> Any:
    place, tasks = argument
    return [_scored(place, task) for task in tasks]


def _scored(place: StorePlace, task: ScoreTask) -> list[ScoredRun]:
    _hang(place, task.plan.key)
    fresh = [due for due in task.due if task.known.get(due) != str(due)]
    return [ScoredRun(Run(task.plan.key, due, 1, 0.5, GOOD, input_digest=str(due))) for due in fresh]


def _explain(argument: Any, _progress: Progress) -> Any:
    place, model, runs, _settings = argument
    _hang(place, model)
    return [replace(one.run, explanation=ExplanationResult(0.0, {}, {})) for one in runs]


def tasks() -> Mapping[str, TaskFunction]:
    """The registry."""
    return {"score": _score, "explain": _explain}

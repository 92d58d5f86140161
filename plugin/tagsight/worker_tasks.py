"""The tasks of the workers: what a name means in their processes.

The service names these functions and never calls them: what computes is imported inside, where torch may be.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tagsight.clocks import Clock
from tagsight.scoring_task import StorePlace
from tagsight.training import TrainFailure
from tagsight.workers import TaskFunction, Worker, Workers

Progress = Callable[[float, str], None]


def scoring_tasks() -> Mapping[str, TaskFunction]:
    """Tasks of the scoring and of the explaining worker; one thread, so that each takes no more than one core."""
    from tagsight.drift_task import drift_found  # noqa: PLC0415 - only in the worker's process
    from tagsight.scoring import Scorer  # noqa: PLC0415 - only in the worker's process

    _one_thread()
    scorers: dict[StorePlace, Scorer] = {}

    def scorer(place: StorePlace) -> Scorer:
        return scorers.setdefault(place, Scorer(place))

    def facts(argument: Any, _progress: Progress) -> Any:
        place, names = argument
        return scorer(place).facts(names)

    def score(argument: Any, _progress: Progress) -> Any:
        place, tasks = argument
        return scorer(place).score_together(tasks)

    def explain(argument: Any, _progress: Progress) -> Any:
        place, model, runs, settings = argument
        return scorer(place).explain(model, runs, settings)

    def drift(argument: Any, _progress: Progress) -> Any:
        return drift_found(argument)

    return {"facts": facts, "score": score, "explain": explain, "drift": drift}


def training_tasks() -> Mapping[str, TaskFunction]:
    """Tasks of the training worker."""
    from tagsight.fitting import compute, compute_together  # noqa: PLC0415 - only in the worker's process
    from tagsight_models.errors import ModelError  # noqa: PLC0415 - likewise

    _one_thread()

    def train_together(tasks: Any, progress: Progress) -> Any:
        def say(number: int, share: float, words: str) -> None:
            progress(share, f"{tasks[number].plan.key}: {words}")

        return [
            TrainFailure(task.plan.key, str(one), one.mend) if isinstance(one, ModelError) else one
            for task, one in zip(tasks, compute_together(tasks, say), strict=True)
        ]

    return {"train": compute, "train together": train_together}


def service_workers(clock: Clock, logs: Path | None = None) -> Workers:
    """The workers of a service; what must not delay a score yields to it. `logs`: folder of their logs."""
    return Workers(
        scoring=Worker("scoring", scoring_tasks, clock, logs=logs),
        explaining=Worker("explaining", scoring_tasks, clock, low_priority=True, logs=logs),
        training=Worker("training", training_tasks, clock, low_priority=True, logs=logs),
    )


def _one_thread() -> None:
    import torch  # noqa: PLC0415 - only the process that computes pays for it

    torch.set_num_threads(1)

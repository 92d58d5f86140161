"""The tasks of the two workers: what a name means in their processes.

The service names these functions and never calls them: what computes is imported inside, where torch may be.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tagsight.scoring_task import StorePlace
from tagsight.workers import TaskFunction

Progress = Callable[[float, str], None]


def scoring_tasks() -> Mapping[str, TaskFunction]:
    """Tasks of the scoring worker; one thread, so that it never takes more than one core."""
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
        return [scorer(place).score(task) for task in tasks]

    def explain(argument: Any, _progress: Progress) -> Any:
        place, model, runs, settings = argument
        return scorer(place).explain(model, runs, settings)

    return {"facts": facts, "score": score, "explain": explain}


def training_tasks() -> Mapping[str, TaskFunction]:
    """Tasks of the training worker."""
    from tagsight.fitting import compute  # noqa: PLC0415 - only in the worker's process

    _one_thread()
    return {"train": compute}


def _one_thread() -> None:
    import torch  # noqa: PLC0415 - only the process that computes pays for it

    torch.set_num_threads(1)

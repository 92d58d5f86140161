"""Training one model: frame, train, compare, calibrate, store. A plain function; imports torch."""

from collections.abc import Callable

from tagsight.averages import IN_CARD
from tagsight.framing import build_frame, series_of
from tagsight.plan import ModelPlan
from tagsight.training import TrainOutcome, TrainTask
from tagsight_models.alignment import median_grid
from tagsight_models.delays import Delays
from tagsight_models.jobs import train
from tagsight_models.model_store import ModelStore
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings

Progress = Callable[[float, str], None]


def compute(task: TrainTask, progress: Progress) -> TrainOutcome:
    """Frame, train, compare, calibrate, store.

    The first version runs at once, on trial if it did not pass; so does the first that passes. Later ones wait.

    Raises:
        ModelError: too little data, unusable inputs.
    """
    progress(0.0, "aligning")
    framed = build_frame(
        task.history,
        task.operands,
        task.roles,
        task.plan.score.grid_ns or median_grid([series_of(values) for values in task.history.values()]),
        task.span,
        running=task.plan.running,
        running_buffer_ns=task.plan.running_buffer_ns,
        periods=[(period.start_ns, period.end_ns) for period in (*task.plan.train.exclude, *task.kept_out)],
        max_gaps=task.max_gaps,
        live=False,
    )
    trained = train(
        task.plan.job.value,
        TrainingData(framed.frame),
        _settings(task.plan, framed.frame.grid_ns),
        gates={**framed.limits.to_json(), **({IN_CARD: dict(task.averaged)} if task.averaged else {})},
        hashes={"plan": task.plan_hash},
        progress=progress,
    )
    store = ModelStore(task.place.root, task.place.key)
    name = task.plan.key
    version = store.add(name, trained.model, trained.card)
    approved = _takes_over(store, name, trial=trained.card.trial)
    if approved:
        store.approve(name, version, "first model")
    return TrainOutcome(name, version, approved, trained.card.trial, trained.card.words(), trained.card.in_short(), trained.card.outputs)


def _takes_over(store: ModelStore, name: str, *, trial: bool) -> bool:
    """Whether a new version runs without being asked: the first, and the first that passes after one on trial."""
    current = store.approved(name)
    return current is None or (not trial and store.card(name, current).trial)


def _settings(plan: ModelPlan, grid_ns: int) -> TrainingSettings:
    train_plan = plan.train
    has_limit_span = train_plan.limit_start_ns is not None and train_plan.limit_end_ns is not None
    return TrainingSettings(
        window_steps=plan.score.window_steps,
        at_most=plan.alarm.at_most,
        per_ns=plan.alarm.per_ns,
        delays=Delays(plan.alarm.on_delay_ns, plan.alarm.off_delay_ns),
        every_ns=max(plan.score.every_ns, grid_ns),
        at_most_seconds=train_plan.at_most_seconds,
        seed=train_plan.seed,
        limit_span=(train_plan.limit_start_ns, train_plan.limit_end_ns) if has_limit_span else None,  # type: ignore[arg-type]
        drop_constant=True,
    )

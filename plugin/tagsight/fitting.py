"""Training: frame, train, compare, calibrate, store; one model, or several together. Plain functions; imports torch."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from tagsight.averages import IN_CARD
from tagsight.framing import build_frame, series_of
from tagsight.job_training import job_settings, training_data
from tagsight.plan import CostPlan, ModelPlan
from tagsight.training import TrainOutcome, TrainTask
from tagsight.training_folder import begin, training_folder
from tagsight_connectors.history import Span
from tagsight_models.alignment import median_grid
from tagsight_models.cost import MONTH, Cost
from tagsight_models.delays import Delays
from tagsight_models.errors import ModelError
from tagsight_models.frame import Frame
from tagsight_models.jobs import Order, train_together
from tagsight_models.model_store import ModelStore
from tagsight_models.normal_windows import normal_windows
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tagsight_models.training_state import forget
from tagsight_models.windows import windows

Progress = Callable[[float, str], None]

WITH_PAGES: Final = 20
"""So many models trained together have their pages made, half a second each; beyond, those that somebody asks for."""

ABNORMAL_SHARE: Final = 0.05
"""Of the windows of the training data: beyond it the version that runs casts doubt on the new one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Begun:
    """A task with its data."""

    task: TrainTask
    frame: Frame
    data: TrainingData
    order: Order


def compute(task: TrainTask, progress: Progress) -> TrainOutcome:
    """Frame, train, compare, calibrate, store.

    The first version runs at once, on trial if it did not pass; so does the first that passes. Later ones wait. A
    training that was killed goes on from the state that it has kept beside the versions.

    Raises:
        ModelError: too little data, unusable inputs, a sister that nothing can be taken over from.
    """
    (found,) = compute_together([task], lambda _number, share, words: progress(share, words))
    if isinstance(found, ModelError):
        raise found
    return found


def compute_together(
    tasks: Sequence[TrainTask], progress: Callable[[int, float, str], None]
) -> list[TrainOutcome | ModelError]:
    """`compute` of each, the networks of one shape side by side; one that fails does not stop the others.

    `progress` is called with the number of the task, the share done and words.
    """
    found: dict[int, TrainOutcome | ModelError] = {}
    begun: dict[int, _Begun] = {}
    for number, task in enumerate(tasks):
        try:
            begun[number] = _begun(task, partial(progress, number))
        except ModelError as error:
            found[number] = error
    pages = len(tasks) <= WITH_PAGES
    done = train_together([one.order for one in begun.values()])
    for (number, one), trained in zip(begun.items(), done, strict=True):
        found[number] = trained if isinstance(trained, ModelError) else _stored(one, trained, pages=pages)
    return [found[number] for number in range(len(tasks))]


def _begun(task: TrainTask, progress: Progress) -> _Begun:
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
    store, name = ModelStore(task.place.root, task.place.key), task.plan.key
    data = training_data(task, framed.frame)
    folder = training_folder(task.place.root, name)
    begin(folder, task.plan_hash, Span(*task.span))
    order = Order(
        task.plan.job.value,
        data,
        _with_sister(replace(_settings(task.plan, framed.frame.grid_ns), kept_in=folder), store, task.plan.sister),
        job_settings(task.plan),
        gates={**framed.limits.to_json(), **({IN_CARD: dict(task.averaged)} if task.averaged else {})},
        hashes={"plan": task.plan_hash},
        progress=progress,
    )
    return _Begun(task, framed.frame, data, order)


def _stored(begun: _Begun, trained: Trained, *, pages: bool) -> TrainOutcome:
    """A new version, which runs if nothing better does."""
    task, name = begun.task, begun.task.plan.key
    store = ModelStore(task.place.root, task.place.key)
    card = replace(trained.card, doubts=(*trained.card.doubts, *_doubts(store, name, begun.frame)))
    trained = replace(trained, card=card)
    version = store.add(name, trained.model, card, normal_windows(trained.model, begun.frame))
    forget(training_folder(task.place.root, name))
    approved = _takes_over(store, name, trial=trained.card.trial)
    if approved:
        store.approve(name, version, "first model")
    page = _page(store, trained, begun.data, task, version) if pages else f"`tagsight model page {name}` makes it"
    return TrainOutcome(name, version, approved, card.trial, card.words(), card.in_short(), card.outputs, page)


def _page(store: ModelStore, trained: Trained, data: TrainingData, task: TrainTask, version: int) -> str:
    """Where the page of the version is, or why there is none: whatever is wrong with it must not cost the version."""
    from tagsight.model_page import Named, model_page  # noqa: PLC0415 - matplotlib is imported when the training is over

    named = Named(task.plan.key, version, task.language)
    target = store.page(named.name, version)
    try:
        target.write_text(model_page(trained.model, trained.card, data, named), encoding="utf-8", newline="\n")
    except Exception as error:  # noqa: BLE001 - see above
        return f"not made: {type(error).__name__}: {error}"
    return str(target)


def _doubts(store: ModelStore, name: str, frame: Frame) -> Iterator[str]:
    """A model must not learn a fault as normal: what does the one that runs say of this data?"""
    try:
        champion = store.load_approved(name)
    except ModelError:
        return  # there is none, or none that can be asked
    model, names = champion.model, [role.name for role in frame.roles]
    wanted = [role.name for role in champion.card.roles]
    if champion.card.trial or champion.card.job != "health" or frame.grid_ns != model.grid_ns:
        return
    if not set(wanted) <= set(names):
        return
    columns = [names.index(role) for role in wanted]
    cut = windows(frame, model.window_steps, frame.times[model.window_steps - 1 :: model.window_steps])
    usable = np.flatnonzero(cut.usable)
    if not len(usable):
        return
    abnormal = float(np.mean(model.score(np.ascontiguousarray(cut.values[usable][:, :, columns])) > 1.0))
    if abnormal > ABNORMAL_SHARE:
        yield f"version {champion.version}, which runs, calls {abnormal:.0%} of these training data abnormal"


def _takes_over(store: ModelStore, name: str, *, trial: bool) -> bool:
    """Whether a new version runs without being asked: the first, and the first that passes after one on trial."""
    current = store.approved(name)
    return current is None or (not trial and store.card(name, current).trial)


def _with_sister(settings: TrainingSettings, store: ModelStore, sister: str) -> TrainingSettings:
    if not sister:
        return settings
    found = store.load_approved(sister)
    return replace(settings, sister=found.model, sister_name=f"{sister} version {found.version}")


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
        search=train_plan.search,
        regime=plan.regime,
        cost=_cost(plan.alarm.cost),
    )


def _cost(given: CostPlan | None) -> Cost | None:
    return None if given is None else Cost(given.false, given.missed, given.faults * MONTH / given.per_ns)

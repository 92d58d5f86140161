"""Looking at the data of a model: what a training would read, bind and leave out, without training."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from tagsight.binding import Binding
from tagsight.connections import Link
from tagsight.data_health import DataHealth, data_health
from tagsight.framing import build_frame, series_of
from tagsight.ledger.ledger import Ledger
from tagsight.plan import ModelPlan, Period, ResultsPlan
from tagsight.scoring_task import StorePlace
from tagsight.training import TrainTask, gather
from tagsight_connectors.history import TagHistory
from tagsight_models.alignment import median_grid
from tagsight_models.training_data import LabelledPeriod


@dataclass(frozen=True, slots=True, eq=False)
class DataLook:
    """What a training of this model would see now.

    Attributes:
        plan: of the model, with the period that was looked at.
        binding: its inputs, and what was skipped with the reason.
        history: role -> values over the period.
        health: how good they are.
        left_out: periods of the engineer, and of alarms that nobody called false.
        labels: what somebody said of periods.
    """

    plan: ModelPlan
    binding: Binding
    history: Mapping[str, TagHistory]
    health: DataHealth
    left_out: tuple[Period, ...]
    labels: tuple[LabelledPeriod, ...]


async def read_data(
    plan: ModelPlan,
    link: Link,
    place: StorePlace,
    *,
    results: ResultsPlan | None = None,
    ledger: Ledger | None = None,
) -> tuple[Binding, TrainTask]:
    """Bind the model and read what its training would read; the same raises."""
    return await gather(plan, link, place, "", results=results, ledger=ledger)


def looked_at(binding: Binding, task: TrainTask, *, stretches: int = 400) -> DataLook:
    """Frame and judge what was read, as training does it. Seconds of computing for long histories.

    Raises:
        FrameTooLarge: more samples than a frame may hold.
    """
    plan = task.plan
    left_out = (*plan.train.exclude, *task.kept_out)
    framed = build_frame(
        task.history,
        task.operands,
        task.roles,
        plan.score.grid_ns or median_grid([series_of(values) for values in task.history.values()]),
        task.span,
        running=plan.running,
        running_buffer_ns=plan.running_buffer_ns,
        periods=[(period.start_ns, period.end_ns) for period in left_out],
        max_gaps=task.max_gaps,
    )
    sources = dict(binding.addresses)
    health = data_health(framed, task.history, sources, task.span, stretches=stretches)
    return DataLook(plan, binding, task.history, health, left_out, task.labels)


def over(plan: ModelPlan, span: tuple[int, int] | None) -> ModelPlan:
    """The same model, learning from another period; None: from its own."""
    if span is None:
        return plan
    train = replace(plan.train, start_ns=span[0], end_ns=span[1], last_ns=None, limit_start_ns=None, limit_end_ns=None)
    return replace(plan, train=train)

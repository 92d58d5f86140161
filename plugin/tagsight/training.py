"""Training one model: bind it, read its history, hand both over.

Here is the reading, by whoever is connected, and what travels to the worker; `tagsight.fitting` computes.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

from tagsight.arrival import Arrivals, watch
from tagsight.averages import averaged_roles, read_averages
from tagsight.binding import Binding, bind, merged, patterns_of
from tagsight.clocks import SECOND
from tagsight.connections import Link
from tagsight.extent import as_setting, extent
from tagsight.fence import is_result
from tagsight.job_plans import DiagnosisPlan
from tagsight.judged_alarms import JudgedAlarm, Verdict, judged_alarms, kept_out
from tagsight.labels import FAULT, labelled_periods
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Detail, Job, ModelPlan, Period, ResultsPlan
from tagsight.scoring_task import StorePlace
from tagsight.training_folder import begun, training_folder
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Tag
from tagsight_explain.language import ENGLISH
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Role
from tagsight_models.job_output import JobOutput
from tagsight_models.training_data import LabelledPeriod

DEFAULT_LAST_NS: Final = 90 * 86_400_000_000_000
MOST_TOGETHER: Final = 50
VALUES_TOGETHER: Final = 20_000_000
"""Of histories that are trained together: eight models of 20 tags and 90 days at one minute; a gigabyte or two."""

STATES_BEFORE_NS: Final = 7 * 86_400_000_000_000
"""How far before the training period the last change of a state is looked for."""


_Done = TypeVar("_Done")


@dataclass(frozen=True, slots=True)
class TrainFailure:
    """Why a model among several could not be trained, with its mend."""

    model: str
    cause: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class TrainTask:
    """Everything that a training needs, as plain values.

    Attributes:
        plan: of the model.
        place: of the model store.
        roles: as bound.
        history: role -> values over `span`.
        operands: operand of the running condition -> values.
        span: UTC ns, half-open.
        plan_hash: of the configuration.
        max_gaps: role -> what the engineer set, ns.
        averaged: role -> who computed its averages; other roles have every value.
        target: values of the target of the job, None where it has none.
        labels: what somebody said of periods of the past.
        kept_out: alarms that a model of normal behaviour must not learn from.
        language: of the model's page.
    """

    plan: ModelPlan
    place: StorePlace
    roles: tuple[Role, ...]
    history: Mapping[str, TagHistory]
    operands: Mapping[str, TagHistory]
    span: tuple[int, int]
    plan_hash: str
    max_gaps: Mapping[str, int] = field(default_factory=dict)
    averaged: Mapping[str, str] = field(default_factory=dict)
    target: TagHistory | None = None
    labels: tuple[LabelledPeriod, ...] = ()
    kept_out: tuple[Period, ...] = ()
    language: str = ENGLISH


@dataclass(frozen=True, slots=True)
class TrainOutcome:
    """A stored version.

    Attributes:
        model: key.
        version: as stored.
        approved: it runs from now on; otherwise it waits for `tagsight model approve`.
        trial: it must not alarm.
        words: the card for people.
        short: the same in a few lines.
        outputs: what the version says beside its score.
        page: where its page is, or why there is none.
    """

    model: str
    version: int
    approved: bool
    trial: bool
    words: str
    short: str = ""
    outputs: tuple[JobOutput, ...] = ()
    page: str = ""


async def bind_model(plan: ModelPlan, historian: Historian, is_ours: Callable[[Tag], bool]) -> Binding:
    """Browse for the inputs and operands of a model.

    Raises:
        BindingError: as `tagsight.binding.bind`; operands that are roles are not browsed for.
    """
    tags: dict[str, Tag] = {}
    for pattern in patterns_of(plan):
        async for tag in historian.browse(pattern):
            tags.setdefault(tag.address, tag)
    return bind(plan, list(tags.values()), is_ours)


@dataclass(frozen=True, slots=True)
class _Learned:
    """What was read: by address, and by role what was averaged, with who computed."""

    tags: Mapping[str, TagHistory]
    averages: Mapping[str, TagHistory] = field(default_factory=dict)
    computed_by: Mapping[str, str] = field(default_factory=dict)


async def _read(
    plan: ModelPlan, binding: Binding, span: Span, historian: Historian, progress: Callable[[int], None]
) -> _Learned:
    """States are stored when they change, which may have been long before the period."""
    averaged = {role: binding.addresses[role] for role in sorted(averaged_roles(plan, binding))}
    states = {binding.addresses[role.name] for role in binding.roles if role.step}
    states |= {*binding.operands.values(), *binding.beside.values()}
    signals = [address for address in binding.all_addresses if address not in {*states, *averaged.values()}]
    found = dict((await read_history(historian, signals, span, progress)).tags)
    earlier = Span(span.start_ns - STATES_BEFORE_NS, span.end_ns)
    found |= (await read_history(historian, sorted(states), earlier, progress)).tags
    if not averaged:
        return _Learned(found)
    assert plan.score.grid_ns is not None  # the configuration says so
    tags, computed_by = await read_averages(historian, list(averaged.values()), span, plan.score.grid_ns)
    progress(sum(len(one) for one in tags.values()))
    averages = {role: tags[address] for role, address in averaged.items()}
    return _Learned(found, averages, {role: computed_by[address].value for role, address in averaged.items()})


def training_span(plan: ModelPlan, now_ns: int) -> Span:
    """Which history the model learns from."""
    train_plan = plan.train
    if train_plan.start_ns is not None and train_plan.end_ns is not None:
        end = max(train_plan.end_ns, train_plan.limit_end_ns or train_plan.end_ns)
        return Span(train_plan.start_ns, end)
    return Span(now_ns - (train_plan.last_ns or DEFAULT_LAST_NS), now_ns)


async def gather(
    plan: ModelPlan,
    link: Link,
    place: StorePlace,
    plan_hash: str,
    *,
    progress: Callable[[int], None] = lambda _count: None,
    results: ResultsPlan | None = None,
    ledger: Ledger | None = None,
    language: str = ENGLISH,
) -> tuple[Binding, TrainTask]:
    """Bind the model and read its history.

    `progress` is called with the number of values of each page; tags below the root of `results` are never inputs;
    `ledger` knows the alarms of the past, and what operators said of them; `language`: of the model's page.

    Raises:
        BindingError, HistorianError: what went wrong, with its mend.
    """
    binding = await link.use(lambda historian: bind_model(plan, historian, partial(is_result, results)))
    killed = begun(training_folder(place.root, plan.key), plan_hash, link.now_ns())
    span = killed or training_span(plan, link.now_ns())
    learned = await link.use_stored(lambda one: _read(plan, binding, span, one, progress))
    alarms = judged_alarms(ledger, plan.key, span.start_ns, span.end_ns) if ledger is not None else ()
    beside = [learned.tags[address] for address in binding.beside.values()]
    task = TrainTask(
        plan=plan,
        place=place,
        roles=binding.roles,
        history={
            role: learned.averages[role] if role in learned.averages else learned.tags[address]
            for role, address in binding.addresses.items()
        },
        operands={operand: learned.tags[address] for operand, address in binding.operands.items()},
        span=(span.start_ns, span.end_ns),
        plan_hash=plan_hash,
        max_gaps=binding.max_gaps,
        averaged=learned.computed_by,
        target=beside[0] if beside and plan.job is not Job.DIAGNOSIS else None,
        labels=_labels(plan, beside, alarms, span),
        kept_out=kept_out(alarms) if plan.job is Job.HEALTH else (),
        language=language,
    )
    empty = [role for role, values in task.history.items() if not len(values)]
    if len(empty) == len(task.history):
        found = await link.use(lambda one: extent(one, list(binding.addresses.values())))
        raise _nothing_there(plan, span, found)
    return binding, task


def _labels(
    plan: ModelPlan, beside: Sequence[TagHistory], alarms: Sequence[JudgedAlarm], span: Span
) -> tuple[LabelledPeriod, ...]:
    if plan.job is Job.HEALTH and plan.alarm.cost is not None:  # what the price of missing a fault is asked of
        true = [one for one in alarms if one.verdict is Verdict.TRUE and one.since_ns < one.until_ns]
        return tuple(LabelledPeriod(one.since_ns, one.until_ns, FAULT) for one in true)
    if not isinstance(plan.of_job, DiagnosisPlan):
        return ()
    return labelled_periods(plan.of_job.labels, beside[0] if beside else None, alarms, span.end_ns)


def _nothing_there(plan: ModelPlan, span: Span, found: Span | None) -> TooLittleData:
    start, end = (
        datetime.fromtimestamp(ns // SECOND, tz=UTC).strftime("%Y-%m-%d") for ns in (span.start_ns, span.end_ns)
    )
    what = f"{plan.key}: no tag has history in the training period, {start} to {end}"
    if found is None:
        return TooLittleData(what, 0, plan.score.window_steps)
    mend = f"There are values in this one: `train: {{{as_setting(found, UTC, offset=True)}}}`."
    return TooLittleData(what, 0, plan.score.window_steps, mend)


async def watched_while(
    work: Awaitable[_Done], link: Link, trained: Sequence[tuple[ModelPlan, Binding]]
) -> tuple[_Done, list[Binding]]:
    """Do `work`, and see meanwhile how long new values take to arrive; the bindings then say so."""
    arrivals = Arrivals()
    addresses = sorted({address for _, binding in trained for address in binding.all_addresses})
    watching = asyncio.create_task(watch(arrivals, link, addresses))
    try:
        done = await work
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    waits = [arrivals.wait_ns(plan.score.every_ns, binding.all_addresses) for plan, binding in trained]
    return done, [replace(binding, wait_ns=wait) for (_, binding), wait in zip(trained, waits, strict=True)]


def alike(models: Sequence[ModelPlan]) -> list[list[ModelPlan]]:
    """The models in groups that are trained together: normal behaviour, of the same historian and kind of window.

    Each group stands where its first model stood. A model that starts from a sister, which may be among the others, or
    that searches for its network, is a group of its own.
    """
    groups: dict[tuple[object, ...], list[ModelPlan]] = {}
    for model in models:
        lone = model.job is not Job.HEALTH or model.sister or model.train.search
        own = (model.key,) if lone else (model.historian, model.score.window_steps, model.score.every_ns)
        groups.setdefault(own, []).append(model)
    return list(groups.values())


def trained_at_once(models: Sequence[ModelPlan]) -> list[list[ModelPlan]]:
    """Those with a schedule, in groups that are alike and due at the same times."""
    calendars: dict[tuple[tuple[str, str], ...], list[ModelPlan]] = {}
    for model in models:
        if model.train.every is not None:
            calendars.setdefault(tuple(sorted(model.train.every.items())), []).append(model)
    return [group for together in calendars.values() for group in alike(together)]


def enough(tasks: Sequence[TrainTask]) -> bool:
    """So much is read that it must be trained before more is: all of it is in memory at a time."""
    values = sum(len(one) for task in tasks for one in task.history.values())
    return len(tasks) >= MOST_TOGETHER or values >= VALUES_TOGETHER


def keep_binding(ledger: Ledger, plan: ModelPlan, binding: Binding, outputs: Sequence[JobOutput] = ()) -> None:
    """Keep what a new version reads and says, beside those of the version that runs until the new one is approved."""
    known = ledger.binding(plan.key)
    both = merged(binding, known.binding if known else None)
    said = {one.name: one for one in (*(known.outputs if known else ()), *outputs)}
    detail = plan.outputs is Detail.DETAIL
    ledger.bind(BoundModel(plan.key, both, detail, plan.alarm.severity, tuple(said.values()), plan.explain_groups))

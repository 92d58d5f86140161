"""What a plan means, in lines for people: defaults resolved, and what is decided later from the data."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from tagsight.duration import format_budget, format_duration, format_size
from tagsight.job_plans import DiagnosisPlan, JobPlan, ProductionPlan, PrognosisPlan, QualityPlan
from tagsight.plan import AlarmPlan, HistoryStorePlan, ModelPlan, Plan, ResultsPlan, TrainPlan, WebPlan

_SHOWN_MODELS: Final = 10
_EXPECTED_ALARMS: Final = 3  # in the held-out time, for a limit that is more than a guess


def summary(plan: Plan) -> Iterator[str]:
    """Lines that `tagsight check` prints."""
    yield f"time zone    {plan.timezone.key}"
    for name, historian in plan.historians.items():
        user = f"user {historian.user}" if historian.user else "anonymous"
        yield f"historian    {name}: {historian.url}, {user}, {historian.security.value.replace('_', ' ')}"
        yield f"results      {_results(plan.results[name])}"
    keep, size = format_duration(plan.retention.keep_ns), format_size(plan.retention.at_most_bytes)
    yield f"kept         {keep}, at most {size}"
    yield f"histories    {_history_store(plan.history_store)}"
    if plan.web is not None:
        yield f"pages        {_pages(plan.web)}"
    yield f"models       {len(plan.models)}"
    for model in plan.models[:_SHOWN_MODELS]:
        yield from _model(model, plan)
    if len(plan.models) > _SHOWN_MODELS:
        yield f"  ... and {len(plan.models) - _SHOWN_MODELS} more"
    yield f"plan         {plan.digest[:16]}"


def _pages(web: WebPlan) -> str:
    scheme = "https" if web.certificate else "http"
    framed = f", faceplates in frames of {', '.join(web.frames)}" if web.frames else ""
    return f"at {scheme}://{web.listen_host}:{web.listen_port}{framed}"


def _history_store(store: HistoryStorePlan) -> str:
    if not store.use:
        return "not kept: every training asks the historian"
    unused, size = format_duration(store.keep_ns), format_size(store.at_most_bytes)
    return f"of OPC UA historians kept in the data folder while used within {unused}, at most {size}"


def _results(results: ResultsPlan) -> str:
    if results.in_historian:
        return f"written to {results.address}, only below {results.root or 'any name'}"
    return f"served at opc.tcp://{results.listen_host}:{results.listen_port}"


def _model(model: ModelPlan, plan: Plan) -> Iterator[str]:
    score, train = model.score, model.train
    yield f"  {model.key} ({model.job.value}, historian {model.historian})"
    yield f"    inputs   {', '.join(model.inputs)}"
    yield f"    running  {model.running.text if model.running else 'always'}"
    grid = _or_later(score.grid_ns, "the median sampling of the inputs, at least 1s")
    wait = _or_later(score.wait_ns, "what 95 % of the values need to arrive, at least 5s")
    yield f"    score    every {format_duration(score.every_ns)}, window {score.window_steps} steps"
    yield f"             grid: {grid}; wait: {wait}; late: {format_duration(score.late_ns)}"
    yield f"    train    {_train(train, plan)}"
    yield f"    alarm    {_alarm(model.alarm)}"
    yield f"    limit    {_limit(train, model.alarm) if model.of_job is None else 'of the job: the score is 1.0 there'}"
    if model.of_job is not None:
        yield f"    {model.job.value:<9}{_of_job(model.of_job)}"
    yield f"    outputs  {model.outputs.value}, explained by {model.explainer} within {model.explain_seconds:g}s"


def _of_job(of_job: JobPlan) -> str:
    match of_job:
        case DiagnosisPlan(labels):
            sources = [f"{len(labels.periods)} labelled periods"] if labels.periods else []
            sources += [f"labels from {labels.tag}"] if labels.tag else []
            sources += ["what operators said of alarms"] if labels.feedback else []
            return ", ".join(sources)
        case PrognosisPlan(tag=tag) if tag:
            side = "rises to" if of_job.rising else "falls to"
            return f"time until {tag} {side} {of_job.limit:g}; alarm {format_duration(of_job.horizon_ns)} before"
        case PrognosisPlan(lives):
            failed = sum(one.failed for one in lives)
            horizon = format_duration(of_job.horizon_ns)
            return f"remaining life from {len(lives)} lives, {failed} to failure; alarm {horizon} before"
        case QualityPlan(target):
            known = (
                f", known {format_duration(of_job.known_after_ns)} after its sample" if of_job.known_after_ns else ""
            )
            return f"predicts {target}{known}; limits {_limits(of_job.low, of_job.high)}{_moves(of_job.adjustable)}"
        case ProductionPlan(target):
            return f"to {'raise' if of_job.rising else 'lower'} {target}{_moves(of_job.adjustable)}"


def _limits(low: float | None, high: float | None) -> str:
    return " to ".join("none" if one is None else f"{one:g}" for one in (low, high))


def _moves(adjustable: Mapping[str, tuple[float, float]]) -> str:
    moves = [f"{role} {low:g} to {high:g}" for role, (low, high) in adjustable.items()]
    return f"; may advise {', '.join(moves)}" if moves else ""


def _or_later(ns: int | None, rule: str) -> str:
    return format_duration(ns) if ns is not None else f"from the data ({rule})"


def _train(train: TrainPlan, plan: Plan) -> str:
    if train.last_ns is not None:
        what = f"the last {format_duration(train.last_ns)}"
    else:
        start, end = (
            datetime.fromtimestamp((ns or 0) / 1e9, tz=plan.timezone).strftime("%Y-%m-%d %H:%M %Z")
            for ns in (train.start_ns, train.end_ns)
        )
        what = f"{start} to {end}"
    when = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in (train.every or {}).items())
    excluded = f", {len(train.exclude)} periods excluded" if train.exclude else ""
    return f"{what}{excluded}; {'again at ' + when if when else 'only by `tagsight train`'}"


def _alarm(alarm: AlarmPlan) -> str:
    latch = ", latched until acknowledged" if alarm.latch else ""
    delays = f"on after {format_duration(alarm.on_delay_ns)}, off after {format_duration(alarm.off_delay_ns)}"
    cost = ""
    if alarm.cost is not None:
        expected = format_budget(alarm.cost.faults, alarm.cost.per_ns)
        cost = f", limit by cost: false {alarm.cost.false:g}, missed {alarm.cost.missed:g}, {expected}"
    return f"at most {format_budget(alarm.at_most, alarm.per_ns)}, {delays}{latch}, severity {alarm.severity}{cost}"


def _limit(train: TrainPlan, alarm: AlarmPlan) -> str:
    if train.limit_start_ns is not None and train.limit_end_ns is not None:
        held_out = train.limit_end_ns - train.limit_start_ns
    else:
        whole = train.last_ns if train.last_ns is not None else (train.end_ns or 0) - (train.start_ns or 0)
        held_out = whole // 4
    needed = round(_EXPECTED_ALARMS * alarm.per_ns / alarm.at_most)
    text = f"from the data: {format_duration(_rounded(held_out))} of held-out normal time"
    if held_out >= needed:
        return text
    return f"{text}; provisional: this budget needs {format_duration(_rounded(needed))}"


def _rounded(ns: int) -> int:
    """Whole minutes from an hour on: nobody reads more."""
    minute = 60_000_000_000
    return ns // minute * minute if ns >= 60 * minute else ns // 1_000_000 * 1_000_000

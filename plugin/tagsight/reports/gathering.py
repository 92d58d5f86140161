"""What the ledger knows of a period, for the shift report. Reads only."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight.drift_outputs import DRIFT, DRIFT_PART, DRIFT_REASON, DRIFT_RELATIONS
from tagsight.heartbeat import PluginStatus, is_stale
from tagsight.judged_alarms import Verdict
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, AlarmComment, AuditEntry, Counters
from tagsight.plan import ModelPlan
from tagsight.reports.alarm_kpis import AlarmKpis, active_in, alarm_kpis
from tagsight.reports.availability import Availability, Tally, availability, due_times
from tagsight_connectors.history import Span

MOST_MESSAGES: Final = 50
"""Runs of an alarm that are looked through for its first sentence."""

AUDIT_PAGE: Final = 500
MOST_AUDIT: Final = 20_000
"""Entries of the audit trail, from the newest, that are looked through for those of the period."""

OF_MODELS: Final = frozenset({"trained", "promoted", "model refused", "configuration applied", "configuration refused"})
OF_PLUGIN: Final = frozenset({"not recovered", "history not recovered", "retracted", "resend", "writes accepted"})

Look = Mapping[str, float | str | None]
"""Output -> value of one look for drift."""


@dataclass(frozen=True, slots=True)
class ReportedAlarm:
    """One alarm of the period.

    Attributes:
        alarm: as the ledger has it.
        message: the first sentence that operators read, "" where none was stored.
        verdict: what an operator said, the newest word.
        judged_by: who.
        comments: in the order of storing.
    """

    alarm: Activation
    message: str
    verdict: Verdict
    judged_by: str
    comments: tuple[AlarmComment, ...]


@dataclass(frozen=True, slots=True)
class ReportedModel:
    """One model in the period.

    Attributes:
        model: key.
        availability: of its scores.
        versions: (version, due time of its first run in the period), in that order.
        drift: newest and highest drift of the inputs; None where nothing is known.
        relations: the same of the relations between them.
        drift_reason: of the newest look, in the language of the operators; "" for none.
    """

    model: str
    availability: Availability
    versions: tuple[tuple[int, int], ...]
    drift: tuple[float, float] | None
    relations: tuple[float, float] | None
    drift_reason: str


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """Everything that a report says.

    Attributes:
        span: the period.
        made_ns: when it was made, UTC ns.
        kpis: of the alarms.
        alarms: that were active at any time of the period, by the time they were announced.
        models: of the configuration, in its order.
        audit: entries of the period about models and the plugin, ascending.
        status: of the plugin when the report was made; None: it never ran.
        alive: it ran then.
        counters: of the ledger then.
    """

    span: Span
    made_ns: int
    kpis: AlarmKpis
    alarms: tuple[ReportedAlarm, ...]
    models: tuple[ReportedModel, ...]
    audit: tuple[AuditEntry, ...]
    status: PluginStatus | None
    alive: bool
    counters: Counters


def gather(
    ledger: Ledger, models: Sequence[ModelPlan], span: Span, made_ns: int, status: PluginStatus | None
) -> ShiftReport:
    """Of one period that is longer than nothing.

    Raises:
        StorageError: the ledger cannot be read.
    """
    alarms = [one for one in ledger.activations(0, span.end_ns) if active_in(one, span)]
    tallies, looks = _tallies(ledger, span), _looks(ledger, span)
    return ShiftReport(
        span=span,
        made_ns=made_ns,
        kpis=alarm_kpis(alarms, span),
        alarms=tuple(_alarms(ledger, alarms, span)),
        models=tuple(
            _model(one.key, tallies[one.key], looks[one.key], _due(ledger, one, span, made_ns)) for one in models
        ),
        audit=_audit(ledger, span),
        status=status,
        alive=status is not None and not is_stale(status, made_ns),
        counters=ledger.counters(),
    )


def _tallies(ledger: Ledger, span: Span) -> Mapping[str, list[Tally]]:
    found: dict[str, list[Tally]] = defaultdict(list)
    for model, version, reason, scored, stopped, count, first_ns in ledger.run_tallies(span.start_ns, span.end_ns):
        found[model].append(Tally(model, version, reason, scored, stopped, count, first_ns))
    return found


def _alarms(ledger: Ledger, alarms: Sequence[Activation], span: Span) -> Iterator[ReportedAlarm]:
    labels = {model: ledger.labels(model) for model in {one.model for one in alarms}}
    for one in alarms:
        said = [label for label in labels[one.model] if label.announced_ns == one.announced_ns]
        verdict, by = (Verdict(said[-1].feedback), said[-1].by) if said else (Verdict.NONE, "")
        comments = ledger.comments(one.model, one.announced_ns)
        yield ReportedAlarm(one, _message(ledger, one, span), verdict, by, comments)


def _message(ledger: Ledger, alarm: Activation, span: Span) -> str:
    end_ns = span.end_ns if alarm.cleared_ns is None else alarm.cleared_ns
    found = ledger.output_history(alarm.model, "Message", alarm.announced_ns, end_ns + 1, limit=MOST_MESSAGES)
    return next((str(one.value) for _, one in found if one.value), "")


def _due(ledger: Ledger, model: ModelPlan, span: Span, made_ns: int) -> int:
    """Due times of the period; what is due just now may not be scored yet, and does not count."""
    every_ns = _interval(ledger, model, span)
    done_ns = max(span.start_ns, min(span.end_ns, made_ns - 2 * every_ns))
    return due_times(Span(span.start_ns, done_ns), every_ns)


def _model(model: str, tallies: Sequence[Tally], looks: Sequence[Look], due: int) -> ReportedModel:
    first: dict[int, int] = {}
    for one in tallies:
        if one.scored:
            first[one.version] = min(one.first_ns, first.get(one.version, one.first_ns))
    return ReportedModel(
        model,
        availability(tallies, due),
        tuple(sorted(first.items(), key=lambda pair: pair[1])),
        _newest_and_highest(looks, DRIFT),
        _newest_and_highest(looks, DRIFT_RELATIONS),
        str(looks[-1].get(DRIFT_REASON) or "") if looks else "",
    )


def _looks(ledger: Ledger, span: Span) -> Mapping[str, list[Look]]:
    """Model -> what each look for drift found, ascending."""
    found: dict[str, list[Look]] = defaultdict(list)
    for row in ledger.rows_of_part(DRIFT_PART, span.start_ns, span.end_ns):
        found[row.model].append({one.output: one.value for one in row.values})
    return found


def _interval(ledger: Ledger, model: ModelPlan, span: Span) -> int:
    """Of due times; where the grid comes from the data and is coarser, the runs themselves show it."""
    every_ns = max(model.score.every_ns, model.score.grid_ns or 0)
    times, _scores = ledger.scores(model.key, span.start_ns, span.end_ns)
    return max(every_ns, int(np.diff(times).min())) if times.size > 1 else every_ns


def _newest_and_highest(looks: Sequence[Look], output: str) -> tuple[float, float] | None:
    values = [float(value) for look in looks if isinstance(value := look.get(output), int | float)]
    return (values[-1], max(values)) if values else None


def _audit(ledger: Ledger, span: Span) -> tuple[AuditEntry, ...]:
    found: list[AuditEntry] = []
    before, seen = 0, 0
    while seen < MOST_AUDIT:
        page = ledger.newest_audit(before, AUDIT_PAGE)
        found += [
            one for one in page if span.start_ns <= one.time_ns < span.end_ns and one.what in OF_MODELS | OF_PLUGIN
        ]
        if len(page) < AUDIT_PAGE or all(one.time_ns < span.start_ns for one in page):
            break
        before, seen = page[-1].number, seen + len(page)
    return tuple(sorted(found, key=lambda one: one.number))

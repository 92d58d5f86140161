"""What the page Watch shows, from ledger, heartbeat and configuration: the models, and TagSight itself. No NiceGUI."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tagsight.clocks import SECOND
from tagsight.configuration import Checked
from tagsight.duration import format_budget
from tagsight.heartbeat import PluginStatus, is_stale
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan
from tagsight.platform import InstanceLock
from tagsight.results import OutputValue, State
from tagsight.status import compared
from tagsight.web.site import Site
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.store.database import StoreFailure
from tagsight_connectors.store.overview import overview

DAY_NS: Final = 86_400 * SECOND
MINUTE_NS: Final = 60 * SECOND
MONTH_NS: Final = 30 * DAY_NS
SOON_DAYS: Final = 30
OLD_INTERVALS: Final = 5
"""So many intervals after its due time, and a minute or more, a score is old."""

_WORDS: Final = {
    State.NORMAL: "normal",
    State.FAILURE: "failure",
    State.FUNCTION_CHECK: "function check",
    State.OUT_OF_SPECIFICATION: "out of specification",
    State.MAINTENANCE_REQUIRED: "maintenance required",
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model, in words.

    Attributes:
        model: key.
        state: NAMUR NE 107.
        known: False where nothing is scored now.
        words: the state, for people.
        score: "" for none.
        age: of the newest run.
        alarms_day: announced in the last 24 hours.
        budget: in the last 30 days, and what the configuration allows.
        message: the sentence, or why there is none.
    """

    model: str
    state: int
    known: bool
    words: str
    score: str
    age: str
    alarms_day: int
    budget: str
    message: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Something about TagSight itself; `abnormal`: somebody should look."""

    name: str
    value: str
    detail: str = ""
    abnormal: bool = False


def model_rows(ledger: Ledger, plan: Plan | None, now_ns: int) -> Sequence[ModelRow]:
    """Every model that the service knows, what needs a look first."""
    outputs: dict[str, dict[str, OutputValue]] = {}
    newest: dict[str, int] = {}
    for one in ledger.newest_rows():
        outputs.setdefault(one.row.model, {}).update({value.output: value for value in one.row.values})
        if one.row.part == "score":
            newest[one.row.model] = one.row.due_ns
    month = ledger.activations(now_ns - MONTH_NS, now_ns + DAY_NS)
    plans = {model.key: model for model in plan.models} if plan is not None else {}
    rows = []
    for bound in ledger.bindings():
        mine = [one for one in month if one.model == bound.model]
        alarm = plans[bound.model].alarm if bound.model in plans else None
        allowed = f" / {format_budget(alarm.at_most, alarm.per_ns)}" if alarm is not None else ""
        day = sum(one.announced_ns >= now_ns - DAY_NS for one in mine)
        due_ns = newest.get(bound.model)
        every_ns = plans[bound.model].score.every_ns if bound.model in plans else MINUTE_NS
        rows.append(
            _row(
                bound.model,
                outputs.get(bound.model, {}),
                trained=bound.binding is not None,
                age="" if due_ns is None else _age(now_ns - due_ns, every_ns),
                alarms=(day, f"{len(mine)}{allowed}"),
            )
        )
    return sorted(rows, key=lambda row: (row.state == 0 and row.known, -row.state, row.model))


def _row(model: str, outputs: dict[str, OutputValue], *, trained: bool, age: str, alarms: tuple[int, str]) -> ModelRow:
    state = outputs.get("State")
    if state is None or state.value is None:
        why = "not trained yet" if not trained else "no score yet"
        return ModelRow(model, int(State.FUNCTION_CHECK), False, why, "", age, *alarms, "")
    known = quality_of(state.status) is not Quality.BAD
    words = _WORDS[State(int(state.value))]
    score = outputs.get("Score")
    value = score.value if score is not None else None
    message = _text(outputs, "Message") or _text(outputs, "Reason")
    return ModelRow(
        model,
        int(state.value),
        known,
        words if known else f"not scored (before: {words})",
        f"{value:.2f}" if isinstance(value, int | float) else "",
        age,
        *alarms,
        message,
    )


def _text(outputs: dict[str, OutputValue], name: str) -> str:
    found = outputs.get(name)
    return str(found.value or "") if found is not None else ""


def plugin_facts(site: Site, ledger: Ledger, now_ns: int) -> Sequence[Fact]:
    """The service, its connections, the outbox, what was missed, certificates, the history store, the configuration."""
    status = site.heartbeat.read()
    running = InstanceLock(site.data.lock).holder()
    facts = [_service(status, now_ns)]
    if status is not None:
        facts += _of_status(status)
    counters = ledger.counters()
    facts.append(Fact("Outbox", f"{counters.buffered} waiting", f"{counters.quarantined} refused by their historian"
                      if counters.quarantined else "", counters.quarantined > 0))  # fmt: skip
    lost = f"{counters.not_recovered} not recovered" if counters.not_recovered else ""
    facts.append(Fact("Missed scores", str(counters.missed), lost, counters.not_recovered > 0))
    facts += _store(site)
    checked = site.checked()
    if checked is not None:
        facts.append(_configuration(checked, compared(checked, running)))
    return tuple(facts)


def _service(status: PluginStatus | None, now_ns: int) -> Fact:
    if status is None:
        return Fact("Service", "never ran with this folder", "`tagsight run` starts it", True)
    if status.heartbeat == 0:
        return Fact("Service", "stopped", "", True)
    if is_stale(status, now_ns):
        return Fact("Service", "not running", f"last sign of life {age_words(now_ns - status.time_ns)} ago", True)
    words = _WORDS[State(status.state)]
    return Fact("Service", "running" if status.state == 0 else words, status.message, status.state != 0)


def _of_status(status: PluginStatus) -> Iterator[Fact]:
    if status.off:
        yield Fact("Announcing", "switched off", "no model announces anything", True)
    if status.certificate_days is not None:
        days = int(status.certificate_days)
        detail = "the first one ends" if days >= SOON_DAYS else "`tagsight trust renew`, or ask its authority"
        yield Fact("Certificates", f"{days} days" if days >= 0 else "expired", detail, days < SOON_DAYS)
    yield Fact("Alarms in 24 h", f"{status.alarms_per_day:g}", "all models together")


def _store(site: Site) -> Iterator[Fact]:
    try:
        found = overview(site.data.history)
    except StoreFailure as failure:
        yield Fact("History store", "cannot be read", str(failure), True)
        return
    if found is None:
        return
    gaps = f"gaps: {found.totals.open} open, {found.totals.not_recovered} not recovered"
    yield Fact("History store", f"{found.usage.room / 1e9:.1f} of {found.usage.at_most / 1e9:.0f} GB", gaps,
               found.totals.not_recovered > 0)  # fmt: skip


def _configuration(checked: Checked, words: str) -> Fact:
    if checked.faults:
        return Fact("Configuration", f"{len(checked.faults)} faults", words, True)
    differs, runs = "differs" in words, "is what runs" in words
    return Fact("Configuration", "edited" if differs else "in use" if runs else "can be used", words, differs)


def _age(ns: int, every_ns: int) -> str:
    is_old = ns > max(OLD_INTERVALS * every_ns, MINUTE_NS)
    return f"⚠ {age_words(ns)}" if is_old else age_words(ns)


def age_words(ns: int) -> str:
    """How long ago, in one unit."""
    seconds = max(ns, 0) / SECOND
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"

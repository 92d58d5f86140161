"""What `tagsight status` says. Reads the data folder, connects to nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.configuration import Checked
from tagsight.data_folder import DataFolder
from tagsight.drift_outputs import drift_line
from tagsight.errors import StorageError
from tagsight.heartbeat import HeartbeatFile, is_stale
from tagsight.ledger.ledger import Ledger
from tagsight.platform import Holder, InstanceLock
from tagsight.results import State
from tagsight_connectors.store.database import StoreFailure
from tagsight_connectors.store.days import date_of
from tagsight_connectors.store.overview import overview

DAY_NS: Final = 86_400 * SECOND
GIGABYTE: Final = 10**9


def status_lines(ledger: Ledger, data: DataFolder, clock: Clock, checked: Checked | None = None) -> Iterator[str]:
    """Plugin first, then one line for each model, then the alarms of the last day.

    `checked`: a configuration to compare with what runs.
    """
    now = clock.now_ns()
    running = InstanceLock(data.lock).holder()
    yield _plugin(data, now, running)
    if checked is not None:
        yield f"configuration: {compared(checked, running)}"
    counters = ledger.counters()
    yield (
        f"outbox: {counters.buffered} waiting, {counters.quarantined} quarantined; "
        f"missed {counters.missed}, not recovered {counters.not_recovered}"
    )
    yield from _histories(data)
    yield _audit(ledger)
    for bound in ledger.bindings():
        yield _model(ledger, bound.model, trained=bound.binding is not None)
        if drifted := drift_line(ledger, bound.model):
            yield f"  {drifted}"
    for alarm in ledger.activations(now - DAY_NS, now):
        ended = f"until {_time(alarm.cleared_ns)}" if alarm.cleared_ns else "active"
        yield f"alarm {alarm.model}: since {_time(alarm.since_ns)}, {ended}"


def compared(checked: Checked, running: Holder | None) -> str:
    """Whether a file says what runs; the service holds its lock with the digest of its plan."""
    if checked.plan is None:
        goes_on = "; what runs goes on unchanged" if running else ""
        return f"{checked.path} cannot be used: `tagsight check {checked.path}` says why{goes_on}"
    if running is None:
        return f"{checked.path} can be used; no service runs with this data folder"
    if checked.plan.digest == running.about:
        return f"{checked.path} is what runs"
    return f"{checked.path} differs from what runs: `tagsight apply {checked.path}` lets the service take it over"


def _plugin(data: DataFolder, now_ns: int, running: Holder | None) -> str:
    status = HeartbeatFile(data.heartbeat).read()
    if status is None:
        return "service: never run with this folder"
    if status.heartbeat == 0:
        return f"service: stopped at {_time(status.time_ns)}"
    if is_stale(status, now_ns):
        return f"service: NOT RUNNING, last heartbeat {_time(status.time_ns)}"
    process = f" (process {running.pid})" if running else ""
    return f"service: {State(status.state).name.lower().replace('_', ' ')}{process} {status.message}".rstrip()


def _audit(ledger: Ledger) -> str:
    try:
        return f"audit trail: {ledger.verify_audit()} entries, unchanged"
    except StorageError as error:
        return f"AUDIT TRAIL: {error}. {error.mend}"


def _histories(data: DataFolder) -> Iterator[str]:
    """The local history store: how full, what was damaged or changed, and which gaps there are."""
    try:
        found = overview(data.history)
    except StoreFailure as failure:
        yield f"history store: cannot be read: {failure}"
        return
    if found is None:
        return
    usage, totals = found.usage, found.totals
    days = ""
    if usage.first_day is not None and usage.last_day is not None:
        days = f", {date_of(usage.first_day)} to {date_of(usage.last_day)}"
    yield (
        f"history store: {_size(usage.room)} of {_size(usage.at_most)}; {usage.days:,} days of "
        f"{usage.tags:,} tags{days}; {usage.damaged} damaged, {totals.changed_days} changed afterwards"
    )
    yield f"history gaps: {totals.open} open, {totals.filled} filled, {totals.not_recovered} not recovered"
    for gap in (*found.open_gaps, *found.not_recovered):
        end = _time(gap.end_ns) if gap.end_ns is not None else "now"
        yield f"  {gap.state.value}: {gap.tag.address or 'all tags'}, {_time(gap.start_ns)} to {end}: {gap.cause}"
    for one in found.changes:
        counts = f"{one.stored} values, later {one.found}; {one.kept} kept"
        yield f"  changed afterwards: {one.tag.address}, {date_of(one.day)}: {counts}"


def _size(size: int) -> str:
    return f"{size / GIGABYTE:.1f} GB" if size >= GIGABYTE else f"{size / 10**6:.1f} MB"


def _model(ledger: Ledger, model: str, *, trained: bool) -> str:
    run = ledger.newest_run(model)
    if not trained:
        return f"{model}: not trained yet"
    if run is None:
        return f"{model}: no score yet"
    said = f"score {run.score:.2f} of 1.00" if run.score is not None else "not scored"
    reason = f" ({run.reason})" if run.reason else ""
    return f"{model}: {said}{reason} at {_time(run.due_ns)}, version {run.version}{', trial' if run.trial else ''}"


def _time(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")

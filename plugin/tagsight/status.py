"""What `tagsight status` says. Reads the data folder, connects to nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile, is_stale
from tagsight.ledger.ledger import Ledger
from tagsight.results import State

DAY_NS: Final = 86_400 * SECOND


def status_lines(ledger: Ledger, data: DataFolder, clock: Clock) -> Iterator[str]:
    """Plugin first, then one line for each model, then the alarms of the last day."""
    now = clock.now_ns()
    yield _plugin(data, now)
    counters = ledger.counters()
    yield (
        f"outbox: {counters.buffered} waiting, {counters.quarantined} quarantined; "
        f"missed {counters.missed}, not recovered {counters.not_recovered}"
    )
    for bound in ledger.bindings():
        yield _model(ledger, bound.model, trained=bound.binding is not None)
    for alarm in ledger.activations(now - DAY_NS, now):
        ended = f"until {_time(alarm.cleared_ns)}" if alarm.cleared_ns else "active"
        yield f"alarm {alarm.model}: since {_time(alarm.since_ns)}, {ended}"


def _plugin(data: DataFolder, now_ns: int) -> str:
    status = HeartbeatFile(data.heartbeat).read()
    if status is None:
        return "service: never run with this folder"
    if status.heartbeat == 0:
        return f"service: stopped at {_time(status.time_ns)}"
    if is_stale(status, now_ns):
        return f"service: NOT RUNNING, last heartbeat {_time(status.time_ns)}"
    return f"service: {State(status.state).name.lower().replace('_', ' ')} {status.message}".rstrip()


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

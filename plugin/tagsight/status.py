"""What `tagsight status` says. Reads the data folder, connects to nothing."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tagsight.clocks import SECOND, Clock
from tagsight.configuration import Checked
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile, is_stale
from tagsight.ledger.ledger import Ledger
from tagsight.platform import Holder, InstanceLock
from tagsight.results import State

DAY_NS: Final = 86_400 * SECOND


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
    for bound in ledger.bindings():
        yield _model(ledger, bound.model, trained=bound.binding is not None)
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
    return f"{checked.path} differs from what runs: edited since the start, it takes effect at a restart"


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

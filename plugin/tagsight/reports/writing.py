"""A shift report onto the disk: on demand, and by the service's schedule."""

from datetime import datetime
from pathlib import Path

from tagsight.clocks import SECOND, Clock
from tagsight.data_folder import DataFolder
from tagsight.errors import StorageError
from tagsight.heartbeat import HeartbeatFile
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Plan
from tagsight.reports.gathering import ShiftReport, gather
from tagsight.reports.sections import Wording
from tagsight.reports.shift_page import shift_page
from tagsight_connectors.history import Span


def gathered(plan: Plan, data: DataFolder, clock: Clock, span: Span) -> ShiftReport:
    """Of one period. Opens the ledger of a data folder for reading, so it may run beside the service and in a thread.

    Raises:
        StorageError: there is no ledger, or it cannot be read.
    """
    with Ledger.open_reader(data.ledger, clock) as ledger:
        return gather(ledger, plan.models, span, clock.now_ns(), HeartbeatFile(data.heartbeat).read())


def wording_of(plan: Plan, code: str = "") -> Wording:
    """In the language of the operators, or in another one."""
    return Wording.of(plan.timezone, code or plan.language)


def write_report(path: Path, text: str) -> None:
    """Whole or not at all: what a mail client or a share picks up is never half a report. Raises StorageError."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(path)
    except OSError as error:
        raise StorageError(
            what=f"{path} cannot be written: {error.strerror}",
            mend="Is the disk full, or the folder not writable for TagSight's account?",
        ) from error


def write_scheduled(plan: Plan, data: DataFolder, clock: Clock) -> Path | None:
    """The report that `report:` of the configuration asks for, up to now; where it is. None where it asks for none.

    Raises:
        StorageError: the ledger cannot be read, or the file not be written.
    """
    if plan.report is None:
        return None
    now_ns = clock.now_ns() // SECOND * SECOND
    report = gathered(plan, data, clock, Span(now_ns - plan.report.last_ns, now_ns))
    moment = datetime.fromtimestamp(now_ns / SECOND, tz=plan.timezone)
    path = Path(plan.report.folder) / f"tagsight-{moment:%Y%m%d-%H%M%S%z}.html"
    write_report(path, shift_page(report, wording_of(plan)))
    return path

"""What was recorded for due times that have not come yet, because the historian's clock was ahead: taken back."""

from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from tagsight.ledger.audit import append_audit
from tagsight.ledger.backlogs import forget_backlogs, forget_doubted, store_backlogs
from tagsight.ledger.counters import NOT_RECOVERED, RETRACTIONS, count
from tagsight.ledger.deliveries import is_in
from tagsight.ledger.records import DeliveryState
from tagsight.ledger.schema import activations, alarm_comments, deliveries, newest_rows, output_rows, runs, watermarks
from tagsight.planner import Backlog


def retract(connection: Connection, open_again: Backlog, now_ns: int) -> int:
    """Delete the runs of one model after `open_again`, set its watermark there, and do `open_again` once more.

    Alarms announced after it go too: the audit trail keeps that they were there. Returns how many runs were deleted.
    """
    model, last_ns = open_again.model, open_again.last_ns
    gone = connection.execute(delete(runs).where(runs.c.model == model, runs.c.due_ns > last_ns)).rowcount
    _delete_rows(connection, model, last_ns, now_ns)
    alarms = _delete_alarms(connection, model, last_ns)
    connection.execute(update(watermarks).where(watermarks.c.model == model).values(due_ns=last_ns))
    forget_backlogs(connection, model, open_again.first_ns)
    store_backlogs(connection, [open_again])  # nothing to store where nothing of it has come yet
    forget_doubted(connection, [model])
    count(connection, RETRACTIONS, 1)
    detail = f"{model}: {gone} runs and {alarms} alarms due after {last_ns} ns: the historian's clock was ahead"
    append_audit(connection, now_ns, "TagSight", "retracted", detail)
    return int(gone)


def _delete_rows(connection: Connection, model: str, last_ns: int, now_ns: int) -> None:
    """With their deliveries; what was still owed is counted as not recovered."""
    owed = deliveries.c
    given_up = connection.execute(
        update(deliveries)
        .where(owed.model == model, owed.due_ns > last_ns, is_in(DeliveryState.PENDING))
        .values(state=DeliveryState.NOT_RECOVERED.value, sequence=None, settled_ns=now_ns)
    ).rowcount
    if given_up:
        count(connection, NOT_RECOVERED, given_up)
    rows, newest = output_rows.c, newest_rows.c
    changed: Any = (newest.model == model, newest.due_ns > last_ns)
    parts = list(connection.execute(select(newest.part).where(*changed)).scalars())
    connection.execute(delete(newest_rows).where(*changed))
    connection.execute(delete(output_rows).where(rows.model == model, rows.part.in_(parts), rows.due_ns > last_ns))
    for part in parts:
        before = select(rows.model, rows.part, rows.due_ns, rows.sequence)
        before = before.where(rows.model == model, rows.part == part).order_by(rows.due_ns.desc()).limit(1)
        connection.execute(insert(newest_rows).from_select(["model", "part", "due_ns", "sequence"], before))


def _delete_alarms(connection: Connection, model: str, last_ns: int) -> int:
    """One that was announced before and cleared after keeps being clear, from the end of what is known."""
    rows = activations.c
    later = (rows.model == model, rows.announced_ns > last_ns)
    comments = alarm_comments.c
    connection.execute(delete(alarm_comments).where(comments.model == model, comments.announced_ns > last_ns))
    gone = connection.execute(delete(activations).where(*later)).rowcount
    cleared = func.min(rows.cleared_ns, last_ns)
    connection.execute(
        update(activations).where(rows.model == model, rows.cleared_ns > last_ns).values(cleared_ns=cleared)
    )
    return int(gone)

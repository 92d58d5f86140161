"""What is deleted, in which order: by age and by size; settled rows first, pending rows last and never silently."""

from typing import Any, Final

from sqlalchemy import Connection, delete, select, update

from tagsight.ledger.audit import append_audit
from tagsight.ledger.counters import NOT_RECOVERED, count
from tagsight.ledger.deliveries import is_in
from tagsight.ledger.records import DeliveryState, RetentionStep
from tagsight.ledger.schema import deliveries, newest_rows, output_rows, runs
from tagsight.plan import Retention

STEP_ROWS: Final = 500
"""Rows of one step: one short transaction, so that a tick never waits long."""

_DONE: Final = RetentionStep(0, 0, more=False)
_EVERYTHING: Final = 2**63 - 1


def retain_step(connection: Connection, retention: Retention, now_ns: int) -> RetentionStep:
    """Delete at most `STEP_ROWS`: what is too old, then what is too much. The newest row of each part always stays."""
    cutoff_ns = now_ns - retention.keep_ns
    too_large = used_bytes(connection) > retention.at_most_bytes
    deleted = _delete_settled(connection, cutoff_ns) + _forget_given_up(connection, cutoff_ns)
    deleted += _delete_runs(connection, cutoff_ns)
    if not deleted and too_large:
        deleted = _delete_settled(connection, _EVERYTHING) or _delete_runs(connection, _EVERYTHING)
    if deleted:
        return RetentionStep(deleted, 0, more=True)
    given_up = _give_up(connection, _EVERYTHING if too_large else cutoff_ns, now_ns)
    return RetentionStep(given_up, given_up, more=True) if given_up else _DONE


def used_bytes(connection: Connection) -> int:
    """Size of what is stored; pages that were freed are used again."""
    pages, free, size = (
        int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "freelist_count", "page_size")
    )
    return (pages - free) * size


def _is_newest() -> Any:
    return select(newest_rows.c.sequence).where(newest_rows.c.sequence == deliveries.c.sequence).exists()


def _delete_settled(connection: Connection, before_ns: int) -> int:
    rows = deliveries.c
    query = (
        select(rows.number, rows.sequence)
        .where(rows.due_ns < before_ns, ~is_in(DeliveryState.PENDING), rows.sequence.is_not(None), ~_is_newest())
        .order_by(rows.due_ns)
        .limit(STEP_ROWS)
    )
    return _delete_rows(connection, connection.execute(query).all())


def _delete_rows(connection: Connection, chosen: Any) -> int:
    numbers = [number for number, _ in chosen]
    sequences = [sequence for _, sequence in chosen if sequence is not None]
    connection.execute(delete(deliveries).where(deliveries.c.number.in_(numbers)))
    still_owed = select(deliveries.c.sequence).where(deliveries.c.sequence == output_rows.c.sequence).exists()
    connection.execute(delete(output_rows).where(output_rows.c.sequence.in_(sequences), ~still_owed))
    return len(numbers)


def _forget_given_up(connection: Connection, before_ns: int) -> int:
    """A delivery that was not recovered is remembered for as long as one that was; the counter for ever."""
    rows = deliveries.c
    query = select(rows.number).where(is_in(DeliveryState.NOT_RECOVERED), rows.settled_ns < before_ns).limit(STEP_ROWS)
    numbers = list(connection.execute(query).scalars())
    connection.execute(delete(deliveries).where(rows.number.in_(numbers)))
    return len(numbers)


def _delete_runs(connection: Connection, before_ns: int) -> int:
    """Runs of which no output row is left."""
    has_rows = (
        select(output_rows.c.sequence)
        .where(output_rows.c.model == runs.c.model, output_rows.c.due_ns == runs.c.due_ns)
        .where(output_rows.c.part.in_(["score", "explanation"]))
        .exists()
    )
    query = select(runs.c.model, runs.c.due_ns).where(runs.c.due_ns < before_ns, ~has_rows)
    chosen = connection.execute(query.order_by(runs.c.due_ns).limit(STEP_ROWS)).all()
    for model, due_ns in chosen:
        connection.execute(delete(runs).where(runs.c.model == model, runs.c.due_ns == due_ns))
    return len(chosen)


def _give_up(connection: Connection, before_ns: int, now_ns: int) -> int:
    rows = deliveries.c
    query = (
        select(rows.number, rows.sequence, rows.due_ns)
        .where(is_in(DeliveryState.PENDING), rows.due_ns < before_ns, ~_is_newest())
        .order_by(rows.due_ns)
        .limit(STEP_ROWS)
    )
    chosen = connection.execute(query).all()
    if not chosen:
        return 0
    connection.execute(
        update(deliveries)
        .where(rows.number.in_([number for number, _, _ in chosen]))
        .values(state=DeliveryState.NOT_RECOVERED.value, sequence=None, settled_ns=now_ns)
    )
    connection.execute(delete(output_rows).where(output_rows.c.sequence.in_([sequence for _, sequence, _ in chosen])))
    count(connection, NOT_RECOVERED, len(chosen))
    first, last = chosen[0].due_ns, chosen[-1].due_ns
    append_audit(connection, now_ns, "TagSight", "not recovered", f"{len(chosen)} deliveries due {first} to {last} ns")
    return len(chosen)

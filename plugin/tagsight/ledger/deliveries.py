"""Deliveries: one for each (output row, destination), in exactly one of four states; the outbox is the pending ones."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, func, literal, select, update
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.encoding import decode_outputs, decode_refused, encode_refused
from tagsight.ledger.records import SERVER, DeliveryState, PendingRow, Quarantined, Settlement
from tagsight.ledger.schema import deliveries, newest_rows, output_rows
from tagsight.results import OutputRow

_PENDING: Final = DeliveryState.PENDING.value
_NEWEST: Final = newest_rows.c.sequence == deliveries.c.sequence


_SETTLE: Final = (
    update(deliveries)
    .where(deliveries.c.sequence == bindparam("of_row"))
    .where(deliveries.c.destination == bindparam("at"), deliveries.c.state == _PENDING)
    .values(
        state=bindparam("now"),
        refused=bindparam("tags"),
        attempts=deliveries.c.attempts + bindparam("tries"),
        settled_ns=bindparam("when"),
    )
)


def store_deliveries(
    connection: Connection,
    rows: Sequence[OutputRow],
    numbers: Sequence[int],
    destinations: Mapping[str, str],
    now_ns: int,
) -> None:
    """Every row is owed to the destination of its model; what our own server shows is written once committed.

    A row that is stored again is owed again.
    """
    if not rows:
        return
    statement = insert(deliveries)
    names = ("sequence", "state", "refused", "attempts", "settled_ns")
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["model", "part", "due_ns", "destination"],
            set_={name: statement.excluded[name] for name in names},
        ),
        [
            _owed(row, number, destinations.get(row.model, SERVER), now_ns)
            for row, number in zip(rows, numbers, strict=True)
        ],
    )


def _owed(row: OutputRow, number: int, destination: str, now_ns: int) -> dict[str, Any]:
    written = destination == SERVER
    return {
        "sequence": number,
        "model": row.model,
        "due_ns": row.due_ns,
        "part": row.part,
        "destination": destination,
        "state": DeliveryState.WRITTEN.value if written else _PENDING,
        "refused": "[]",
        "attempts": 0,
        "settled_ns": now_ns if written else None,
    }


def pending_rows(connection: Connection, destination: str, limit: int) -> tuple[PendingRow, ...]:
    """The live lane (newest row of each model and part), then the backlog, oldest first; at most `limit` together."""
    live = connection.execute(_live(destination).limit(limit)).all()
    found = [_pending(one, live=True) for one in live]
    if len(found) < limit:
        backlog = connection.execute(_backlog(destination).limit(limit - len(found)))
        found += [_pending(one, live=False) for one in backlog]
    return tuple(found)


def _live(destination: str) -> Select[Any]:
    # The state as a parameter: SQLite cannot use the index of the pending ones, and goes from the few newest rows to
    # their deliveries, however long the backlog is.
    joined = newest_rows.join(deliveries, _NEWEST).join(output_rows, newest_rows.c.sequence == output_rows.c.sequence)
    return (
        select(output_rows, deliveries.c.attempts)
        .select_from(joined)
        .where(deliveries.c.destination == destination, deliveries.c.state == _PENDING)
        .order_by(deliveries.c.attempts, newest_rows.c.sequence)
    )


def _backlog(destination: str) -> Select[Any]:
    is_newest = select(literal(1)).where(newest_rows.c.sequence == deliveries.c.sequence).exists()
    return (
        select(output_rows, deliveries.c.attempts)
        .join(deliveries, deliveries.c.sequence == output_rows.c.sequence)
        .where(deliveries.c.destination == destination, is_in(DeliveryState.PENDING), ~is_newest)
        .order_by(deliveries.c.due_ns, deliveries.c.sequence)
    )


def is_in(state: DeliveryState) -> ColumnElement[bool]:
    """The state in the text of the statement, not as a parameter: only then does SQLite use its partial index."""
    return deliveries.c.state == bindparam(None, state.value, literal_execute=True)


def settle_deliveries(connection: Connection, settlements: Sequence[Settlement], now_ns: int) -> None:
    """Store answers. A row that was replaced meanwhile has another number: its answer settles nothing."""
    answered = [one for one in settlements if one.state is not DeliveryState.NOT_RECOVERED]
    if answered:
        connection.execute(_SETTLE, [_answer(settlement, now_ns) for settlement in answered])


def give_up(connection: Connection, settlements: Sequence[Settlement], now_ns: int) -> int:
    """Settle those that can never be stored at their destination; how many were still owed."""
    lost: dict[str, list[int]] = {}
    for one in settlements:
        if one.state is DeliveryState.NOT_RECOVERED:
            lost.setdefault(one.destination, []).append(one.sequence)
    return sum(_give_up(connection, destination, sequences, now_ns) for destination, sequences in lost.items())


def _give_up(connection: Connection, destination: str, sequences: Sequence[int], now_ns: int) -> int:
    rows = deliveries.c
    found = connection.execute(
        update(deliveries)
        .where(rows.sequence.in_(sequences), rows.destination == destination, rows.state == _PENDING)
        .values(state=DeliveryState.NOT_RECOVERED.value, settled_ns=now_ns)
    )
    return int(found.rowcount)


def _answer(settlement: Settlement, now_ns: int) -> dict[str, Any]:
    pending = settlement.state is DeliveryState.PENDING
    return {
        "of_row": settlement.sequence,
        "at": settlement.destination,
        "now": settlement.state.value,
        "tags": encode_refused(settlement.refused),
        "tries": int(pending),
        "when": None if pending else now_ns,
    }


def quarantined_rows(connection: Connection, limit: int) -> tuple[Quarantined, ...]:
    """With the refused tags, newest first."""
    rows = deliveries.c
    query = (
        select(rows.model, rows.due_ns, rows.part, rows.refused)
        .where(is_in(DeliveryState.QUARANTINED))
        .order_by(rows.due_ns.desc())
        .limit(limit)
    )
    return tuple(
        Quarantined(model, due_ns, part, decode_refused(refused))
        for model, due_ns, part, refused in connection.execute(query)
    )


def send_again(connection: Connection, destination: str) -> int:
    """Put the quarantined rows of a destination back into the outbox; how many."""
    changed = connection.execute(
        update(deliveries)
        .where(
            deliveries.c.destination == destination,
            is_in(DeliveryState.QUARANTINED),
            deliveries.c.sequence.is_not(None),
        )
        .values(state=_PENDING, refused="[]", attempts=0, settled_ns=None)
    )
    return changed.rowcount


def count_in_state(connection: Connection, state: DeliveryState, destination: str | None = None) -> int:
    """How many deliveries are pending or quarantined, or in another state (then the whole table is looked at)."""
    query = select(func.count()).select_from(deliveries).where(is_in(state))
    if destination is not None:
        query = query.where(deliveries.c.destination == destination)
    return int(connection.execute(query).scalar_one())


def _pending(found: Row[Any], *, live: bool) -> PendingRow:
    row = OutputRow(found.model, found.due_ns, found.part, decode_outputs(found.outputs))
    return PendingRow(found.sequence, row, live, found.attempts)

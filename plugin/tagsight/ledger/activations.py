"""Alarms as announced. A past that is scored again never retracts or invents one."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, select, update
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.records import Activation
from tagsight.ledger.schema import activations


def store_activations(connection: Connection, new: Sequence[Activation]) -> None:
    """Insert; of one that is there, only clearing and `revised` are added, and neither is taken back."""
    if not new:
        return
    statement = insert(activations)
    old, fresh = activations.c, statement.excluded
    added = {
        "cleared_ns": func.coalesce(old.cleared_ns, fresh.cleared_ns),
        "revised": func.max(old.revised, fresh.revised),
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model", "announced_ns"], set_=added),
        [_fields(one) for one in new],
    )


def acknowledge_activation(
    connection: Connection, model: str, announced_ns: int, *, by: str, time_ns: int, comment: str
) -> bool:
    """Store who saw it and when; the first one counts. False when there is no such alarm, or it was acknowledged."""
    rows = activations.c
    changed = connection.execute(
        update(activations)
        .where(rows.model == model, rows.announced_ns == announced_ns, rows.acknowledged_ns.is_(None))
        .values(acknowledged_by=by, acknowledged_ns=time_ns, comment=comment)
    )
    return changed.rowcount == 1


def confirm_activation(connection: Connection, model: str, announced_ns: int, *, by: str, time_ns: int) -> bool:
    """Store who confirmed an acknowledged alarm; the first one counts. False where there is nothing to confirm."""
    rows = activations.c
    waits = rows.acknowledged_ns.is_not(None), rows.confirmed_ns.is_(None)
    changed = connection.execute(
        update(activations)
        .where(rows.model == model, rows.announced_ns == announced_ns, *waits)
        .values(confirmed_by=by, confirmed_ns=time_ns)
    )
    return changed.rowcount == 1


def newest_activations(connection: Connection) -> dict[str, Activation]:
    """Model -> its newest alarm, active or not."""
    newest = select(activations.c.model, func.max(activations.c.announced_ns).label("announced_ns"))
    last = newest.group_by(activations.c.model).subquery()
    same = (last.c.model == activations.c.model) & (last.c.announced_ns == activations.c.announced_ns)
    found = connection.execute(select(activations).join(last, same))
    return {one.model: _activation(one) for one in found}


def activations_of(connection: Connection, model: str | None, start_ns: int, end_ns: int) -> tuple[Activation, ...]:
    """Announced in `start_ns <= t < end_ns`, ascending; of all models when `model` is None."""
    rows = activations.c
    query = select(activations).where(rows.announced_ns >= start_ns, rows.announced_ns < end_ns)
    if model is not None:
        query = query.where(rows.model == model)
    return tuple(_activation(one) for one in connection.execute(query.order_by(rows.announced_ns, rows.model)))


def count_announced(connection: Connection, start_ns: int, end_ns: int) -> int:
    """How many alarms were announced in `start_ns <= t < end_ns`."""
    rows = activations.c
    query = select(func.count()).where(rows.announced_ns >= start_ns, rows.announced_ns < end_ns)
    return int(connection.execute(query).scalar_one())


def _fields(one: Activation) -> dict[str, Any]:
    return {
        "model": one.model,
        "since_ns": one.since_ns,
        "announced_ns": one.announced_ns,
        "cleared_ns": one.cleared_ns,
        "acknowledged_by": one.acknowledged_by,
        "acknowledged_ns": one.acknowledged_ns,
        "comment": one.comment,
        "revised": int(one.revised),
        "confirmed_by": one.confirmed_by,
        "confirmed_ns": one.confirmed_ns,
    }


def _activation(found: Row[Any]) -> Activation:
    return Activation(
        model=found.model,
        since_ns=found.since_ns,
        announced_ns=found.announced_ns,
        cleared_ns=found.cleared_ns,
        acknowledged_by=found.acknowledged_by,
        acknowledged_ns=found.acknowledged_ns,
        comment=found.comment,
        revised=bool(found.revised),
        confirmed_by=found.confirmed_by,
        confirmed_ns=found.confirmed_ns,
    )

"""Output rows in the order of storing, and the newest of each (model, part)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.counters import SEQUENCE, count, counter
from tagsight.ledger.encoding import decode_outputs, encode_outputs, needles
from tagsight.ledger.records import StoredRow
from tagsight.ledger.schema import newest_rows, output_rows
from tagsight.results import OutputRow, OutputValue


def store_rows(connection: Connection, new: Sequence[OutputRow]) -> range:
    """Insert, or replace the values of the same (model, part, due time); the sequence numbers, one for each row.

    A replaced row gets a new number too, and its deliveries follow it (ON UPDATE CASCADE).
    """
    if not new:
        return range(0)
    last = count(connection, SEQUENCE, len(new))
    numbers = range(last - len(new) + 1, last + 1)
    fields = [
        {"sequence": number, "model": row.model, "due_ns": row.due_ns, "part": row.part}
        for number, row in zip(numbers, new, strict=True)
    ]
    statement = insert(output_rows)
    replaced = {"sequence": statement.excluded.sequence, "outputs": statement.excluded.outputs}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["model", "part", "due_ns"], set_=replaced),
        [{**one, "outputs": encode_outputs(row.values)} for one, row in zip(fields, new, strict=True)],
    )
    _note_newest(connection, fields)
    return numbers


def _note_newest(connection: Connection, fields: Sequence[dict[str, Any]]) -> None:
    statement = insert(newest_rows)
    fresh = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["model", "part"],
            set_={"due_ns": fresh.due_ns, "sequence": fresh.sequence},
            where=fresh.due_ns >= newest_rows.c.due_ns,
        ),
        fields,
    )


def last_sequence(connection: Connection) -> int:
    """Number of the row stored last; 0 before the first."""
    return counter(connection, SEQUENCE)


def rows_stored_after(connection: Connection, sequence: int, limit: int) -> tuple[StoredRow, ...]:
    """In the order of storing."""
    query = select(output_rows).where(output_rows.c.sequence > sequence).order_by(output_rows.c.sequence).limit(limit)
    return tuple(_stored(found) for found in connection.execute(query))


def newest_of_each(connection: Connection, after: int = 0) -> tuple[StoredRow, ...]:
    """The newest row by due time of each (model, part), if stored after a sequence number; in that order."""
    joined = output_rows.join(newest_rows, newest_rows.c.sequence == output_rows.c.sequence)
    query = select(output_rows).select_from(joined).where(newest_rows.c.sequence > after)
    return tuple(_stored(found) for found in connection.execute(query.order_by(newest_rows.c.sequence)))


def newest_of(connection: Connection, model: str, part: str) -> StoredRow | None:
    """The newest row of one part of one model."""
    joined = output_rows.join(newest_rows, newest_rows.c.sequence == output_rows.c.sequence)
    chosen = newest_rows.c.model == model, newest_rows.c.part == part
    found = connection.execute(select(output_rows).select_from(joined).where(*chosen)).first()
    return None if found is None else _stored(found)


def rows_of_part(connection: Connection, part: str, start_ns: int, end_ns: int) -> tuple[OutputRow, ...]:
    """Of all models, `start_ns <= due < end_ns`, ascending by due time."""
    rows = output_rows.c
    query = (
        select(output_rows)
        .where(rows.part == part, rows.due_ns >= start_ns, rows.due_ns < end_ns)
        .order_by(rows.due_ns, rows.sequence)
    )
    return tuple(_stored(found).row for found in connection.execute(query))


def history_of(
    connection: Connection, model: str, output: str, start_ns: int, end_ns: int, *, limit: int, offset: int
) -> list[tuple[int, OutputValue]]:
    """Values of one output with `start_ns <= due < end_ns`, ascending by due time."""
    rows = output_rows.c
    query = (
        select(rows.due_ns, rows.outputs)
        .where(rows.model == model, rows.due_ns >= start_ns, rows.due_ns < end_ns)
        .where(or_(*(func.instr(rows.outputs, needle) > 0 for needle in needles(output))))
        .where(rows.part.in_(_parts(connection, model)))
        .order_by(rows.due_ns, rows.sequence)
        .limit(limit)
        .offset(offset)
    )
    return [(due_ns, _pick(outputs, output)) for due_ns, outputs in connection.execute(query)]


def _parts(connection: Connection, model: str) -> list[str]:
    """Named one by one, SQLite walks the index (model, part, due time) instead of the whole table."""
    return list(connection.execute(select(newest_rows.c.part).where(newest_rows.c.model == model)).scalars())


def _pick(outputs: str, output: str) -> OutputValue:
    return next(value for value in decode_outputs(outputs) if value.output == output)


def _stored(found: Row[Any]) -> StoredRow:
    row = OutputRow(found.model, found.due_ns, found.part, decode_outputs(found.outputs))
    return StoredRow(found.sequence, row)

"""Due times that are left for later, and the watermarks of before a historian's clock became doubtful."""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Connection, delete, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.schema import backlogs, doubted_since
from tagsight.planner import Backlog


def store_backlogs(connection: Connection, new: Sequence[Backlog]) -> None:
    """Add, or note how far one has been worked off; one that is done goes."""
    rows = backlogs.c
    for one in new:
        if one.done:
            connection.execute(delete(backlogs).where(rows.model == one.model, rows.last_ns == one.last_ns))
            continue
        statement = insert(backlogs).values(model=one.model, first_ns=one.first_ns, last_ns=one.last_ns)
        moved = {"first_ns": statement.excluded.first_ns}
        connection.execute(statement.on_conflict_do_update(index_elements=["model", "last_ns"], set_=moved))


def all_backlogs(connection: Connection) -> tuple[Backlog, ...]:
    """Oldest first."""
    rows = backlogs.c
    query = select(rows.model, rows.first_ns, rows.last_ns).order_by(rows.first_ns, rows.model)
    return tuple(Backlog(*found) for found in connection.execute(query))


def forget_backlogs(connection: Connection, model: str, first_ns: int) -> None:
    """Those that begin at `first_ns` or later."""
    connection.execute(delete(backlogs).where(backlogs.c.model == model, backlogs.c.first_ns >= first_ns))


def note_doubted(connection: Connection, new: Mapping[str, int]) -> None:
    """Of what is noted already, nothing changes."""
    if new:
        statement = insert(doubted_since).on_conflict_do_nothing()
        connection.execute(statement, [{"model": model, "due_ns": due_ns} for model, due_ns in new.items()])


def all_doubted(connection: Connection) -> dict[str, int]:
    """Model -> watermark of before the doubt."""
    return dict(connection.execute(select(doubted_since.c.model, doubted_since.c.due_ns)).all())


def forget_doubted(connection: Connection, models: Collection[str]) -> None:
    """The doubt is over."""
    connection.execute(delete(doubted_since).where(doubted_since.c.model.in_(models)))

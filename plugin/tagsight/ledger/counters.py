"""Counters that only grow, and the sequence of output rows, which is one of them."""

from typing import Final

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from tagsight.ledger.schema import counters

MISSED: Final = "missed"
NOT_RECOVERED: Final = "not_recovered"
SEQUENCE: Final = "sequence"
RETRACTIONS: Final = "retractions"
"""How often what had been recorded was taken back: who keeps the newest rows in memory must read them anew."""


def count(connection: Connection, name: str, by: int) -> int:
    """Add to a counter; its new value."""
    statement = insert(counters).values(name=name, value=by)
    added = counters.c.value + statement.excluded.value
    statement = statement.on_conflict_do_update(index_elements=["name"], set_={"value": added})
    return int(connection.execute(statement.returning(counters.c.value)).scalar_one())


def counter(connection: Connection, name: str) -> int:
    """0 before the first `count`."""
    return connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one_or_none() or 0

"""What operators said of alarms: every comment stays."""

from sqlalchemy import Connection, func, insert, select

from tagsight.ledger.records import AlarmComment
from tagsight.ledger.schema import alarm_comments

_FIELDS = (
    alarm_comments.c.model,
    alarm_comments.c.announced_ns,
    alarm_comments.c.by,
    alarm_comments.c.time_ns,
    alarm_comments.c.comment,
)


def store_comment(connection: Connection, one: AlarmComment) -> None:
    """Add it; an empty one is none."""
    if not one.comment:
        return
    connection.execute(
        insert(alarm_comments).values(
            model=one.model, announced_ns=one.announced_ns, by=one.by, time_ns=one.time_ns, comment=one.comment
        )
    )


def comments_of(connection: Connection, model: str, announced_ns: int) -> tuple[AlarmComment, ...]:
    """Of one alarm, in the order of storing."""
    rows = alarm_comments.c
    query = select(*_FIELDS).where(rows.model == model, rows.announced_ns == announced_ns).order_by(rows.number)
    return tuple(AlarmComment(*found) for found in connection.execute(query))


def newest_comments(connection: Connection) -> dict[str, AlarmComment]:
    """Model -> its newest comment."""
    last = select(func.max(alarm_comments.c.number)).group_by(alarm_comments.c.model)
    query = select(*_FIELDS).where(alarm_comments.c.number.in_(last))
    return {found.model: AlarmComment(*found) for found in connection.execute(query)}

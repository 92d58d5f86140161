"""The audit trail: append-only (triggers), each entry sealed with the digest of the one before."""

import hashlib
import json
from typing import Final

from sqlalchemy import Connection, func, insert, select

from tagsight.errors import StorageError
from tagsight.ledger.records import AuditEntry
from tagsight.ledger.schema import audit

_FIRST: Final = "0" * 64


def append_audit(connection: Connection, time_ns: int, who: str, what: str, detail: str) -> AuditEntry:
    """Add one entry in the transaction of what it tells about."""
    last = connection.execute(select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)).first()
    number, previous = (1, _FIRST) if last is None else (last.number + 1, last.digest)
    digest = seal(previous, number, time_ns, who, what, detail)
    connection.execute(
        insert(audit).values(
            number=number, time_ns=time_ns, who=who, what=what, detail=detail, previous=previous, digest=digest
        )
    )
    return AuditEntry(number, time_ns, who, what, detail, digest)


def last_number(connection: Connection) -> int:
    """Of the newest entry; 0 before the first."""
    return connection.execute(select(func.max(audit.c.number))).scalar_one() or 0


def audit_entries(connection: Connection, after: int, limit: int) -> tuple[AuditEntry, ...]:
    """In the order of writing."""
    rows = audit.c
    query = (
        select(rows.number, rows.time_ns, rows.who, rows.what, rows.detail, rows.digest)
        .where(rows.number > after)
        .order_by(rows.number)
        .limit(limit)
    )
    return tuple(AuditEntry(*found) for found in connection.execute(query))


def newest_entries(connection: Connection, before: int, limit: int) -> tuple[AuditEntry, ...]:
    """Those with a number below `before` (0: all), the newest first."""
    rows = audit.c
    query = select(rows.number, rows.time_ns, rows.who, rows.what, rows.detail, rows.digest)
    if before:
        query = query.where(rows.number < before)
    return tuple(AuditEntry(*found) for found in connection.execute(query.order_by(rows.number.desc()).limit(limit)))


def verify_audit(connection: Connection) -> int:
    """Check every seal; the number of entries.

    Raises:
        StorageError: an entry was changed, removed or put in.
    """
    previous, expected = _FIRST, 0
    for found in connection.execute(select(audit).order_by(audit.c.number)):
        expected += 1
        digest = seal(previous, found.number, found.time_ns, found.who, found.what, found.detail)
        if found.number != expected or found.previous != previous or found.digest != digest:
            raise StorageError(
                what=f"the audit trail is broken at entry {expected}",
                mend="Somebody or something changed the ledger outside TagSight; compare it with a backup.",
            )
        previous = digest
    return expected


def seal(previous: str, *entry: str | int) -> str:
    """SHA-256, hex, over number, time, who, what and detail of an entry and the digest of the one before."""
    text = json.dumps([previous, *entry], ensure_ascii=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()

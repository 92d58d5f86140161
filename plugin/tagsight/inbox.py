"""The inbox: what operators wrote, on the disk before they are told so. A second database, beside the ledger.

Tag server and pages append; the service alone acts on it (`Ledger.act`, exactly once by id) and then removes it.
"""

import json
import math
import uuid
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Column, Integer, MetaData, Table, Text, delete, func, insert, select

from tagsight.errors import StorageError
from tagsight.ledger.database import Database, open_database
from tagsight.ledger.records import OperatorAct
from tagsight.output_tags import CONDITION, FEEDBACK, OFF, PLUGIN, split_identifier
from tagsight_connectors.alarming import Act, ConditionAct
from tagsight_connectors.serving import ClientWrite

SCHEMA_VERSION: Final = 1

MOST_NOTES: Final = 1_000
"""Notes for the audit trail that wait for the service: who tries passwords does not fill the inbox of the operators."""

MOST_UNREAD: Final = 10_000
"""Entries that wait for the service; beyond that a write is refused (the service has been down for long)."""

LONGEST_TEXT: Final = 1_000
"""Characters of a written text, an identifier or a user's name."""

_NOTES: Final = f"{PLUGIN}/Notes"
"""Identifier of a note; no tag."""

_metadata = MetaData()
_entries = Table(
    "entries",
    _metadata,
    Column("number", Integer, primary_key=True),
    Column("id", Text, nullable=False, unique=True),
    Column("identifier", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("time_ns", Integer, nullable=False),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, slots=True)
class Note:
    """What happened beside the operators' acts and belongs into the audit trail: a sign-in, a change of users."""

    who: str
    what: str
    detail: str
    time_ns: int


@dataclass(frozen=True, slots=True)
class InboxEntry:
    """One write of an operator, one act on an alarm, or a note; `number` grows, `id` names it for ever."""

    number: int
    id: str
    write: ClientWrite | ConditionAct | Note


class Inbox:
    """Open it in each process that uses it; what `append` returned from is on the disk."""

    def __init__(self, database: Database) -> None:
        """Use `open`."""
        self._database = database

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open, made if there is none. Raises StorageError."""
        return cls(open_database(path, _metadata, SCHEMA_VERSION))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the files."""
        self._database.close()

    def append(self, write: ClientWrite) -> str:
        """Store a write durably; its id.

        Raises:
            StorageError: the disk is full, or the inbox is.
        """
        text = write.value if isinstance(write.value, str) else ""
        return self._append(write.identifier, json.dumps(write.value), write.user, write.time_ns, text)

    def append_act(self, act: ConditionAct) -> str:
        """Store an act on an alarm durably; its id. Raises StorageError."""
        told = {"act": act.act.value, "occurrence": act.occurrence, "comment": act.comment, "until_ns": act.until_ns}
        return self._append(act.condition, json.dumps(told), act.user, act.time_ns, act.comment)

    def append_note(self, note: Note) -> str:
        """Store a note for the audit trail durably; its id, "" where too many wait already. Raises StorageError."""
        waiting = select(func.count()).select_from(_entries).where(_entries.c.identifier == _NOTES)
        with self._database.read() as connection:
            if connection.execute(waiting).scalar_one() >= MOST_NOTES:
                return ""
        told = json.dumps({"note": note.what, "detail": note.detail[:LONGEST_TEXT]})
        return self._append(_NOTES, told, note.who[:LONGEST_TEXT], note.time_ns, "")

    def _append(self, identifier: str, value: str, user: str, time_ns: int, text: str) -> str:
        entry = str(uuid.uuid4())
        texts = [identifier, user, text]
        if any(len(text) > LONGEST_TEXT for text in texts):
            raise StorageError(what=f"a write of more than {LONGEST_TEXT} characters is not stored")
        with self._database.write() as connection:
            if connection.execute(select(func.count()).select_from(_entries)).scalar_one() >= MOST_UNREAD:
                raise StorageError(
                    what=f"the inbox is full ({MOST_UNREAD} writes wait for the service)",
                    mend="Is `tagsight run` running? `tagsight status` says.",
                )
            connection.execute(
                insert(_entries).values(
                    id=entry,
                    identifier=identifier,
                    value=value,
                    user=user,
                    time_ns=time_ns,
                )
            )
        return entry

    def unread(self, after: int = 0, limit: int = 1_000) -> tuple[InboxEntry, ...]:
        """Entries with a number above `after`, in order."""
        query = select(_entries).where(_entries.c.number > after).order_by(_entries.c.number).limit(limit)
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return tuple(
            InboxEntry(one.number, one.id, _asked(one.identifier, json.loads(one.value), one.user, one.time_ns))
            for one in found
        )

    def remove(self, up_to: int) -> None:
        """Forget the entries up to a number: only after `Ledger.act` has returned."""
        with self._database.write() as connection:
            connection.execute(delete(_entries).where(_entries.c.number <= up_to))


def _asked(identifier: str, value: Any, user: str, time_ns: int) -> ClientWrite | ConditionAct | Note:
    if not isinstance(value, dict):
        return ClientWrite(identifier, value, user, time_ns)
    if identifier == _NOTES:
        return Note(user, value["note"], value["detail"], time_ns)
    act = Act(value["act"])
    return ConditionAct(identifier, act, user, time_ns, value["occurrence"], value["comment"], value["until_ns"])


def fits(identifier: str, value: float | str) -> bool:
    """Whether an operator may write this: `Feedback` 0 to 3, `Off` 0 or 1, and nothing else."""
    place = split_identifier(identifier)
    if place is None or isinstance(value, str) or not math.isfinite(value) or value != int(value):
        return False
    model, output = place
    if output == FEEDBACK and model != PLUGIN:
        return 0 <= value <= 3
    return output == OFF and 0 <= value <= 1


def act_of(entry: InboxEntry) -> OperatorAct | None:
    """What an entry asks for; None where it asks for nothing that there is."""
    write = entry.write
    if isinstance(write, Note):
        return None
    if isinstance(write, ConditionAct):
        return _act_on_alarm(entry.id, write)
    place = split_identifier(write.identifier)
    if place is None or isinstance(write.value, str) or not fits(write.identifier, write.value):
        return None
    model, output = place
    if output == FEEDBACK:
        return OperatorAct(entry.id, model, write.user, write.time_ns, feedback=int(write.value))
    return OperatorAct(entry.id, model, write.user, write.time_ns, off=bool(write.value))


def _act_on_alarm(entry: str, asked: ConditionAct) -> OperatorAct | None:
    model, output = split_identifier(asked.condition) or ("", "")
    if output != CONDITION:
        return None
    shelving = {Act.SHELVE, Act.SHELVE_ONCE, Act.UNSHELVE}
    return OperatorAct(
        entry,
        model,
        asked.user,
        asked.time_ns,
        acknowledge=asked.occurrence if asked.act is Act.ACKNOWLEDGE else None,
        confirm=asked.occurrence if asked.act is Act.CONFIRM else None,
        remark=asked.occurrence if asked.act is Act.COMMENT else None,
        shelved_until_ns=asked.until_ns if asked.act in shelving else None,
        shelved_once=asked.act is Act.SHELVE_ONCE,
        comment=asked.comment,
    )

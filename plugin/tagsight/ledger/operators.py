"""What operators did, applied exactly once by the id of the entry."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from tagsight.ledger.activations import acknowledge_activation, confirm_activation
from tagsight.ledger.audit import append_audit
from tagsight.ledger.comments import store_comment
from tagsight.ledger.records import Activation, AlarmComment, Label, OperatorAct, OperatorState
from tagsight.ledger.schema import activations, inbox_acted, labels, operator_state

_AT_ONCE: Final = 500
"""Entries of one query: below the variables that any SQLite takes in one statement."""

FEEDBACK_WORDS: Final = {1: "feedback: true", 2: "feedback: false", 3: "feedback: maintenance"}
"""What an acknowledgement by feedback says."""


def note_acted(connection: Connection, entries: Sequence[str], now_ns: int) -> None:
    """Mark inbox entries as acted on."""
    for entry in entries:
        first_time(connection, entry, now_ns)


def first_time(connection: Connection, entry: str, now_ns: int) -> bool:
    """Mark an entry; False when it was marked before."""
    statement = upsert(inbox_acted).values(entry=entry, acted_ns=now_ns).on_conflict_do_nothing()
    return connection.execute(statement).rowcount == 1


def acted_of(connection: Connection, entries: Collection[str]) -> frozenset[str]:
    """Those of the entries that are marked."""
    asked, found = list(entries), set[str]()
    for first in range(0, len(asked), _AT_ONCE):
        query = select(inbox_acted.c.entry).where(inbox_acted.c.entry.in_(asked[first : first + _AT_ONCE]))
        found.update(connection.execute(query).scalars())
    return frozenset(found)


def apply_act(connection: Connection, act: OperatorAct) -> OperatorState:
    """Apply one act that is applied for the first time; the state after it."""
    before = state_of(connection, act.model)
    after = replace(
        before if act.shelved_until_ns is None else _shelved(before, act),
        off=before.off if act.off is None else act.off,
        feedback_count=before.feedback_count + (act.feedback != 0),
    )
    _store_state(connection, act.model, after)
    _apply_to_alarm(connection, act)
    if act.feedback:
        _store_feedback(connection, act)
    append_audit(connection, act.time_ns, act.by, "operator", _words(act))
    return after


def _shelved(before: OperatorState, act: OperatorAct) -> OperatorState:
    until_ns = act.shelved_until_ns or None
    once = act.shelved_once and until_ns is not None
    return replace(before, shelved_until_ns=until_ns, shelved_once=once, shelving_ns=act.time_ns)


def end_shelving_with_alarm(connection: Connection, cleared: Sequence[Activation]) -> None:
    """A shelving for one alarm ends when that clears."""
    rows = operator_state.c
    for one in cleared:
        if one.cleared_ns is not None:
            ended = update(operator_state).where(rows.model == one.model, rows.shelved_once == 1)
            connection.execute(ended.values(shelved_until_ns=None, shelved_once=0, shelving_ns=one.cleared_ns))


def _apply_to_alarm(connection: Connection, act: OperatorAct) -> None:
    if act.acknowledge is not None:
        _acknowledge(connection, act, act.acknowledge, act.comment)
    if act.confirm is not None:
        confirm_activation(connection, act.model, act.confirm, by=act.by, time_ns=act.time_ns)
    for announced_ns in {act.acknowledge, act.confirm, act.remark} - {None}:
        store_comment(connection, AlarmComment(act.model, int(announced_ns or 0), act.by, act.time_ns, act.comment))


def _acknowledge(connection: Connection, act: OperatorAct, announced_ns: int, comment: str) -> None:
    acknowledge_activation(connection, act.model, announced_ns, by=act.by, time_ns=act.time_ns, comment=comment)


def _store_state(connection: Connection, model: str, state: OperatorState) -> None:
    fields: dict[str, Any] = {
        "model": model,
        "off": int(state.off),
        "shelved_until_ns": state.shelved_until_ns,
        "feedback_count": state.feedback_count,
        "shelved_once": int(state.shelved_once),
        "shelving_ns": state.shelving_ns,
    }
    statement = upsert(operator_state).values(fields)
    connection.execute(statement.on_conflict_do_update(index_elements=["model"], set_=fields))


def _store_feedback(connection: Connection, act: OperatorAct) -> None:
    """Feedback refers to the newest alarm announced when it was given; who judges an alarm has seen it."""
    rows = activations.c
    judged = select(func.max(rows.announced_ns)).where(rows.model == act.model, rows.announced_ns <= act.time_ns)
    announced_ns = connection.execute(judged).scalar_one()
    if announced_ns is not None:
        _acknowledge(connection, act, announced_ns, FEEDBACK_WORDS.get(act.feedback, ""))
    connection.execute(
        insert(labels).values(
            model=act.model,
            announced_ns=announced_ns,
            feedback=act.feedback,
            by=act.by,
            time_ns=act.time_ns,
        )
    )


def _words(act: OperatorAct) -> str:
    done = {
        "model": act.model,
        "off": act.off,
        "feedback": act.feedback or None,
        "shelved_until_ns": act.shelved_until_ns,
        "shelved_once": act.shelved_once or None,
        "acknowledge": act.acknowledge,
        "confirm": act.confirm,
        "remark": act.remark,
        "comment": act.comment or None,
    }
    return json.dumps({name: value for name, value in done.items() if value is not None}, ensure_ascii=False)


def state_of(connection: Connection, model: str) -> OperatorState:
    """As if never touched, for a model that nobody has touched."""
    return all_states(connection).get(model, OperatorState())


def all_states(connection: Connection) -> dict[str, OperatorState]:
    """Of every model that somebody has touched."""
    return {
        one.model: OperatorState(
            bool(one.off), one.shelved_until_ns, one.feedback_count, bool(one.shelved_once), one.shelving_ns
        )
        for one in connection.execute(select(operator_state))
    }


def labels_of(connection: Connection, model: str) -> tuple[Label, ...]:
    """In the order of time."""
    rows = labels.c
    query = select(rows.model, rows.announced_ns, rows.feedback, rows.by, rows.time_ns).where(rows.model == model)
    return tuple(Label(*found) for found in connection.execute(query.order_by(rows.time_ns, rows.number)))

"""What operators do on a faceplate, on its way into the inbox: the same values, by the same way, as over OPC UA."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tagsight.clocks import SECOND
from tagsight.inbox import LONGEST_TEXT, fits
from tagsight.output_tags import FEEDBACK, OFF, identifier_of
from tagsight.served_alarms import LedgerAlarms
from tagsight_connectors.alarming import Act, ConditionAct, ConditionState
from tagsight_connectors.serving import ClientWrite

SHORTEST_SHELVING_NS: Final = 60 * SECOND
_SWITCHES: Final = {"off": 1, "on": 0}


@dataclass
class NotDone(Exception):
    """Why an act is not stored: a key of the catalogues, and the status of the answer."""

    key: str
    status: int = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """What an operator asks for.

    Attributes:
        model: key.
        act: `acknowledge`, `shelve`, `unshelve`, `feedback`, `comment`, `off` or `on`.
        occurrence: the alarm that was looked at.
        comment: reason of a shelving, or what is said of the alarm.
        minutes: of a shelving; 0: until the alarm ends.
        feedback: 1 right, 2 wrong, 3 maintenance.
    """

    model: str
    act: str
    occurrence: int = 0
    comment: str = ""
    minutes: float = 0.0
    feedback: int = 0


def asked(given: Any) -> Asked:
    """From JSON; raises NotDone where it does not say what it must."""
    if not isinstance(given, Mapping):
        raise NotDone("not_understood")
    model, act, comment = given.get("model"), given.get("act"), given.get("comment", "")
    texts = [model, act, comment]
    if not all(isinstance(text, str) and text.isprintable() and len(text) <= LONGEST_TEXT for text in texts):
        raise NotDone("not_understood")
    minutes, feedback = _number(given.get("minutes", 0)), _number(given.get("feedback", 0))
    occurrence = str(given.get("occurrence", "0"))
    if not (occurrence.isascii() and occurrence.isdigit() and len(occurrence) <= 20) or feedback not in {0, 1, 2, 3}:
        raise NotDone("not_understood")
    return Asked(str(model), str(act), int(occurrence), str(comment).strip(), minutes, int(feedback))


def store(alarms: LedgerAlarms, act: Asked, user: str, now_ns: int) -> None:
    """Into the inbox. Raises NotDone where it does not fit how the alarm stands, StorageError for a full disk."""
    state = next((one for one in alarms.conditions() if one.name == act.model), None)
    if state is None:
        raise NotDone("no_such_model", 404)
    if act.act in _SWITCHES:
        _write(alarms, ClientWrite(identifier_of(act.model, OFF), _SWITCHES[act.act], user, now_ns))
        return
    if act.act == "feedback":
        _feedback(alarms, act, state, user, now_ns)
        return
    done, until_ns = _condition_act(act, state, now_ns, alarms.longest_shelving_ns)
    shelving = done in {Act.SHELVE, Act.SHELVE_ONCE, Act.UNSHELVE}
    occurrence = 0 if shelving else act.occurrence
    alarms.act(ConditionAct(state.identifier, done, user, now_ns, occurrence, act.comment, until_ns))


def _condition_act(act: Asked, state: ConditionState, now_ns: int, longest_ns: int) -> tuple[Act, int]:
    match act.act:
        case "acknowledge":
            _is_the_alarm(act, state)
            if state.acknowledged:
                raise NotDone("acknowledged_already", 409)
            return Act.ACKNOWLEDGE, 0
        case "comment":
            _is_the_alarm(act, state)
            return Act.COMMENT, 0
        case "shelve":
            if not act.comment:
                raise NotDone("reason_missing")
            if not act.minutes:
                return Act.SHELVE_ONCE, now_ns + longest_ns
            length_ns = round(act.minutes * 60 * SECOND)
            if not SHORTEST_SHELVING_NS <= length_ns <= longest_ns:
                raise NotDone("not_that_long")
            return Act.SHELVE, now_ns + length_ns
        case "unshelve":
            if not state.shelved:
                raise NotDone("not_shelved", 409)
            return Act.UNSHELVE, 0
    raise NotDone("not_understood")


def _feedback(alarms: LedgerAlarms, act: Asked, state: ConditionState, user: str, now_ns: int) -> None:
    """The number goes the way of the tag `Feedback`; what is said with it is a comment on the same alarm."""
    if act.feedback == 0:
        raise NotDone("not_understood")
    if act.occurrence:
        _is_the_alarm(act, state)
    _write(alarms, ClientWrite(identifier_of(act.model, FEEDBACK), act.feedback, user, now_ns))
    if act.comment and act.occurrence:
        alarms.act(ConditionAct(state.identifier, Act.COMMENT, user, now_ns, act.occurrence, act.comment))


def _write(alarms: LedgerAlarms, write: ClientWrite) -> None:
    if not fits(write.identifier, write.value if isinstance(write.value, str) else float(write.value)):
        raise NotDone("not_understood")
    alarms.inbox.append(write)


def _is_the_alarm(act: Asked, state: ConditionState) -> None:
    """What was looked at is still the newest alarm."""
    if not act.occurrence or act.occurrence != state.occurrence:
        raise NotDone("another_alarm", 409)


def _number(given: Any) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not 0 <= given <= 1e6:
        raise NotDone("not_understood")
    return float(given)

"""Drift as output tags, and in one line for `tagsight status`."""

from collections.abc import Sequence
from typing import Final

from tagsight.drift_task import DriftFound
from tagsight.ledger.ledger import Ledger
from tagsight.results import OutputRow, OutputValue
from tagsight_connectors.quality import BAD_NO_DATA, GOOD, UNCERTAIN
from tagsight_explain.language import ENGLISH, language
from tagsight_models.drift import TARGET, Drift, RoleDrift

DRIFT_PART: Final = "drift"
DRIFT: Final = "Drift"
DRIFT_RELATIONS: Final = "DriftRelations"
DRIFT_ROLES: Final = "DriftRoles"
DRIFT_REASON: Final = "DriftReason"

MOST_NAMED: Final = 10
ELSEWHERE: Final = "inputs are where the training data were not"
MOVED: Final = "relations between the inputs have moved"
AT_ONCE: Final = "relations between the inputs changed at once"
RESULT: Final = "the measured values stay beside what the model says"


def drift_row(found: DriftFound, code: str = ENGLISH, *, trial: bool = False) -> OutputRow:
    """The outputs of one look. `trial`: the model must not be relied on yet, so its drift is Uncertain."""
    drift, status = found.drift, UNCERTAIN if trial else GOOD
    known = status if drift is not None else BAD_NO_DATA
    values = (
        OutputValue(DRIFT, None if drift is None else drift.inputs, known),
        OutputValue(DRIFT_RELATIONS, None if drift is None else drift.relations, known),
        OutputValue(DRIFT_ROLES, None if drift is None else ", ".join(_names(drift.moved)), known),
        OutputValue(DRIFT_REASON, language(code).reason(reason_of(found)), GOOD),
    )
    return OutputRow(found.model, found.due_ns, DRIFT_PART, values)


def reason_of(found: DriftFound) -> str:
    """What moved and how, or why nothing is known, in English; "" for no drift."""
    return found.why if found.drift is None else "; ".join(_said(found.drift))


def drift_line(ledger: Ledger, model: str) -> str:
    """The newest look at a model, for people; "" before the first."""
    row = ledger.newest_row(model, DRIFT_PART)
    if row is None:
        return ""
    values = {one.output: one.value for one in row.row.values}
    inputs, relations, reason = values.get(DRIFT), values.get(DRIFT_RELATIONS), values.get(DRIFT_REASON)
    if not isinstance(inputs, float) or not isinstance(relations, float):
        return f"drift not known: {reason}"
    said = f": {reason}" if reason else ""
    return f"drift of inputs {inputs:.2f} of 1.00, of relations {relations:.2f} of 1.00{said}"


def _said(drift: Drift) -> Sequence[str]:
    roles = [one for one in drift.moved if one.role != TARGET]
    told = (
        (AT_ONCE, [one for one in roles if one.relation > 1.0 and one.at_once]),
        (MOVED, [one for one in roles if one.relation > 1.0 and not one.at_once]),
        (ELSEWHERE, [one for one in roles if one.relation <= 1.0]),
    )
    said = [f"{words}: {', '.join(map(_named, some[:MOST_NAMED]))}" for words, some in told if some]
    return [*said, *([RESULT] if len(roles) < len(drift.moved) else [])]


def _names(moved: Sequence[RoleDrift]) -> list[str]:
    return [one.role for one in moved if one.role != TARGET][:MOST_NAMED]


def _named(one: RoleDrift) -> str:
    return f"{one.role} {'↑' if one.up else '↓'}"

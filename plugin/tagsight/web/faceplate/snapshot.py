"""What a faceplate shows of one model, as plain values: the outputs as announced, the leading tags, the alarm. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tagsight.alarms import LIMIT
from tagsight.ledger.bindings import BoundModel
from tagsight.ledger.records import Activation, OperatorState
from tagsight.outputs import TOP_ROLES, causes_of
from tagsight.results import OutputValue, RoleResult, Run, State
from tagsight.web.faceplate.trends import drawn, number
from tagsight_connectors.alarming import ConditionState
from tagsight_connectors.quality import BAD_WAITING_FOR_INITIAL_DATA, quality_of
from tagsight_explain.headline import headline
from tagsight_explain.language import ENGLISH, language

MILLISECOND: Final = 1_000_000
_NOTHING: Final = OutputValue("", None, BAD_WAITING_FOR_INITIAL_DATA)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything that is known of a model now.

    Attributes:
        bound: what it reads.
        outputs: newest value of each output, as announced.
        runs: of the trend, ascending.
        condition: of its alarm.
        activation: newest alarm, None before the first.
        state: what operators have set.
        code: of the language.
    """

    bound: BoundModel
    outputs: Mapping[str, OutputValue]
    runs: Sequence[Run]
    condition: ConditionState | None = None
    activation: Activation | None = None
    state: OperatorState = field(default_factory=OperatorState)
    code: str = ENGLISH

    def value(self, output: str) -> Any:
        """Of an output; None where it has none."""
        return self.outputs.get(output, _NOTHING).value


def snapshot(seen: Seen) -> Mapping[str, Any]:
    """As JSON takes it. Times are ms since 1970; what names an alarm is text, for JavaScript rounds large numbers."""
    newest = seen.runs[-1] if seen.runs else None
    tags, leading = _tags(seen, newest)
    return {
        "key": seen.bound.model,
        "name": seen.bound.model.partition("/")[2],
        "state": _state(seen),
        "alarm": bool(seen.value("Alarm")),
        "quality": quality_of(seen.outputs.get("State", _NOTHING).status).name.lower(),
        "score": number(_float(seen.value("Score"))),
        "score_quality": quality_of(seen.outputs.get("Score", _NOTHING).status).name.lower(),
        "limit": LIMIT,
        "headline": _headline(seen, newest),
        "message": str(seen.value("Message") or ""),
        "reason": str(seen.value("Reason") or ""),
        "version": seen.value("ModelVersion"),
        "due": newest.due_ns // MILLISECOND if newest is not None else None,
        "leading": leading,
        "tags": tags,
        "trend": drawn(seen.runs, [tag["role"] for tag in tags]),
        "feedback_count": seen.value("FeedbackCount") or seen.state.feedback_count,
        "off": seen.state.off,
        "occurrence": _occurrence(seen.condition, seen.activation),
    }


def _state(seen: Seen) -> int:
    value = seen.value("State")
    return int(value) if value is not None else int(State.FUNCTION_CHECK)


def _float(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _headline(seen: Seen, newest: Run | None) -> str:
    units = {one.name: one.unit for one in seen.bound.outputs}
    return headline(newest.results, units, code=seen.code) if newest is not None else ""


def _occurrence(condition: ConditionState | None, newest: Activation | None) -> Mapping[str, Any]:
    """The newest alarm, and what operators did about it."""
    if condition is None:
        return {"id": "0", "active": False, "acknowledged": True}
    return {
        "id": str(condition.occurrence),
        "active": condition.active,
        "acknowledged": condition.acknowledged,
        "since": newest.since_ns // MILLISECOND if newest is not None and newest.cleared_ns is None else None,
        "comment": condition.comment,
        "by": condition.comment_by,
        "shelved_until": condition.shelved_until_ns // MILLISECOND if condition.shelved else None,
    }


def _tags(seen: Seen, newest: Run | None) -> tuple[list[Mapping[str, Any]], bool]:
    """The five leading tags, and whether an explanation says that they lead; else those farthest from expected."""
    explained = next((run for run in reversed(seen.runs) if run.explanation is not None), None)
    if newest is None or not newest.roles:
        return [], False
    leading = explained is not None and bool(seen.value("Top1_Tag"))
    if not leading or explained is None:
        farthest = sorted(newest.roles, key=_distance, reverse=True)[:TOP_ROLES]
        return [_tag(seen, one, None) for one in farthest], False
    groups, found = seen.bound.groups, []
    for cause in causes_of(explained, {}, groups=groups)[:TOP_ROLES]:
        members = dict(groups).get(cause.role, (cause.role,))
        known = [one for one in newest.roles if one.role in members]
        if known:
            found.append(_tag(seen, max(known, key=_distance), cause.share))
    return found, True


def _distance(one: RoleResult) -> float:
    """From expected, in half widths of the band; what cannot be told comes last."""
    half = (one.upper - one.lower) / 2.0
    return abs(one.actual - one.expected) / half if half > 0.0 and one.actual == one.actual else -1.0


def _tag(seen: Seen, one: RoleResult, share: float | None) -> Mapping[str, Any]:
    binding = seen.bound.binding
    role = next((known for known in binding.roles if known.name == one.role), None) if binding is not None else None
    direction = ""
    if one.lower <= one.upper:
        direction = "high" if one.actual > one.upper else "low" if one.actual < one.lower else ""
    return {
        "role": one.role,
        "description": binding.descriptions.get(one.role, "") if binding is not None else "",
        "unit": role.unit if role is not None else "",
        "low": number(role.low) if role is not None else None,
        "high": number(role.high) if role is not None else None,
        "actual": number(one.actual),
        "expected": number(one.expected),
        "lower": number(one.lower),
        "upper": number(one.upper),
        "share": number(share),
        "direction": language(seen.code).texts[direction] if direction else "",
        "outside": bool(direction),
    }

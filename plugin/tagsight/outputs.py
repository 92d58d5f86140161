"""From a run to output tags: the table of states and qualities, in one place. Pure.

What an operator sees says one thing: `State` (NAMUR NE 107), `Alarm` and the quality agree (design page, "Output
tags"). The values are the same whichever way they are delivered.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from tagsight.alarms import LIMIT
from tagsight.cause_patterns import advice
from tagsight.clocks import SECOND
from tagsight.plan import CausePlan
from tagsight.results import ExplanationResult, OutputRow, OutputValue, RoleResult, Run, State
from tagsight_connectors.quality import BAD, GOOD, UNCERTAIN, Quality, quality_of
from tagsight_explain.headline import headline
from tagsight_explain.language import ENGLISH, language
from tagsight_explain.message import Cause, message, not_explained, not_scored, to_check
from tagsight_explain.players import Groups
from tagsight_models.job_output import JobOutput

SCORE_PART: Final = "score"
EXPLANATION_PART: Final = "explanation"
OPERATOR_PART: Final = "operator"
ALARM_PART: Final = "alarm"
TOP_ROLES: Final = 5
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What besides the run decides its outputs.

    Attributes:
        asset: level of the asset, for the sentence.
        alarm: the alarm is active.
        since_ns: since when the score exceeds its limit, None if it does not.
        last_alarm: alarm of the last scored run: held while nothing can be scored.
        last_state: state of the last scored run: likewise.
        off: the operator has switched announcing off.
        shelved: why it announces nothing for some time; "": it is not shelved.
        sensor_fault: a sensor is at fault (flat line, spike, or it contradicts all others): the reason says which.
        units: role -> engineering unit.
        timezone: of the times in the sentence.
        detail: values per role are wanted too.
        descriptions: role -> description in the historian.
        causes: what the engineers say to patterns of contributions.
        language: of the sentence and of the reason.
        job_outputs: what the model says beside its score: shown without a value where a run has none.
        groups: names and roles of groups that are explained as one.
    """

    asset: str
    alarm: bool = False
    since_ns: int | None = None
    last_alarm: bool = False
    last_state: State = State.NORMAL
    off: bool = False
    shelved: str = ""
    sensor_fault: bool = False
    units: Mapping[str, str] = field(default_factory=dict)
    timezone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    detail: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[CausePlan, ...] = ()
    language: str = ENGLISH
    job_outputs: tuple[JobOutput, ...] = ()
    groups: Groups = ()


@dataclass(frozen=True, slots=True)
class Appearance:
    """State, alarm, quality and reason of one run, agreeing with each other.

    Attributes:
        state: NAMUR NE 107.
        alarm: the alarm tag.
        status: quality of `State`, `Alarm` and `Message`.
        reason: in words, English.
        values_status: quality of `Score` and of all numbers about it, where it is not `status`: a faulty sensor is
            known for certain, a score on it is not.
    """

    state: State
    alarm: bool
    status: int
    reason: str
    values_status: int | None = None

    @property
    def score_status(self) -> int:
        """Quality of `Score` and of all numbers about it."""
        return self.status if self.values_status is None else self.values_status


def appearance(run: Run, now: Circumstances) -> Appearance:
    """The row of the table of states that a run falls into."""
    announces_nothing = _announces_nothing(run, now)
    if announces_nothing:
        values = run.quality if now.shelved and not now.off and run.score is not None else None
        return Appearance(State.FUNCTION_CHECK, False, UNCERTAIN, announces_nothing, values)
    if now.sensor_fault and not now.last_alarm and not now.alarm:  # an active alarm stays, as while nothing is scored
        values = run.quality if run.score is not None else _at_least_bad(run.quality)
        return Appearance(State.OUT_OF_SPECIFICATION, False, GOOD, run.reason, values)
    if run.score is None:
        return Appearance(now.last_state, now.last_alarm, _at_least_bad(run.quality), run.reason)
    if now.alarm:
        return Appearance(State.MAINTENANCE_REQUIRED, True, run.quality, run.reason)
    if run.score > LIMIT:
        return Appearance(State.OUT_OF_SPECIFICATION, False, run.quality, run.reason or "within the on-delay")
    return Appearance(State.NORMAL, False, run.quality, run.reason)


def _announces_nothing(run: Run, now: Circumstances) -> str:
    if run.stopped:
        return run.reason or "stopped"
    if now.off:
        return "switched off by the operator"
    if now.shelved:
        return now.shelved
    if run.trial and run.score is not None:
        return "on trial: not approved for alarms"
    return ""


def _at_least_bad(status: int) -> int:
    return status if quality_of(status) is Quality.BAD else BAD


def score_row(run: Run, now: Circumstances) -> OutputRow:
    """The outputs that are known as soon as a run is scored."""
    look = appearance(run, now)
    values = [
        OutputValue("Score", run.score, look.score_status),
        OutputValue("Limit", LIMIT, GOOD),
        *_announced(look, now.language),
        OutputValue("ModelVersion", run.version, GOOD),
        OutputValue("LastRun", _utc_text(run.due_ns), GOOD),
    ]
    values += [OutputValue(output, value, look.score_status) for output, value in _results(run, now)]
    if now.detail:
        values += _role_values(run, look.score_status)
    return OutputRow(run.model, run.due_ns, SCORE_PART, tuple(values))


def _results(run: Run, now: Circumstances) -> Iterator[tuple[str, float | str | None]]:
    """Of the job: every output that the model has, without a value where the run has none or it is no number."""
    names = (one.name for one in now.job_outputs)
    for name in dict.fromkeys((*names, *run.results)):
        value = run.results.get(name)
        yield name, None if isinstance(value, float) and not math.isfinite(value) else value


def explanation_row(run: Run, now: Circumstances, most: int = TOP_ROLES) -> OutputRow:
    """The sentence, the leading roles and the contributions; also for a run that has none, with the reason."""
    look = appearance(run, now)
    status = _explanation_status(run, look.score_status)
    causes = causes_of(run, now.units, now.descriptions, now.groups)[:most]
    announced = causes if run.score is not None and run.score >= LIMIT / 2 else []
    message_status = status if run.score is not None else look.status
    values = [OutputValue("Message", _sentence(run, now, look, announced), message_status)]
    for rank in range(1, TOP_ROLES + 1):
        cause = announced[rank - 1] if rank <= len(announced) else None
        values += _top_values(rank, cause, status)
    if now.detail:
        values += _contribution_values(run.explanation, status)
    return OutputRow(run.model, run.due_ns, EXPLANATION_PART, tuple(values))


def alarm_row(run: Run, time_ns: int, now: Circumstances) -> OutputRow:
    """What becomes of the alarm between two runs, when it is shelved or that ends."""
    return OutputRow(run.model, time_ns, ALARM_PART, tuple(_announced(appearance(run, now), now.language)))


def _announced(look: Appearance, code: str) -> list[OutputValue]:
    return [
        OutputValue("Alarm", int(look.alarm), look.status),
        OutputValue("State", int(look.state), look.status),
        OutputValue("Reason", language(code).reason(look.reason), GOOD),
    ]


def operator_row(model: str, time_ns: int, *, off: bool, feedback_count: int) -> OutputRow:
    """What an operator set, as acknowledged: `Feedback` goes back to 0 once it is stored."""
    values = (
        OutputValue("Feedback", 0, GOOD),
        OutputValue("FeedbackCount", feedback_count, GOOD),
        OutputValue("Off", int(off), GOOD),
    )
    return OutputRow(model, time_ns, OPERATOR_PART, values)


def causes_of(
    run: Run, units: Mapping[str, str], descriptions: Mapping[str, str] = NOTHING, groups: Groups = ()
) -> list[Cause]:
    """Roles and groups with a positive contribution, the largest first; none where the explanation does not hold.

    A group shows the values of its role that is farthest from what is expected of it.
    """
    explanation = run.explanation
    if explanation is None or explanation.failure:
        return []
    positive = {role: value for role, value in explanation.contributions.items() if value > 0.0}
    total = sum(positive.values())
    by_role, members = {one.role: one for one in run.roles}, dict(groups)
    found = []
    for name in sorted(positive, key=lambda role: -positive[role]):
        own = [by_role[role] for role in members.get(name, (name,)) if role in by_role]
        if own:
            one = max(own, key=_deviation)
            found.append(
                Cause(
                    role=name,
                    actual=one.actual,
                    expected=one.expected,
                    lower=one.lower,
                    upper=one.upper,
                    unit=units.get(one.role, ""),
                    share=100.0 * positive[name] / total,
                    description="" if name in members else descriptions.get(name, ""),
                    member=one.role if name in members else "",
                )
            )
    return found


def _deviation(one: RoleResult) -> float:
    """From what is expected, in half-widths of the normal band."""
    half = (one.upper - one.lower) / 2.0
    size = abs(one.actual - one.expected)
    if not math.isfinite(size):
        return -1.0
    return size / half if half > 0.0 else (math.inf if size > 0.0 else 0.0)


def _explanation_status(run: Run, status: int) -> int:
    unexplained = run.score is not None and (run.explanation is None or run.explanation.failure)
    return UNCERTAIN if unexplained and quality_of(status) is Quality.GOOD else status


def _sentence(run: Run, now: Circumstances, look: Appearance, causes: Sequence[Cause]) -> str:
    if run.score is None:
        return not_scored(now.asset, run.reason, code=now.language)
    if now.sensor_fault and not look.alarm:
        return to_check(now.asset, run.reason, code=now.language)
    if run.score < LIMIT / 2:
        return ""
    if run.explanation is not None and run.explanation.failure:
        return not_explained(now.asset, run.score, run.explanation.failure, code=now.language)
    since = _local_text(now.since_ns, run.due_ns, now) if now.since_ns is not None else ""
    abnormal = look.alarm or run.score > LIMIT
    units = {one.name: one.unit for one in now.job_outputs}
    subject = ": ".join(filter(None, (now.asset, headline(run.results, units, code=now.language))))
    said = advice(now.causes, causes) if abnormal else ""
    sentence = message(subject, causes, since, code=now.language, advice=said)
    return sentence or (subject if run.results else "")


def _top_values(rank: int, cause: Cause | None, status: int) -> list[OutputValue]:
    if cause is None:
        empty: tuple[tuple[str, str | float | None], ...] = (
            ("Tag", ""),
            ("Share", 0.0),
            ("Actual", None),
            ("Expected", None),
            ("Direction", ""),
        )
        return [OutputValue(f"Top{rank}_{name}", value, status) for name, value in empty]
    filled = (
        ("Tag", cause.role),
        ("Share", cause.share),
        ("Actual", cause.actual),
        ("Expected", cause.expected),
        ("Direction", cause.direction),
    )
    return [OutputValue(f"Top{rank}_{name}", value, status) for name, value in filled]


def _role_values(run: Run, status: int) -> list[OutputValue]:
    return [
        OutputValue(f"{name}/{one.role}", value, status)
        for one in run.roles
        for name, value in (("Expected", one.expected), ("Lower", one.lower), ("Upper", one.upper))
    ]


def _contribution_values(explanation: ExplanationResult | None, status: int) -> list[OutputValue]:
    if explanation is None:
        return []
    values = (
        []
        if explanation.failure
        else [OutputValue(f"Contribution/{role}", value, status) for role, value in explanation.contributions.items()]
    )
    if explanation.failure:
        return [OutputValue(one, None, status) for one in ("ContributionBase", "ContributionSum")]
    total = explanation.base + sum(explanation.contributions.values())
    return [
        *values,
        OutputValue("ContributionBase", explanation.base, status),
        OutputValue("ContributionSum", total, status),
    ]


def _utc_text(time_ns: int) -> str:
    return datetime.fromtimestamp(time_ns / SECOND, tz=UTC).strftime("%Y-%m-%d %H:%M:%SZ")


def _local_text(time_ns: int, due_ns: int, now: Circumstances) -> str:
    """Time of day; with the date when it was not today."""
    when, today = (datetime.fromtimestamp(one / SECOND, tz=now.timezone) for one in (time_ns, due_ns))
    key = "time_of_day" if when.date() == today.date() else "date_and_time"
    return when.strftime(language(now.language).texts[key])

"""What became of the alarms of a model: from when to when each was active, and what operators said of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from tagsight.ledger.ledger import Ledger
from tagsight.plan import Period


class Verdict(IntEnum):
    """What an operator said: the values of the output `Feedback`."""

    NONE = 0
    TRUE = 1
    FALSE = 2
    MAINTENANCE = 3


_KEPT_OUT = {
    Verdict.NONE: "alarm that nobody called false",
    Verdict.TRUE: "alarm, called true",
    Verdict.MAINTENANCE: "alarm, called maintenance",
}


@dataclass(frozen=True, slots=True)
class JudgedAlarm:
    """One alarm, UTC ns; `until_ns` is the end of what was asked for while it is active."""

    since_ns: int
    until_ns: int
    verdict: Verdict = Verdict.NONE


def judged_alarms(ledger: Ledger, model: str, start_ns: int, end_ns: int) -> tuple[JudgedAlarm, ...]:
    """Alarms announced in [start, end), ascending; the newest word on each counts."""
    verdicts = {one.announced_ns: Verdict(one.feedback) for one in ledger.labels(model)}
    return tuple(
        JudgedAlarm(one.since_ns, min(one.cleared_ns or end_ns, end_ns), verdicts.get(one.announced_ns, Verdict.NONE))
        for one in sorted(ledger.activations(start_ns, end_ns, model), key=lambda found: found.announced_ns)
    )


def kept_out(alarms: Sequence[JudgedAlarm]) -> tuple[Period, ...]:
    """What a model of normal behaviour must not learn from: every alarm but those called false."""
    return tuple(
        Period(one.since_ns, one.until_ns, _KEPT_OUT[one.verdict])
        for one in alarms
        if one.verdict is not Verdict.FALSE and one.since_ns < one.until_ns
    )

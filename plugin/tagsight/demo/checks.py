"""The self-check of `tagsight demo --once`: what must be true of what was seen. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tagsight.demo.plant import FAULTED_LOOP, LOOP_OF
from tagsight.demo.viewer import Seen


@dataclass
class Evidence:
    """What one run of the demo gave.

    Attributes:
        fault_ns: source time at which the fault began.
        before: looks at the outputs before the fault.
        alarm: the look that first showed the alarm, with its sentence; None if none came in time.
        compared: values compared between OPC UA and the ledger.
        differing: where they differ, in words.
    """

    fault_ns: int
    before: list[Seen] = field(default_factory=list)
    alarm: Seen | None = None
    compared: int = 0
    differing: Sequence[str] = ()


def failures(evidence: Evidence) -> list[str]:
    """Everything that is not as it must be, in words; empty when all is well."""
    return [*_before(evidence), *_alarm(evidence), *_compared(evidence)]


def _before(evidence: Evidence) -> list[str]:
    if not any(look.good for look in evidence.before):
        return ["no Good score was seen before the fault"]
    early = [look for look in evidence.before if look.alarm]
    return [f"there was an alarm before the fault: {early[0].message}"] if early else []


def _alarm(evidence: Evidence) -> list[str]:
    alarm = evidence.alarm
    if alarm is None:
        return ["no alarm came in time"]
    found = []
    if alarm.time_ns < evidence.fault_ns:
        found.append("the alarm is older than the fault")
    if not alarm.message:
        found.append("the alarm has no sentence")
    top = alarm.top[0] if alarm.top else ""
    if LOOP_OF.get(top) != FAULTED_LOOP:
        found.append(f"the first tag is {top or 'empty'}, not one of loop {FAULTED_LOOP}")
    return found


def _compared(evidence: Evidence) -> list[str]:
    if not evidence.compared:
        return ["no values were compared between OPC UA and the ledger"]
    return [f"OPC UA and ledger differ: {one}" for one in evidence.differing]

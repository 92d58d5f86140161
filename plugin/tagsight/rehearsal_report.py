"""A rehearsal in words. Pure."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from tagsight.clocks import SECOND
from tagsight.duration import PERIODS_NS, UNITS_NS, format_budget, format_duration
from tagsight.rehearsal import Alarm, Rehearsal

MOST_ALARMS: Final = 50
MONTH_NS: Final = PERIODS_NS["month"]


def report_lines(found: Rehearsal, timezone: ZoneInfo) -> list[str]:
    """What the engineer reads: alarms with their cause, their rate against the budget, what was not scored."""
    one = found.participant
    count = len(found.alarms)
    head = (
        f"{one.plan.key} version {one.facts.version}, {_when(found.span.start_ns, timezone)} to "
        f"{_when(found.span.end_ns, timezone)}, every {format_duration(one.rhythm.every_ns)}: "
        f"{count} alarm{'' if count == 1 else 's'}"
    )
    shown = [line for alarm in found.alarms[:MOST_ALARMS] for line in _alarm(alarm, timezone)]
    more = [f"  ... and {count - MOST_ALARMS} more"] if count > MOST_ALARMS else []
    return [head, *shown, *more, _rate(found), _not_scored(found), *_cautions(found, timezone)]


def _alarm(alarm: Alarm, timezone: ZoneInfo) -> list[str]:
    active = alarm.activation
    end = f"until {_when(active.cleared_ns, timezone)}" if active.cleared_ns is not None else "active at the end"
    causes = ", ".join(f"{role} {share:.0f} %" for role, share in alarm.causes) or "no explanation"
    return [
        f"  {_when(active.announced_ns, timezone)} (above the limit since {_when(active.since_ns, timezone)}), {end}",
        f"    {alarm.message}",
        f"    {causes}",
    ]


def _rate(found: Rehearsal) -> str:
    alarm = found.participant.plan.alarm
    budget = format_budget(alarm.at_most, alarm.per_ns)
    if not found.scored_ns:
        return f"Alarms per 30 days: unknown, nothing was scored; budget {budget}"
    days = found.scored_ns / UNITS_NS["d"]
    verdict = "within" if found.alarms_per(alarm.per_ns) <= alarm.at_most else "above"
    return (
        f"Alarms per 30 days: {found.alarms_per(MONTH_NS):.1f}, from {days:.1f} days scored; {verdict} the budget of "
        f"{budget}"
    )


def _not_scored(found: Rehearsal) -> str:
    total = found.times.size
    missing = int(np.isnan(found.scores).sum())
    share = 100.0 * missing / total if total else 0.0
    reasons = "; ".join(f"{count} {reason}" for reason, count in found.reasons.items())
    return f"Not scored: {missing} of {total} ({share:.1f} %){f': {reasons}' if reasons else ''}"


def _cautions(found: Rehearsal, timezone: ZoneInfo) -> list[str]:
    """What makes the figures weaker than they look."""
    card = found.participant.facts.card
    lines = []
    if card.trial:
        lines.append("This version is on trial: the service would announce none of these alarms.")
    if found.participant.plan.alarm.latch:
        lines.append("Latched alarms were taken as acknowledged at once.")
    if found.span.start_ns <= card.end_ns and card.start_ns < found.span.end_ns:
        seen = f"{_when(card.start_ns, timezone)} to {_when(card.end_ns, timezone)}"
        lines.append(f"The model was trained on {seen}: in that time it does better than it would on what is new.")
    if card.provisional:
        lines.append(card.provisional)
    return lines


def _when(time_ns: int, timezone: ZoneInfo) -> str:
    moment = datetime.fromtimestamp(time_ns // SECOND, tz=timezone)
    return moment.strftime("%Y-%m-%d %H:%M:%S" if moment.second else "%Y-%m-%d %H:%M")

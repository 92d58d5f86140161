"""Alarm performance figures of ISA-18.2 and IEC 62682, of the alarms that TagSight announced. Pure.

The definitions and targets are those of ANSI/ISA-18.2-2016 and IEC 62682, clause 16 (monitoring and assessment), which
took them from EEMUA 191. Targets there are of one operator position and of all its alarm sources together: TagSight's
alarms are only a part of what an operator gets, so a figure within its target proves nothing for the whole.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from tagsight.duration import UNITS_NS
from tagsight.ledger.records import Activation
from tagsight_connectors.history import Span

DAY_NS: Final = UNITS_NS["d"]
WINDOW_NS: Final = 10 * UNITS_NS["m"]

ACCEPTABLE_PER_DAY: Final = 150.0
"""About 6 an hour: very likely to be acceptable (ISA-18.2, IEC 62682)."""

FLOOD_ABOVE: Final = 10
"""More alarms than these in 10 minutes are a flood (ISA-18.2, IEC 62682, EEMUA 191)."""

FLOOD_BELOW: Final = 5
"""Fewer than these in 10 minutes: the flood is over (the same)."""

FLOOD_SHARE: Final = 0.01
"""Share of the time in flood that is acceptable (the same)."""

STALE_NS: Final = DAY_NS
"""An alarm that is active for longer without a break is stale (the same)."""

CHATTER_COUNT: Final = 3
CHATTER_NS: Final = UNITS_NS["h"]
"""An alarm that comes so often within so long chatters. The usual example of ISA-18.2 and EEMUA 191 is three times a
minute, which scores once a minute and delays of minutes cannot reach; within an hour is stricter."""

TOP: Final = 10


@dataclass(frozen=True, slots=True)
class AlarmKpis:
    """Figures of one period.

    Attributes:
        announced: alarms announced in it.
        per_day: the same for 24 hours.
        peak: most alarms announced within any 10 minutes.
        floods: when there was one, ascending.
        flood_share: of the period, 0 to 1.
        standing: active at the end.
        stale: active for more than 24 hours until their end, or until that of the period; the longest first.
        chattering: models whose alarm came `CHATTER_COUNT` times within `CHATTER_NS`, in order of their names.
        top: (model, alarms) of those with the most, at most `TOP`.
        top_share: their share of all alarms, 0 to 1.
        acknowledged: of `announced`, acknowledged before the end of the period.
        median_acknowledged_ns: from announcing to acknowledging; None where none was acknowledged.
    """

    announced: int
    per_day: float
    peak: int
    floods: tuple[Span, ...]
    flood_share: float
    standing: tuple[Activation, ...]
    stale: tuple[Activation, ...]
    chattering: tuple[str, ...]
    top: tuple[tuple[str, int], ...]
    top_share: float
    acknowledged: int
    median_acknowledged_ns: int | None

    @property
    def acknowledged_share(self) -> float | None:
        """0 to 1; None without alarms."""
        return self.acknowledged / self.announced if self.announced else None


def alarm_kpis(alarms: Sequence[Activation], span: Span) -> AlarmKpis:
    """Of alarms that were active at any time of a period, in any order.

    Args:
        alarms: others are of no account.
        span: longer than nothing.
    """
    active = [one for one in alarms if active_in(one, span)]
    announced = [one for one in active if one.announced_ns >= span.start_ns]
    times = [one.announced_ns for one in announced]
    found = floods(times, span)
    length_ns = span.end_ns - span.start_ns
    counted = sorted(Counter(one.model for one in announced).items(), key=lambda pair: (-pair[1], pair[0]))[:TOP]
    waited = [one.acknowledged_ns - one.announced_ns for one in announced if one.acknowledged_ns is not None
              and one.acknowledged_ns < span.end_ns]  # fmt: skip
    return AlarmKpis(
        announced=len(announced),
        per_day=len(announced) * DAY_NS / length_ns,
        peak=peak(times),
        floods=found,
        flood_share=sum(one.end_ns - one.start_ns for one in found) / length_ns,
        standing=tuple(one for one in _oldest_first(active) if one.cleared_ns is None or one.cleared_ns >= span.end_ns),
        stale=tuple(one for one in _oldest_first(active) if lasted_ns(one, span) > STALE_NS),
        chattering=chattering(announced),
        top=tuple(counted),
        top_share=sum(count for _, count in counted) / len(announced) if announced else 0.0,
        acknowledged=len(waited),
        median_acknowledged_ns=round(median(waited)) if waited else None,
    )


def active_in(alarm: Activation, span: Span) -> bool:
    """Whether it was active at any time of the period."""
    return alarm.announced_ns < span.end_ns and (alarm.cleared_ns is None or alarm.cleared_ns >= span.start_ns)


def lasted_ns(alarm: Activation, span: Span) -> int:
    """From announcing until it cleared, or until the end of the period; what was before the period counts."""
    end_ns = span.end_ns if alarm.cleared_ns is None else min(alarm.cleared_ns, span.end_ns)
    return end_ns - alarm.announced_ns


def peak(times: Sequence[int]) -> int:
    """Most of the times within any 10 minutes: ISA-18.2's peak rate, with a window that slides."""
    ordered, first, most = sorted(times), 0, 0
    for number, time in enumerate(ordered):
        while ordered[first] <= time - WINDOW_NS:
            first += 1
        most = max(most, number - first + 1)
    return most


def floods(times: Sequence[int], span: Span) -> tuple[Span, ...]:
    """When there was a flood: from more than `FLOOD_ABOVE` in the last 10 minutes until fewer than `FLOOD_BELOW`.

    ISA-18.2 and IEC 62682. Alarms from before the period do not count; a flood that lasts on ends with the period.
    """
    changes = Counter(times)
    changes.subtract(time + WINDOW_NS for time in times)
    found: list[Span] = []
    count, since = 0, None
    for time, change in sorted(changes.items()):  # what comes and goes at the same time is one change
        count += change
        if since is None and count > FLOOD_ABOVE:
            since = time
        elif since is not None and count < FLOOD_BELOW:
            found.append(Span(since, min(time, span.end_ns)))
            since = None
    return tuple(found)


def chattering(alarms: Sequence[Activation]) -> tuple[str, ...]:
    """Models whose alarm came `CHATTER_COUNT` times within `CHATTER_NS` (ISA-18.2: chattering alarms; target: none)."""
    times: dict[str, list[int]] = {}
    for one in sorted(alarms, key=lambda alarm: alarm.announced_ns):
        times.setdefault(one.model, []).append(one.announced_ns)
    return tuple(sorted(model for model, found in times.items() if _repeats(found)))


def _repeats(times: Sequence[int]) -> bool:
    later = times[CHATTER_COUNT - 1 :]
    return any(last - first < CHATTER_NS for first, last in zip(times, later, strict=False))


def _oldest_first(alarms: Sequence[Activation]) -> list[Activation]:
    return sorted(alarms, key=lambda one: (one.announced_ns, one.model))

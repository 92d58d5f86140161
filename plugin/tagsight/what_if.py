"""What other limits and delays would have made of rehearsed scores: alarms, and how early each known event. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tagsight_models.delays import Activation, Delays, activations
from tagsight_models.frame import Floats, Times

BEFORE_NS: Final = 86_400_000_000_000
"""An alarm up to a day before an event began counts as its warning."""

MONTH_NS: Final = 2_592_000_000_000_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that really happened: from operators who called an alarm true, or from labels."""

    start_ns: int
    end_ns: int
    what: str


@dataclass(frozen=True, slots=True)
class Warned:
    """How an event would have been warned of; `ahead_ns`: before it began (negative: after), None: not at all."""

    event: Event
    ahead_ns: int | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What a choice of limit and delays would have done.

    Attributes:
        alarms: in the order of time.
        per_month: alarms in 30 days of scored time; NaN where nothing was scored.
        elsewhere: alarms that warned of no known event.
        warned: of each event.
    """

    alarms: tuple[Activation, ...]
    per_month: float
    elsewhere: int
    warned: tuple[Warned, ...]


def what_if(
    times: Times, scores: Floats, every_ns: int, *, limit: float, delays: Delays, events: Sequence[Event] = ()
) -> WhatIf:
    """Alarms of the scores under another limit.

    Args:
        times: shape (n,), due times, UTC ns, ascending.
        scores: shape (n,), NaN where not scored.
        every_ns: distance of due times.
        limit: of the score, 1.0 as trained.
        delays: of the alarm.
        events: that should have been warned of.
    """
    alarms = tuple(activations(times, scores, limit, delays))
    scored_ns = int(np.isfinite(scores).sum()) * every_ns
    warned = tuple(Warned(event, _ahead(event, alarms)) for event in events)
    elsewhere = sum(not any(_warns(alarm, event) for event in events) for alarm in alarms)
    per_month = len(alarms) * MONTH_NS / scored_ns if scored_ns else float("nan")
    return WhatIf(alarms, per_month, elsewhere, warned)


def _warns(alarm: Activation, event: Event) -> bool:
    return event.start_ns - BEFORE_NS <= alarm.announced_ns < event.end_ns


def _ahead(event: Event, alarms: Sequence[Activation]) -> int | None:
    found = [alarm.announced_ns for alarm in alarms if _warns(alarm, event)]
    return event.start_ns - min(found) if found else None

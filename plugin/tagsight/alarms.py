"""From scores to an alarm: the second pure function of the ledger's scores (design law 15; ISA-18.2).

Judging one due time after the other announces and clears exactly what `tagsight_models.delays.activations`, which found
the limit, does in one go (a test holds them together). What was announced stays announced: a past that is scored again
never retracts an alarm nor invents one.
"""

from dataclasses import dataclass, replace
from typing import Final

from tagsight.plan import AlarmPlan
from tagsight_models.frame import Floats, Times

LIMIT: Final = 1.0
"""Of every score (vmanomaly's convention: whatever the model inside)."""


@dataclass(frozen=True, slots=True)
class Announcement:
    """One alarm as announced.

    Attributes:
        since_ns: due time at which the score first exceeded the limit.
        announced_ns: due time at which the on-delay was over.
        cleared_ns: due time at which the off-delay was over; None while it is active.
        acknowledged: an operator has acknowledged it: what a latched alarm needs besides clearing.
    """

    since_ns: int
    announced_ns: int
    cleared_ns: int | None = None
    acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the scores up to one due time mean.

    Attributes:
        announcement: the alarm that is active now, or that has just cleared; None if there is none.
        changed: it was announced or cleared at this very due time, so it must be stored.
        active: the alarm tag is 1.
        exceeded: the newest score is above the limit, whether or not the on-delay is over.
        since_ns: when the present excess began; None without one.
    """

    announcement: Announcement | None
    changed: bool
    active: bool
    exceeded: bool
    since_ns: int | None


def lookback_ns(plan: AlarmPlan, every_ns: int) -> int:
    """How far before a due time the scores must reach so that `judge` can decide."""
    return max(plan.on_delay_ns, plan.off_delay_ns) + 2 * every_ns


def judge(times: Times, scores: Floats, plan: AlarmPlan, running: Announcement | None) -> Verdict:
    """The alarm after the last of `scores`.

    Args:
        times: shape (n,), due times, UTC ns, ascending; from `lookback_ns` before the due time in question up to it.
        scores: shape (n,); NaN where not scored.
        plan: delays and latch.
        running: the announcement that is still active according to the ledger.
    """
    exceeded = bool(scores.size and scores[-1] > LIMIT)
    if running is not None:
        return _of_running(times, scores, plan, running, exceeded=exceeded)
    since = _since(times, scores)
    if since is None or times[-1] - since < plan.on_delay_ns:
        return Verdict(None, changed=False, active=False, exceeded=exceeded, since_ns=since)
    announced = Announcement(since, int(times[-1]))
    return Verdict(announced, changed=True, active=True, exceeded=True, since_ns=since)


def _of_running(times: Times, scores: Floats, plan: AlarmPlan, running: Announcement, *, exceeded: bool) -> Verdict:
    calm_since = _calm_since(times, scores)
    calm = calm_since is not None and times[-1] - calm_since >= plan.off_delay_ns
    if calm and (running.acknowledged or not plan.latch):
        cleared = replace(running, cleared_ns=int(times[-1]))
        return Verdict(cleared, changed=True, active=False, exceeded=exceeded, since_ns=None)
    return Verdict(running, changed=False, active=True, exceeded=exceeded, since_ns=running.since_ns)


def _since(times: Times, scores: Floats) -> int | None:
    """The first of the unbroken scores above the limit that end with the last one."""
    since = None
    for time, score in zip(times[::-1].tolist(), scores[::-1].tolist(), strict=True):
        if not score > LIMIT:
            break
        since = time
    return since


def _calm_since(times: Times, scores: Floats) -> int | None:
    """The first of the scores at or below the limit, none missing, that end with the last one."""
    since = None
    for time, score in zip(times[::-1].tolist(), scores[::-1].tolist(), strict=True):
        if not score <= LIMIT:
            break
        since = time
    return since

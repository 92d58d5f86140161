"""On-delay and off-delay of an alarm (ISA-18.2 / IEC 62682, 6.3): a pure function of times and scores.

Calibration uses it to find the limit "as it would alarm", rehearsal and the service to announce.
"""

from dataclasses import dataclass

from tagsight_models.frame import Flags, Floats, Times


@dataclass(frozen=True, slots=True)
class Delays:
    """Both in nanoseconds; 0 means at once."""

    on_ns: int
    off_ns: int


@dataclass(frozen=True, slots=True)
class Activation:
    """One alarm: when the score first exceeded the limit, when the alarm was announced, when it cleared.

    `cleared_ns` is None while it is active at the end of the scores.
    """

    since_ns: int
    announced_ns: int
    cleared_ns: int | None


def activations(times: Times, scores: Floats, limit: float, delays: Delays) -> list[Activation]:
    """Alarms that the scores raise.

    Args:
        times: shape (n,), UTC ns, ascending.
        scores: shape (n,); NaN where not scored: it breaks a pending on-delay (nobody saw the score stay high)
            and leaves an announced alarm as it is.
        limit: a score above it is abnormal.
        delays: the score must stay above (below) the limit from one run to another at least this much later.
    """
    found: list[Activation] = []
    above_since: int | None = None
    below_since: int | None = None
    for time, score in zip(times.tolist(), scores.tolist(), strict=True):
        active = bool(found) and found[-1].cleared_ns is None
        above_since = _since(above_since, time, holds=score > limit)
        below_since = _since(below_since, time, holds=score <= limit)
        if not active and above_since is not None and time - above_since >= delays.on_ns:
            found.append(Activation(above_since, time, None))
        elif active and below_since is not None and time - below_since >= delays.off_ns:
            found[-1] = Activation(found[-1].since_ns, found[-1].announced_ns, time)
    return found


def exceeded(scores: Floats, limit: float) -> Flags:
    """Where the score is above the limit; NaN is not."""
    return scores > limit


def _since(since: int | None, time: int, *, holds: bool) -> int | None:
    if not holds:
        return None
    return time if since is None else since

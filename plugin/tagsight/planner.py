"""Which (model, due time) are due: a pure function of the plan's intervals, the watermarks and the historian's time.

Two lanes. The present: a tick takes what is due since the watermark, while that is little. After a long stop it takes
the newest due time alone, moves the watermark there, and leaves the due times between as a backlog, which is kept in
the ledger in the same transaction. The past: a backlog is worked off in slices, oldest first, between the ticks.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

LIVE_AT_MOST: Final = 10
"""Due times of one model that a tick scores; when there are more, the newest is scored and the others are a backlog."""

SLICE_OF_ONE: Final = 60
"""Due times of one model in one slice of its backlog: read together, they need hardly more history than one."""

SLICE_OF_ALL: Final = 1_000
"""Due times of all models in one slice: some seconds, for which the next tick may have to wait."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When one model is due.

    Attributes:
        model: key of the model.
        every_ns: distance of due times; they are multiples of it (UTC), hence on the grid.
        wait_ns: how long after a due time its samples may still arrive before it is scored.
        late_ns: a due time this young is looked at again, because late samples may have changed its window.
        catch_up_ns: a due time older than this is not scored any more after a stop, and counted as missed.
    """

    model: str
    every_ns: int
    wait_ns: int
    late_ns: int
    catch_up_ns: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """Due times of one model before its watermark that are not scored yet, from the first to the last of them.

    Identified by (model, last_ns): from a slice to the next only `first_ns` moves, until it is beyond `last_ns`.
    """

    model: str
    first_ns: int
    last_ns: int

    @property
    def done(self) -> bool:
        """Nothing is left of it."""
        return self.first_ns > self.last_ns


@dataclass(frozen=True, slots=True)
class Due:
    """What one model has to do now.

    Attributes:
        model: key of the model.
        fresh: due times never scored, ascending.
        again: due times inside `late_ns` that have been scored, ascending.
        missed: how many due times are too old to catch up.
        until_ns: everything up to here is in the ledger or in a backlog once this is done: the watermark, in a tick.
        behind: of a tick: the backlog that it leaves; of a slice: what is left of the backlog.
    """

    model: str
    fresh: tuple[int, ...]
    again: tuple[int, ...]
    missed: int
    until_ns: int
    behind: Backlog | None = None


def due(rhythm: Rhythm, watermark_ns: int | None, now_ns: int) -> Due:
    """What is due for one model.

    Args:
        rhythm: of the model.
        watermark_ns: the newest due time in the ledger; None before the first: then only the newest due time counts.
        now_ns: the historian's time, UTC ns: the watermark never passes it, whatever the clock of this machine says.
    """
    every = rhythm.every_ns
    newest = (now_ns - rhythm.wait_ns) // every * every
    first = newest if watermark_ns is None else watermark_ns // every * every + every
    begin = max(first, _oldest_allowed(rhythm, now_ns))
    missed = max(0, (min(begin, newest + every) - first) // every)
    open_since = range(begin, newest + 1, every)
    many = len(open_since) > LIVE_AT_MOST
    fresh = open_since[-1:] if many else open_since
    behind = Backlog(rhythm.model, begin, newest - every) if many else None
    until = fresh[-1] if fresh else min(begin, newest + every) - every
    return Due(rhythm.model, tuple(fresh), _again(rhythm, watermark_ns, now_ns), missed, until, behind)


def due_of_all(rhythms: Sequence[Rhythm], watermarks: Mapping[str, int], now_ns: int) -> tuple[Due, ...]:
    """`due` of every model that has something fresh to do; the others are left out."""
    found = (due(rhythm, watermarks.get(rhythm.model), now_ns) for rhythm in rhythms)
    return tuple(one for one in found if one.fresh or one.missed)


def slice_of_backlogs(rhythms: Iterable[Rhythm], backlogs: Iterable[Backlog], now_ns: int) -> tuple[Due, ...]:
    """The next slice of the past: the oldest due times, of as many models that share them as one slice takes."""
    by_model = {rhythm.model: rhythm for rhythm in rhythms}
    mine = sorted((one for one in backlogs if one.model in by_model), key=lambda one: (one.first_ns, one.last_ns))
    found: list[Due] = []
    for one in mine:
        step = _slice(by_model[one.model], one, now_ns)
        alike = not found or (step.fresh, step.until_ns) == (found[0].fresh, found[0].until_ns)
        if alike and step.model not in {each.model for each in found}:
            found.append(step)
        if (len(found) + 1) * max(len(found[0].fresh), 1) > SLICE_OF_ALL:
            break
    return tuple(found)


def _slice(rhythm: Rhythm, backlog: Backlog, now_ns: int) -> Due:
    every = rhythm.every_ns
    first = -(-backlog.first_ns // every) * every
    begin = max(first, _oldest_allowed(rhythm, now_ns))
    fresh = range(begin, backlog.last_ns + 1, every)[:SLICE_OF_ONE]
    until = fresh[-1] if fresh else backlog.last_ns
    missed = len(range(first, min(begin, backlog.last_ns + 1), every))
    return Due(rhythm.model, tuple(fresh), (), missed, until, replace(backlog, first_ns=until + every))


def _oldest_allowed(rhythm: Rhythm, now_ns: int) -> int:
    every = rhythm.every_ns
    return -(-(now_ns - rhythm.catch_up_ns) // every) * every


def _again(rhythm: Rhythm, watermark_ns: int | None, now_ns: int) -> tuple[int, ...]:
    if watermark_ns is None:
        return ()
    every = rhythm.every_ns
    oldest = -(-(now_ns - rhythm.late_ns) // every) * every
    return tuple(range(max(oldest, 0), watermark_ns + 1, every))

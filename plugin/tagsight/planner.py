"""Which (model, due time) are due: a pure function of the plan's intervals, the watermarks and the historian's time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MOST_DUE_AT_ONCE: Final = 500
"""Windows of one model in one group; a longer backlog takes several groups, oldest first."""


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
class Due:
    """What one model has to do now.

    Attributes:
        model: key of the model.
        fresh: due times never scored, ascending.
        again: due times inside `late_ns` that have been scored, ascending.
        missed: how many due times are too old to catch up.
        more: there are further due times after `fresh`.
        until_ns: the watermark once `fresh` and `missed` are in the ledger.
    """

    model: str
    fresh: tuple[int, ...]
    again: tuple[int, ...]
    missed: int
    more: bool
    until_ns: int


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
    oldest_allowed = -(-(now_ns - rhythm.catch_up_ns) // every) * every
    begin = max(first, oldest_allowed)
    missed = max(0, (min(begin, newest + every) - first) // every)
    fresh = range(begin, newest + 1, every)[:MOST_DUE_AT_ONCE]
    again = _again(rhythm, watermark_ns, now_ns)
    more = len(range(begin, newest + 1, every)) > len(fresh)
    until = fresh[-1] if fresh else min(begin, newest + every) - every
    return Due(rhythm.model, tuple(fresh), again, missed, more, until)


def due_of_all(rhythms: Sequence[Rhythm], watermarks: Mapping[str, int], now_ns: int) -> tuple[Due, ...]:
    """`due` of every model that has something fresh to do; the others are left out."""
    found = (due(rhythm, watermarks.get(rhythm.model), now_ns) for rhythm in rhythms)
    return tuple(one for one in found if one.fresh or one.missed)


def _again(rhythm: Rhythm, watermark_ns: int | None, now_ns: int) -> tuple[int, ...]:
    if watermark_ns is None:
        return ()
    every = rhythm.every_ns
    oldest = -(-(now_ns - rhythm.late_ns) // every) * every
    return tuple(range(max(oldest, 0), watermark_ns + 1, every))

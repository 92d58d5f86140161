"""How much of a period a model was scored in. Pure."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tagsight_connectors.history import Span


@dataclass(frozen=True, slots=True)
class Tally:
    """So many runs of one model that are alike, as the ledger counts them.

    Attributes:
        model: key.
        version: that scored; 0: none.
        reason: why not scored, or why the score is uncertain; "" for none.
        scored: they have a score.
        stopped: the machine did not run, so there was nothing to score.
        count: how many runs.
        first_ns: due time of the first of them.
    """

    model: str
    version: int
    reason: str
    scored: bool
    stopped: bool
    count: int
    first_ns: int


@dataclass(frozen=True, slots=True)
class Availability:
    """Due times of one model in a period; the counts add up to `due`.

    Attributes:
        scored: with a score, good or uncertain.
        stopped: the machine did not run.
        not_scored: looked at, and no score could be given.
        not_looked_at: nothing was stored for them: TagSight did not run, or the historian did not answer.
        reasons: why not scored -> how often, the most frequent first.
    """

    scored: int
    stopped: int
    not_scored: int
    not_looked_at: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def due(self) -> int:
        """All due times."""
        return self.scored + self.stopped + self.not_scored + self.not_looked_at

    @property
    def share(self) -> float | None:
        """Scored, of the due times at which the machine ran or was not known to stand still; None without any."""
        wanted = self.due - self.stopped
        return self.scored / wanted if wanted else None


def availability(tallies: Iterable[Tally], due: int) -> Availability:
    """Of one model, from its runs of a period that had `due` due times; more runs than these are taken as due."""
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for one in tallies:
        kind = "scored" if one.scored else "stopped" if one.stopped else "not_scored"
        counts[kind] += one.count
        if kind == "not_scored":
            reasons[one.reason] += one.count
    ordered = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    missing = max(0, due - counts.total())
    return Availability(counts["scored"], counts["stopped"], counts["not_scored"], missing, tuple(ordered))


def due_times(span: Span, every_ns: int) -> int:
    """How many multiples of an interval lie in a period."""
    return max(0, -(-span.end_ns // every_ns) - -(-span.start_ns // every_ns))

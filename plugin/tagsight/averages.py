"""Inputs that are read as averages on the model's grid instead of every stored value (`score.read: averages`).

The average over `[t - grid, t)` is known at `t`, so it is the sample at `t`: alignment and gates then work as for any
tag, and nothing later takes part (docs/decisions/0006-averages-from-the-historian.md). A tag that is read so is called
by its source, an address with the grid and who computes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from tagsight.binding import Binding
from tagsight.plan import ModelPlan
from tagsight_connectors.aggregates import Aggregate, Computer, ProcessedHistory
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import History, Span, TagHistory, Times
from tagsight_connectors.quality import BAD, BAD_NO_DATA, Quality, qualities_of
from tagsight_connectors.reading import read_history

IN_CARD: Final = "averages"
"""Key of a card's gates: role -> who computed its averages in training. Live reads as the model learned."""

_MARK: Final = "average "

Source: TypeAlias = str
"""An address, or `average GRID_NS COMPUTER ADDRESS`."""


@dataclass(frozen=True, slots=True)
class Averaged:
    """The averages of a tag.

    Attributes:
        address: of the tag.
        grid_ns: of the model.
        computer: who computes: TagSight always, or the historian while it does.
    """

    address: str
    grid_ns: int
    computer: Computer

    @property
    def source(self) -> Source:
        """What it is called where addresses are."""
        return f"{_MARK}{self.grid_ns} {self.computer.value} {self.address}"

    @classmethod
    def of(cls, source: Source) -> "Averaged | None":
        """None: the source is an address."""
        if not source.startswith(_MARK):
            return None
        grid, computer, address = source.removeprefix(_MARK).split(" ", 2)
        return cls(address, int(grid), Computer(computer))


def averaged_roles(plan: ModelPlan, binding: Binding) -> frozenset[str]:
    """Roles that a training reads as averages: numbers that are no steps, where the model is set so."""
    if not plan.score.averages:
        return frozenset()
    return frozenset(role.name for role in binding.roles if not role.step)


def sources_of(binding: Binding, gates: Mapping[str, Any], grid_ns: int) -> dict[str, Source]:
    """Role -> source, as the card's gates say that the model learned."""
    computers = gates.get(IN_CARD, {})
    return {
        role: Averaged(address, grid_ns, Computer(computers[role])).source if role in computers else address
        for role, address in binding.addresses.items()
    }


def in_words(gates: Mapping[str, Any], grid_ns: int) -> str:
    """One line for people: who computed the averages; "" where every value is read."""
    computers = list(gates.get(IN_CARD, {}).values())
    if not computers:
        return ""
    there = computers.count(Computer.SERVER.value)
    parts = [(there, "by the historian"), (len(computers) - there, "by TagSight from every stored value")]
    return f"averages of {grid_ns / 1e9:g} s, computed " + " and ".join(f"{who} ({n})" for n, who in parts if n)


async def read_averages(
    historian: Historian, addresses: Sequence[str], span: Span, grid_ns: int, own: Sequence[str] = ()
) -> tuple[dict[str, TagHistory], Mapping[str, Computer]]:
    """Averages whose times lie in `span`, and who computed them.

    An interval in which nothing was stored has no sample; one in which no value is Good has a Bad one, so that a sensor
    that failed and was then silent is not taken for one at rest. Raises what `Historian.read_processed` raises.
    """
    first, last = -(-span.start_ns // grid_ns) * grid_ns, (span.end_ns - 1) // grid_ns * grid_ns
    cells = Span(first - grid_ns, max(last, first - grid_ns))
    found = await historian.read_processed(addresses, cells, Aggregate.AVERAGE, grid_ns, own=own)
    worthless = await _worthless(historian, found, grid_ns)
    tags = {address: _samples(one, worthless.get(address), grid_ns) for address, one in found.tags.items()}
    return tags, found.computed_by


async def _worthless(historian: Historian, averages: ProcessedHistory, grid_ns: int) -> Mapping[str, Times]:
    """Address -> starts of intervals that hold values, but no Good one. Both have no average: their count tells."""
    empty = {address: one.times[_without(one)] for address, one in averages.tags.items() if _without(one).any()}
    if not empty:
        return {}
    cells = Span(min(int(one[0]) for one in empty.values()), max(int(one[-1]) for one in empty.values()) + grid_ns)
    own = [address for address in empty if averages.computed_by[address] is Computer.TAGSIGHT]
    counts = await historian.read_processed(list(empty), cells, Aggregate.COUNT, grid_ns, own=own)
    return {
        address: np.intersect1d(one.times[(qualities_of(one.status) != Quality.GOOD) & ~_without(one)], empty[address])
        for address, one in counts.tags.items()
    }


async def read_sources(
    sources: Sequence[Source],
    span: Span,
    historian: Historian,
    substituted: Callable[[str], None] = lambda _address: None,
) -> History:
    """Like `read_history`, for sources.

    `substituted` is called with every address whose averages TagSight had to compute although the historian did in
    training: the same rules, and a historian that has its own may differ.
    """
    averaged = [one for one in map(Averaged.of, sources) if one is not None]
    tags = dict((await read_history(historian, [one for one in sources if Averaged.of(one) is None], span)).tags)
    for grid_ns in sorted({one.grid_ns for one in averaged}):
        here = [one for one in averaged if one.grid_ns == grid_ns]
        own = [one.address for one in here if one.computer is Computer.TAGSIGHT]
        addresses = list(dict.fromkeys(one.address for one in here))
        found, computed_by = await read_averages(historian, addresses, span, grid_ns, own)
        tags |= {one.source: found[one.address] for one in here}
        for one in here:
            if one.computer is Computer.SERVER and computed_by[one.address] is Computer.TAGSIGHT:
                substituted(one.address)
    return History(span, tags)


def _without(processed: TagHistory) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = processed.status & np.uint32(0xFFFF0000) == BAD_NO_DATA
    return found


def _samples(averages: TagHistory, worthless: Times | None, grid_ns: int) -> TagHistory:
    bad = np.isin(averages.times, worthless) if worthless is not None else np.zeros(len(averages), dtype=np.bool_)
    status = np.where(bad, BAD, averages.status).astype(np.uint32)
    there = bad | ~_without(averages)
    return TagHistory(averages.times[there] + grid_ns, averages.values[there], status[there])

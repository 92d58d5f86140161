"""How long values take from their source time until the historian shows them: what a scoring has to wait for.

Measured by looking: a value that is new since the last look has arrived since then. `probe` shows the delays, and a
training measures them while it computes, for models without `score.wait`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from tagsight.clocks import SECOND
from tagsight.connections import Link
from tagsight_connectors.errors import HistorianError
from tagsight_connectors.historian import Historian
from tagsight_connectors.history import Sample

LEAST_WAIT_NS: Final = 5 * SECOND
PATIENT_SHARE: Final = 0.95
"""Of the values that a scoring waits for; the others score again as late ones."""

LOOKS_AT_MOST: Final = 300
PAUSE_S: Final = 1.0


def wait_of(delays_ns: Sequence[int], every_ns: int) -> int | None:
    """How long a scoring waits for values that took so long to arrive: ns; None where none arrived.

    In steps of 5 s, so that models share their ticks, and at most the scoring interval `every_ns`: what takes longer
    than that scores again as a late value.
    """
    if not delays_ns:
        return None
    needed = -(-int(np.quantile(delays_ns, PATIENT_SHARE)) // LEAST_WAIT_NS) * LEAST_WAIT_NS
    return max(LEAST_WAIT_NS, min(needed, every_ns))


@dataclass
class Arrivals:
    """Delays of the values that became new between two looks, by address; ns."""

    newest: dict[str, int] = field(default_factory=dict)
    delays: dict[str, list[int]] = field(default_factory=dict)
    _looked: bool = False

    def look(self, samples: Sequence[Sample], server_now_ns: int | None) -> None:
        """Take one look into account; the first only tells what was there before.

        Args:
            samples: newest value of each address; time 0: there is none.
            server_now_ns: the historian's time, UTC; None where it has none of its own: nothing arrives there.
        """
        for sample in samples:
            known = self.newest.get(sample.address, 0)
            if sample.time_ns <= known:
                continue
            self.newest[sample.address] = sample.time_ns
            if self._looked and server_now_ns is not None:
                self.delays.setdefault(sample.address, []).append(max(0, server_now_ns - sample.time_ns))
        self._looked = True

    def wait_ns(self, every_ns: int, addresses: Iterable[str] | None = None) -> int | None:
        """What a model with this scoring interval waits for; `addresses`: of its tags, None for all."""
        found = self.delays if addresses is None else set(addresses) & self.delays.keys()
        return wait_of([delay for address in found for delay in self.delays[address]], every_ns)


async def watch(
    arrivals: Arrivals,
    link: Link,
    addresses: Sequence[str],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Look once a second, until cancelled or for five minutes; ends quietly where the historian cannot be read."""
    for _ in range(LOOKS_AT_MOST):
        try:
            samples = await link.use(lambda historian: _newest(historian, addresses))
        except HistorianError:  # the training goes on, without a measured delay; the link tells of the trouble
            return
        arrivals.look(samples, link.now_ns() if link.has_clock else None)
        await pause(PAUSE_S)


async def _newest(historian: Historian, addresses: Sequence[str]) -> Sequence[Sample]:
    return await historian.read_current(addresses)

"""How often a tag has values: gaps between source times counted page by page, in memory that does not grow."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import Quality, qualities_of

_BINS_PER_OCTAVE: Final = 64
_BINS: Final = 64 * _BINS_PER_OCTAVE
_LONG: Final = 100
"""A gap so many times longer than the usual one is a hole."""


def _no_gaps() -> NDArray[np.int64]:
    return np.zeros(_BINS, dtype=np.int64)


@dataclass
class Sampling:
    """What the history of one tag looks like.

    Gaps are counted in bins 1.1 % wide, each of which remembers its longest gap: so a regular sampling is told exactly.

    Attributes:
        count: values.
        statuses: StatusCode -> values, of those that are not Good.
        bad: values whose status is Bad.
        first_ns, last_ns: None where there are no values.
        repeated: values at the same time as the one before.
    """

    count: int = 0
    bad: int = 0
    repeated: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    statuses: Counter[int] = field(default_factory=Counter)
    _counts: NDArray[np.int64] = field(default_factory=_no_gaps)
    _longest: NDArray[np.int64] = field(default_factory=_no_gaps)

    def add(self, page: TagHistory) -> None:
        """The next values, later than all before."""
        if not len(page):
            return
        before = [] if self.last_ns is None else [self.last_ns]
        self._count_gaps(np.diff(np.concatenate([np.array(before, dtype=np.int64), page.times])))
        self.first_ns = int(page.times[0]) if self.first_ns is None else self.first_ns
        self.last_ns = int(page.times[-1])
        self.count += len(page)
        self.bad += int((qualities_of(page.status) == Quality.BAD).sum())
        codes, counts = np.unique(page.status[page.status != 0], return_counts=True)
        self.statuses.update(dict(zip(codes.tolist(), counts.tolist(), strict=True)))

    def gap_ns(self, share: float) -> int | None:
        """The gap that this share of all gaps does not exceed; None where there is none."""
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), max(share * total, 1)))
        return int(self._longest[min(place, _BINS - 1)])

    def holes_ns(self) -> int:
        """Time within gaps that are very much longer than the usual one."""
        usual = self.gap_ns(0.5)
        if usual is None:
            return 0
        long = self._longest > _LONG * usual
        return int((self._longest[long] * self._counts[long]).sum())

    @property
    def bad_share(self) -> float:
        """Share of values whose status is Bad."""
        return self.bad / self.count if self.count else 0.0

    def _count_gaps(self, gaps: NDArray[np.int64]) -> None:
        self.repeated += int((gaps == 0).sum())
        gaps = gaps[gaps > 0]
        if not len(gaps):
            return
        bins = np.minimum((np.log2(gaps.astype(np.float64)) * _BINS_PER_OCTAVE).astype(np.int64), _BINS - 1)
        self._counts += np.bincount(bins, minlength=_BINS)
        np.maximum.at(self._longest, bins, gaps)

"""Filling gaps, one bounded piece at a time. What is done stands in the store, so an end at any point costs a piece."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tagsight_connectors.errors import HistorianError, IncompleteRead, NotConnected, UnknownTag
from tagsight_connectors.history import Span
from tagsight_connectors.store import limits
from tagsight_connectors.store.days import DAY_NS
from tagsight_connectors.store.gaps import Gap, GapState
from tagsight_connectors.store.history_store import StoreFull
from tagsight_connectors.store.stored_historian import StoredHistorian

LEAST_NS: Final = 1


@dataclass(frozen=True, slots=True)
class Backfilled:
    """What one step did.

    Attributes:
        asked: days of tags that were read.
        filled: gaps settled as filled.
        not_recovered: gaps given up, with their cause.
        more: there is more to do now.
    """

    asked: int = 0
    filled: tuple[Gap, ...] = ()
    not_recovered: tuple[Gap, ...] = ()
    more: bool = False


async def backfill_step(historian: StoredHistorian, tags: Sequence[str], refill_ns: int) -> Backfilled:
    """Do the next piece: a day of at most `limits.TAGS_AT_ONCE` tags.

    A gap is filled when every day that it touches is stored, hence not before the last of them is over (`late`
    included). One that is not filled `refill_ns` after its end is given up: *not recovered*, explicitly.

    Args:
        historian: connected.
        tags: what a gap of the whole historian means.
        refill_ns: how long to try.

    Raises:
        NotConnected: ask again once connected; nothing is lost.
        StoreFailure: the store cannot be used now.
    """
    backfill = _Backfill(historian, tags)
    given_up = await asyncio.to_thread(backfill.give_up, refill_ns)
    if given_up:  # said at once: what is asked below may end in an error
        return Backfilled(not_recovered=tuple(given_up), more=True)
    filled: list[Gap] = []
    for gap in await asyncio.to_thread(historian.store.gaps.ready, historian.name, historian.now_ns()):
        days, tags_missing = await asyncio.to_thread(backfill.missing, gap)
        if tags_missing:
            asked, lost = await backfill.ask(gap, days, tags_missing)
            return Backfilled(asked, tuple(filled), tuple(lost), more=True)
        if await asyncio.to_thread(backfill.settle_filled, gap):
            filled.append(gap)
    return Backfilled(0, tuple(filled))


class _Backfill:
    def __init__(self, historian: StoredHistorian, tags: Sequence[str]) -> None:
        self._historian = historian
        self._store = historian.store
        self._gaps = historian.store.gaps
        self._tags = tags

    def give_up(self, refill_ns: int) -> list[Gap]:
        """Open gaps whose time is over."""
        now_ns = self._historian.now_ns()
        found = []
        for gap in self._gaps.open_gaps(self._historian.name):
            if gap.end_ns is not None and max(gap.end_ns, gap.noted_ns) <= now_ns - refill_ns:
                cause = f"not filled within {refill_ns / DAY_NS:g} days: {gap.cause}"
                if self._gaps.settle(gap, GapState.NOT_RECOVERED, now_ns, cause):
                    found.append(gap)
        return found

    def missing(self, gap: Gap) -> tuple[range, list[str]]:
        """The first day of a gap that is final and not stored for all tags, and some of those tags."""
        days = self._historian.final_days(_span(gap))
        addresses = [gap.tag.address] if gap.tag.address else self._together(gap)
        held = self._store.held([self._historian.key(address) for address in addresses], days)
        for day in days:
            lacking = [tag.address for tag, stored in held.items() if day not in stored]
            if lacking:
                return range(day, day + 1), lacking[: limits.TAGS_AT_ONCE]
        return range(0), []

    def settle_filled(self, gap: Gap) -> bool:
        """Nothing of the gap is missing: it is filled, once all days that it touches are over."""
        span, now_ns = _span(gap), self._historian.now_ns()
        is_final = self._historian.final_days(span).stop * DAY_NS >= span.end_ns
        return is_final and self._gaps.settle(gap, GapState.FILLED, now_ns)

    async def ask(self, gap: Gap, days: range, addresses: list[str]) -> tuple[int, list[Gap]]:
        """Read one day of some tags into the store. What fails waits for its next turn, the others go on."""
        try:
            await self._historian.fetch(addresses, days)
        except NotConnected:
            raise
        except StoreFull as failure:
            return 0, await asyncio.to_thread(self._lost, gap, f"the history store is full: {failure}")
        except HistorianError as error:
            blamed = _blamed(error, addresses)
            if blamed is None:
                outcomes = [await self.ask(gap, days, [address]) for address in addresses]
                return len(addresses), [lost for _, given_up in outcomes for lost in given_up]
            await asyncio.to_thread(self._failed, gap, blamed, str(error))
        return len(addresses), []

    def _together(self, gap: Gap) -> list[str]:
        apart = self._gaps.apart(gap)
        return [address for address in self._tags if address not in apart]

    def _failed(self, gap: Gap, address: str, cause: str) -> None:
        """A tag that fails gets a gap of its own, so that the others of a common gap do not wait for it."""
        now_ns = self._historian.now_ns()
        if gap.tag.address:
            self._gaps.failed(gap, cause, now_ns)
            return
        tag = self._historian.key(address)
        self._gaps.note(tag, _span(gap), cause, now_ns, alone=True)
        for own in self._gaps.open_gaps(self._historian.name):
            if own.tag == tag and own.start_ns <= gap.start_ns and _span(own).end_ns >= _span(gap).end_ns:
                self._gaps.failed(own, cause, now_ns)

    def _lost(self, gap: Gap, cause: str) -> list[Gap]:
        settled = self._gaps.settle(gap, GapState.NOT_RECOVERED, self._historian.now_ns(), cause)
        return [gap] if settled else []


def _span(gap: Gap) -> Span:
    return Span(gap.start_ns, max(gap.start_ns + LEAST_NS, gap.end_ns or gap.start_ns))


def _blamed(error: HistorianError, addresses: Sequence[str]) -> str | None:
    """The tag that an error names; None where it could be any of several."""
    if isinstance(error, UnknownTag | IncompleteRead) and error.address in addresses:
        return error.address
    return addresses[0] if len(addresses) == 1 else None

"""Signing in: delays for users and addresses that try, few passwords at a time, and a note for the audit trail."""

import asyncio
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tagsight.errors import StorageError
from tagsight.users import NAME_LIMIT
from tagsight.web.site import Site

WRONG_IN_A_MINUTE: Final = 10
"""Wrong passwords of one address; further ones are refused without looking."""

AT_ONCE: Final = 2
"""Passwords that are hashed at the same time: each takes some 50 ms of one core and 64 MB."""

WAITING: Final = 20
_MINUTE_S: Final = 60.0
_ADDRESSES: Final = 1_000
_TOLD: Final = (1, 5, 10, 20, 50, 100)
"""After how many wrong passwords of one name the audit trail is told; afterwards every hundredth."""


class Outcome(Enum):
    """What came of it."""

    SIGNED_IN = "signed in"
    WRONG = "wrong"
    LATER = "later"


@dataclass
class SignIn:
    """The door of one process.

    What a user has tried wrongly, `Users` counts and answers with waiting; addresses are counted here.
    """

    site: Site
    _wrong: OrderedDict[str, deque[float]] = field(default_factory=OrderedDict, init=False)
    _names: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE), init=False)
    _waiting: int = field(default=0, init=False)

    async def try_password(self, user: str, password: str, address: str) -> Outcome:
        """Whether it is right. An address that tried ten wrong ones in a minute is told to come later."""
        if self._is_refused(address) or self._waiting >= WAITING:
            return Outcome.LATER
        self._waiting += 1
        try:
            async with self._turn:
                role = await asyncio.to_thread(self.site.users.authenticate, user, password)
        finally:
            self._waiting -= 1
        if role is None:
            self._remember(address)
            await self._tell_wrong(user, address)
            return Outcome.WRONG
        self._names.pop(user, None)
        await self.tell(user, "signed in", f"at the pages, from {address}")
        return Outcome.SIGNED_IN

    async def tell(self, who: str, what: str, detail: str) -> None:
        """Note it; a full disk or inbox keeps nobody from signing in, so that somebody can mend it."""
        with suppress(StorageError):
            await asyncio.to_thread(self.site.note, who, what, detail)

    async def _tell_wrong(self, user: str, address: str) -> None:
        name = user[:NAME_LIMIT]
        count = self._names.pop(name, 0) + 1
        self._names[name] = count
        while len(self._names) > _ADDRESSES:
            self._names.popitem(last=False)
        if count in _TOLD or count % 100 == 0:
            known = await asyncio.to_thread(self.site.users.stamp, user) is not None
            who = name if known else "unknown user"
            await self.tell(who, "wrong password", f"{count} in a row at the pages, the last from {address}")

    def _is_refused(self, address: str) -> bool:
        tries = self._wrong.get(address)
        if tries is None:
            return False
        now = self.site.clock.monotonic()
        while tries and now - tries[0] > _MINUTE_S:
            tries.popleft()
        return len(tries) >= WRONG_IN_A_MINUTE

    def _remember(self, address: str) -> None:
        self._wrong.setdefault(address, deque(maxlen=WRONG_IN_A_MINUTE)).append(self.site.clock.monotonic())
        self._wrong.move_to_end(address)
        while len(self._wrong) > _ADDRESSES:
            self._wrong.popitem(last=False)

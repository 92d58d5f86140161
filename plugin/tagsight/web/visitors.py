"""Who is at the door: visitors and their sessions, kept in memory; they end by time, idleness or a changed user."""

import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from tagsight.clocks import Clock
from tagsight_connectors.serving import UserRole

MOST_SESSIONS: Final = 1_000
MOST_OF_ONE_USER: Final = 20

Stamp = Callable[[str], tuple[UserRole, str] | None]
"""Role and fingerprint of a user as stored now; None: there is no such user any more."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who sends a request.

    Attributes:
        user: name, "" where nobody is signed in.
        role: None where nobody is signed in.
        csrf: what a request must carry that changes something, where a cookie says who sends it.
        by_cookie: a cookie says who it is, which a browser also sends where another page made it.
        frame: origin of the HMI whose token was shown; "" for none.
        has_token: a faceplate token was shown: reading faceplates, nothing else.
    """

    user: str = ""
    role: UserRole | None = None
    csrf: str = field(default="", repr=False)
    by_cookie: bool = False
    frame: str = ""
    has_token: bool = False

    def may(self, role: UserRole | None) -> bool:
        """Whether this visitor has a role, or a higher one; everybody has None."""
        return role is None or (self.role is not None and self.role >= role)


NOBODY: Final = Visitor()


@dataclass(slots=True)
class _Session:
    user: str
    role: UserRole
    fingerprint: str
    csrf: str
    began: float
    used: float
    lasts_s: float
    idle_s: float


@dataclass
class Sessions:
    """The sessions of one process. Keys are kept as digests: what is in memory signs nobody in."""

    clock: Clock
    stamp: Stamp
    _open: OrderedDict[str, _Session] = field(default_factory=OrderedDict, init=False, repr=False)

    def open(self, user: str, *, lasts_s: float, idle_s: float) -> str | None:
        """A new session; its key, for the browser alone. None where the user went meanwhile."""
        stamped = self.stamp(user)
        if stamped is None:
            return None
        key, now = secrets.token_urlsafe(32), self.clock.monotonic()
        mine = [known for known, session in self._open.items() if session.user == user]
        for known in mine[: max(0, len(mine) - MOST_OF_ONE_USER + 1)]:
            del self._open[known]
        while len(self._open) >= MOST_SESSIONS:
            self._open.popitem(last=False)
        role, fingerprint = stamped
        csrf = secrets.token_urlsafe(32)
        self._open[_digest(key)] = _Session(user, role, fingerprint, csrf, now, now, lasts_s, idle_s)
        return key

    def visitor(self, key: str, *, by_cookie: bool, uses: bool = True) -> Visitor:
        """Whose key it is; NOBODY for one that is not known or is over. `uses`: this counts against idleness."""
        digest = _digest(key)
        session = self._open.get(digest)
        if session is None:
            return NOBODY
        now = self.clock.monotonic()
        over = now - session.began >= session.lasts_s or now - session.used >= session.idle_s
        if over or self.stamp(session.user) != (session.role, session.fingerprint):
            self._open.pop(digest, None)
            return NOBODY
        if uses:
            session.used = now
        return Visitor(session.user, session.role, session.csrf, by_cookie)

    def close(self, key: str) -> None:
        """Sign out; harmless where there is no such session."""
        self._open.pop(_digest(key), None)

    def __len__(self) -> int:
        return len(self._open)


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "replace")).hexdigest()

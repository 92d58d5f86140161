"""The first user of the pages: there is no default password, but a link that works once, while there is no admin."""

import hmac
import secrets
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from tagsight.clocks import Clock
from tagsight.users import Users
from tagsight_connectors.serving import UserRole

VALID_S: Final = 86_400.0


@dataclass
class FirstLink:
    """One link of one start of the pages. Used, a day old, or with an admin there, it opens nothing."""

    users: Users
    clock: Clock
    _digest: str = field(default="", init=False, repr=False)
    _made: float = field(default=0.0, init=False)

    def make(self) -> str:
        """The code of the link; "" where there is an admin already. Raises StorageError."""
        if self._has_admin():
            return ""
        code = secrets.token_urlsafe(32)
        self._digest, self._made = sha256(code.encode()).hexdigest(), self.clock.monotonic()
        return code

    def opens(self, code: str) -> bool:
        """Whether the first admin may be added with this code."""
        fresh = bool(self._digest) and self.clock.monotonic() - self._made < VALID_S
        digest = sha256(code.encode("utf-8", "replace")).hexdigest()
        return fresh and hmac.compare_digest(self._digest, digest) and not self._has_admin()

    def spend(self) -> None:
        """It was used."""
        self._digest = ""

    def _has_admin(self) -> bool:
        return UserRole.ADMIN in self.users.roles().values()

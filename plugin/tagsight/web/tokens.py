"""Tokens that let an HMI show faceplates without a password: reading only, one origin each, revocable."""

import hmac
import json
import secrets
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from tagsight.errors import NotReady, StorageError
from tagsight.platform import write_private

MOST_TOKENS: Final = 200
_BYTES: Final = 24


@dataclass(frozen=True, slots=True)
class FaceplateToken:
    """A token as kept: not itself, but its SHA-256.

    Attributes:
        number: names it in `tagsight web token list` and `revoke`.
        origin: of the HMI's pages, as in `web.frames`; "" for an HMI that opens faceplates as pages of their own.
        sha256: of the token.
        made_ns: UTC ns.
    """

    number: int
    origin: str
    sha256: str
    made_ns: int


@dataclass
class FaceplateTokens:
    """The tokens in one private file, which is read again when it changes: revoking counts at once."""

    path: Path
    _seen: tuple[int, int] | None = field(default=None, init=False)
    _known: tuple[FaceplateToken, ...] = field(default=(), init=False)
    _last: int = field(default=0, init=False)

    def add(self, origin: str, now_ns: int) -> str:
        """Make a token and keep its digest; the token is never shown again. Raises StorageError."""
        known = self.all()
        if len(known) >= MOST_TOKENS:
            raise NotReady(what=f"there are already {MOST_TOKENS} tokens", mend="Revoke those not in use any more.")
        token = secrets.token_urlsafe(_BYTES)
        self._last += 1
        self._write((*known, FaceplateToken(self._last, origin, _digest(token), now_ns)))
        return token

    def revoke(self, number: int) -> FaceplateToken:
        """Forget one. Raises NotReady where there is none of this number."""
        known = self.all()
        gone = next((one for one in known if one.number == number), None)
        if gone is None:
            raise NotReady(what=f"there is no token {number}", mend="`tagsight web token list` shows them.")
        self._write(tuple(one for one in known if one.number != number))
        return gone

    def all(self) -> tuple[FaceplateToken, ...]:
        """All there are. Raises StorageError."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise StorageError(what=f"{self.path} cannot be read: {error.strerror}") from error
        if self._seen != (found.st_mtime_ns, found.st_ino):
            self._known = self._read()
            self._seen = (found.st_mtime_ns, found.st_ino)
        return self._known

    def origin_of(self, token: str) -> str | None:
        """Origin of the HMI that a token was made for; None for none of ours."""
        digest = _digest(token)
        found = [one for one in self.all() if hmac.compare_digest(one.sha256, digest)]
        return found[0].origin if found else None

    def _read(self) -> tuple[FaceplateToken, ...]:
        try:
            content = json.loads(self.path.read_text(encoding="utf-8"))
            self._last = int(content["last"])  # a number is not given again
            return tuple(FaceplateToken(**one) for one in content["tokens"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StorageError(
                what=f"the file of tokens {self.path} cannot be read ({type(error).__name__})",
                mend="Restore it, or remove it and make the tokens again with `tagsight web token add`.",
            ) from error

    def _write(self, tokens: tuple[FaceplateToken, ...]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            content = {"version": 1, "last": self._last, "tokens": [asdict(one) for one in tokens]}
            write_private(self.path, json.dumps(content, indent=1).encode())
        except OSError as error:
            raise StorageError(what=f"the file of tokens {self.path} cannot be written: {error.strerror}") from error


def _digest(token: str) -> str:
    return sha256(token.encode("utf-8", "replace")).hexdigest()

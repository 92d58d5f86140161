"""Users of the tag server and the pages: names, roles, argon2 hashes and certificates in one private file."""

import hmac
import json
from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from tagsight.clocks import Clock, SystemClock
from tagsight.errors import NotReady, StorageError, TagSightError
from tagsight.platform import make_private, write_private
from tagsight_connectors.serving import UserRole

SHORTEST_PASSWORD: Final = 10
LONGEST_PASSWORD: Final = 200
NAME_LIMIT: Final = 64
USERS_LIMIT: Final = 1_000

FREE_ATTEMPTS: Final = 5
"""Wrong passwords in a row before a user has to wait: 1 s, 2 s, 4 s ..."""

LONGEST_WAIT_S: Final = 60.0
_REMEMBERED: Final = 1_000


@dataclass
class UnusableUser(TagSightError):
    """A name or password that is not accepted. Never shows the password."""

    what: str
    mend: str = ""
    exit_code = 2

    def __str__(self) -> str:
        return self.what


@dataclass
class _Failures:
    count: int = 0
    until: float = 0.0


@dataclass
class Users:
    """The users in `path`. Reading follows the file, so that a running server knows new users at once."""

    path: Path
    clock: Clock = field(default_factory=SystemClock)
    hasher: PasswordHasher = field(default_factory=PasswordHasher, repr=False)
    _failures: OrderedDict[str, _Failures] = field(default_factory=OrderedDict, repr=False)
    _nobody: str = field(default="", repr=False)

    def add(self, name: str, password: str, role: UserRole) -> None:
        """Add a user, or give one a new password and role.

        Raises:
            UnusableUser: an unusable name or password.
            StorageError: the file cannot be read or written.
        """
        _check_password(password)
        self._put(name, role, self.hasher.hash(password), "")

    def add_certificate(self, name: str, certificate: bytes, role: UserRole, password: str | None = None) -> str:
        """Add a user who signs in at the tag server with a certificate (DER), or give one a new one.

        Without a password the user has none, and cannot sign in at the pages. Returns the SHA-256 of the certificate.

        Raises:
            UnusableUser: an unusable name or password, or another user has this certificate.
            StorageError: the file cannot be read or written.
        """
        fingerprint = sha256(certificate).hexdigest()
        other = next((each for each, user in self._read().items() if _has(user, fingerprint) and each != name), None)
        if other is not None:
            raise UnusableUser(what=f"user {other} has this certificate", mend="Give each user an own one.")
        if password is not None:
            _check_password(password)
        self._put(name, role, "" if password is None else self.hasher.hash(password), fingerprint)
        return fingerprint

    def _put(self, name: str, role: UserRole, password_hash: str, fingerprint: str) -> None:
        _check_name(name)
        users = self._read()
        if name not in users and len(users) >= USERS_LIMIT:
            raise UnusableUser(what=f"there are already {USERS_LIMIT} users", mend="Remove one first.")
        users[name] = {"role": role.name.lower(), "hash": password_hash}
        if fingerprint:
            users[name]["certificate"] = fingerprint
        self._write(users)

    def remove(self, name: str) -> None:
        """Remove a user.

        Raises:
            NotReady: there is none of this name.
        """
        users = self._read()
        if users.pop(name, None) is None:
            raise NotReady(what=f"there is no user {name!r}", mend="`tagsight user list` shows them.")
        self._write(users)

    def roles(self) -> dict[str, UserRole]:
        """Every user with the role."""
        return {name: UserRole[user["role"].upper()] for name, user in sorted(self._read().items())}

    def stamp(self, name: str) -> tuple[UserRole, str] | None:
        """Role and fingerprint of a user, which changes with the password; None where there is no such user."""
        user = self._read().get(name)
        if user is None:
            return None
        return UserRole[user["role"].upper()], sha256(user["hash"].encode()).hexdigest()

    def certified(self) -> frozenset[str]:
        """Names of the users who have a certificate."""
        return frozenset(name for name, user in self._read().items() if user.get("certificate"))

    def by_certificate(self, certificate: bytes) -> tuple[str, UserRole] | None:
        """Whose certificate (DER) it is, and the role. That its bearer has the key must have been proven."""
        fingerprint = sha256(certificate).hexdigest()
        for name, user in self._read().items():
            if _has(user, fingerprint):
                return name, UserRole[user["role"].upper()]
        return None

    def authenticate(self, name: str, password: str) -> UserRole | None:
        """The role of a user with this password; None for a wrong one, and while the user has to wait.

        An unknown name takes as long as a wrong password. Takes about 50 ms: servers call it in a thread.
        """
        now = self.clock.monotonic()
        failures = self._failures.get(name)
        if failures is not None and now < failures.until:
            return None
        user = self._read().get(name)
        has_password = user is not None and bool(user["hash"])
        known = user["hash"] if user is not None and has_password else self._hash_of_nobody()
        if self._matches(known, password) and user is not None and has_password:
            self._failures.pop(name, None)
            return UserRole[user["role"].upper()]
        self._remember_failure(name, now)
        return None

    def _matches(self, stored: str, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            password = ""
        try:
            return self.hasher.verify(stored, password)
        except (Argon2Error, InvalidHashError):
            return False

    def _hash_of_nobody(self) -> str:
        if not self._nobody:
            self._nobody = self.hasher.hash("nobody has this password")
        return self._nobody

    def _remember_failure(self, name: str, now: float) -> None:
        failures = self._failures.setdefault(name[:NAME_LIMIT], _Failures())
        failures.count += 1
        if failures.count > FREE_ATTEMPTS:
            failures.until = now + min(2.0 ** (failures.count - FREE_ATTEMPTS - 1), LONGEST_WAIT_S)
        self._failures.move_to_end(name[:NAME_LIMIT])
        if len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            return _users_of(json.loads(self.path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(
                what=f"the file of users {self.path} cannot be read ({type(error).__name__})",
                mend="Restore it, or remove it and add the users again with `tagsight user add`.",
            ) from error

    def _write(self, users: dict[str, dict[str, Any]]) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_private(self.path, json.dumps({"version": 1, "users": users}, indent=1).encode())
            make_private(self.path)
        except OSError as error:
            raise StorageError(what=f"the file of users {self.path} cannot be written: {error.strerror}") from error


def _has(user: dict[str, Any], fingerprint: str) -> bool:
    return hmac.compare_digest(user.get("certificate", ""), fingerprint)


def _users_of(content: Any) -> dict[str, dict[str, Any]]:
    users = dict(content["users"])
    for user in users.values():
        UserRole[user["role"].upper()]
        user["hash"].encode()
        user.get("certificate", "").encode("ascii")
    return users


def _check_name(name: str) -> None:
    if not 1 <= len(name) <= NAME_LIMIT or not name.isprintable() or name != name.strip():
        raise UnusableUser(what="not a user name", mend=f"Take 1 to {NAME_LIMIT} visible characters.")


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise UnusableUser(
            what=f"a password of {len(password)} characters",
            mend=f"Take {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters.",
        )

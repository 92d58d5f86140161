"""Who is signed in: user names and passwords checked in a thread, slowed down against guessing."""

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from asyncua import ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User
from asyncua.crypto.permission_rules import UserRole as ForeignRole

from tagsight_connectors.opcua.limits import SERVER_CREDENTIAL_BYTES, SERVER_LOGIN_FAILURES, SERVER_LOGINS_AT_ONCE
from tagsight_connectors.opcua.server_settings import Clock
from tagsight_connectors.opcua.user_certificates import SignatureRefused
from tagsight_connectors.serving import UserRole

Authenticate = Callable[[str, str], UserRole | None]

ByCertificate = Callable[[bytes], tuple[str, UserRole] | None]
"""From a user's certificate (DER), whose key was proven, to name and role; None: nobody's."""

PasswordOf = Callable[[Any, bytes], str]
"""From a user name token and the session's nonce to the password; raises ValueError where there is none to trust."""


class Proof(Protocol):
    """The certificate of a sign-in, after its signature and validity were checked."""

    def __call__(self, token: Any, signature: Any, nonce: bytes) -> bytes:
        """DER. Raises ValueError."""


@dataclass(frozen=True, slots=True)
class Judges:
    """How what a client sent is judged, on its channel."""

    password_of: PasswordOf
    proven: Proof


MINUTE: Final = 60.0
ADDRESSES: Final = 1_000

_signed_in: ContextVar["SignedIn | None"] = ContextVar("the user of the request that is being served", default=None)


@dataclass
class SignedIn(User):  # type: ignore[misc]
    """A user of a session; `rank` None: anonymous, reads only."""

    rank: UserRole | None = None


@dataclass
class Users:
    """Checks users for asyncua: `sign_in` in our code beforehand, `get_user` when asyncua asks for the result.

    asyncua asks in the event loop, where an argon2 check would hold everybody; so the answer is prepared.
    """

    authenticate: Authenticate
    anonymous: bool
    clock: Clock
    by_certificate: ByCertificate | None = None
    _failures: dict[str, deque[float]] = field(default_factory=dict)
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(SERVER_LOGINS_AT_ONCE))

    async def sign_in(self, session: Any, params: Any, address: str, judges: Judges) -> None:
        """Prepare the answer for the ActivateSession that this task serves next."""
        _signed_in.set(None)
        token = params.UserIdentityToken
        if isinstance(token, ua.UserNameIdentityToken):
            _signed_in.set(await self._by_password(session, token, address, judges.password_of))
        elif isinstance(token, ua.X509IdentityToken):
            _signed_in.set(await self._by_certificate(session, params, address, judges.proven))
        elif self.anonymous and (token is None or isinstance(token, ua.AnonymousIdentityToken | ua.ExtensionObject)):
            _signed_in.set(SignedIn(role=ForeignRole.User, name="anonymous"))

    def get_user(
        self, iserver: Any, username: str | None = None, password: str | None = None, certificate: Any = None
    ) -> User | None:
        """What asyncua calls; the arguments were judged by `sign_in`."""
        del iserver, username, password, certificate
        return _signed_in.get()

    async def _by_password(self, session: Any, token: Any, address: str, password_of: PasswordOf) -> SignedIn | None:
        if self._failed_often(address):
            raise ServiceError(ua.StatusCodes.BadUserAccessDenied)
        try:
            name, password = token.UserName, password_of(token, session.nonce)
        except Exception as error:  # whatever a malformed secret breaks in the cryptography is the same to us
            raise ServiceError(ua.StatusCodes.BadIdentityTokenInvalid) from error
        if not name or len(name) + len(password) > SERVER_CREDENTIAL_BYTES:
            raise ServiceError(ua.StatusCodes.BadIdentityTokenInvalid)
        async with self._turn:
            rank = await asyncio.to_thread(self.authenticate, name, password)
        if rank is None:
            self._remember_failure(address)
            return None
        return SignedIn(role=ForeignRole.User, name=name, rank=rank)

    async def _by_certificate(self, session: Any, params: Any, address: str, proven: Proof) -> SignedIn | None:
        """Without `by_certificate` asyncua refuses the token; the answer is then the same as for an unknown one."""
        if self.by_certificate is None:
            return None
        if self._failed_often(address):
            raise ServiceError(ua.StatusCodes.BadUserAccessDenied)
        try:
            async with self._turn:
                found = await asyncio.to_thread(self._owner, self.by_certificate, params, session.nonce, proven)
        except SignatureRefused as error:
            self._remember_failure(address)
            raise ServiceError(ua.StatusCodes.BadUserSignatureInvalid) from error
        except Exception as error:  # whatever malformed bytes break is the same to us
            self._remember_failure(address)
            raise ServiceError(ua.StatusCodes.BadIdentityTokenRejected) from error
        if found is None:
            self._remember_failure(address)
            return None
        return SignedIn(role=ForeignRole.User, name=found[0], rank=found[1])

    @staticmethod
    def _owner(known: ByCertificate, params: Any, nonce: bytes, proven: Proof) -> tuple[str, UserRole] | None:
        return known(proven(params.UserIdentityToken, params.UserTokenSignature, nonce))

    def _remember_failure(self, address: str) -> None:
        self._failures.setdefault(address, deque(maxlen=SERVER_LOGIN_FAILURES)).append(self.clock.monotonic())

    def _failed_often(self, address: str) -> bool:
        if len(self._failures) > ADDRESSES:
            self._failures.clear()
        failures = self._failures.get(address, ())
        recent = [at for at in failures if self.clock.monotonic() - at < MINUTE]
        return len(recent) >= SERVER_LOGIN_FAILURES

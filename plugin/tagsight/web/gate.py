"""The gate: every request passes it. Who sends it, may they, from where, how large; and the headers of every answer."""

import re
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tagsight.web.headers import COMMON, TLS_ONLY, nicegui_policy, own_policy
from tagsight.web.routes import READ, SOCKET, Route, route_of, routes_at
from tagsight.web.site import Site
from tagsight.web.visitors import NOBODY, Visitor

CSRF_HEADER: Final = "x-tagsight-csrf"
SITE_KEY: Final = "tagsight.site"
KEY: Final = "tagsight.key"
VISITOR_KEY: Final = "tagsight.visitor"
LONGEST_PATH: Final = 2_000
_LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
_NICEGUI_HEADER: Final = "x-nicegui-content"
_SCRIPT: Final = re.compile(rb"<script(?=[\s>])")
_POLICY_REFUSED: Final = 1008


def cookie_name(*, secure: bool) -> str:
    """Of the session's key. With TLS the browser itself holds that no other host can have set it."""
    return "__Host-tagsight" if secure else "tagsight"


@dataclass
class Refusal:
    """Why a request is not served."""

    status: int
    words: str


@dataclass
class Gate:
    """ASGI in front of everything else: NiceGUI, its socket, FastAPI."""

    app: ASGIApp
    site: Site
    secure: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        path = scope["path"]
        route = route_of(path, method) if len(path) <= LONGEST_PATH else None
        visitor = self._visitor(scope, headers, route)
        refusal = self._refusal(scope, headers, method, route, visitor)
        nonce = secrets.token_urlsafe(16)
        answering = self._answering(send, route, visitor, headers.get("host", ""), nonce)
        if refusal is not None:
            await self._refuse(refusal, scope, receive, answering)
            return
        assert route is not None
        scope[SITE_KEY], scope[VISITOR_KEY], scope[KEY] = self.site, visitor, self._cookie(headers)
        _forget_what_proxies_say(scope)
        limited = Limited(receive, route.most_bytes, partial(self._refuse, Refusal(413, "too large"), scope, receive))
        try:
            await self.app(scope, partial(limited, answering), answering)
        except Exception:
            if not limited.is_over:
                raise

    def _visitor(self, scope: Scope, headers: Headers, route: Route | None) -> Visitor:
        """Signed in by a key in a header (a faceplate in a frame) or by a cookie; else the bearer of a token."""
        uses = route is not None and not route.quiet
        bearer = headers.get("authorization", "")
        query = parse_qs(scope.get("query_string", b"").decode("latin-1"), max_num_fields=20)
        if bearer.startswith("Bearer "):
            return self.site.sessions.visitor(bearer.removeprefix("Bearer "), by_cookie=False, uses=uses)
        visitor = self.site.sessions.visitor(self._cookie(headers), by_cookie=True, uses=uses)
        if visitor is NOBODY and route is not None and route.token and query.get("token"):
            origin = self.site.tokens.origin_of(query["token"][0])
            if origin is not None:
                return Visitor(has_token=True, frame=origin)
        return visitor

    def _cookie(self, headers: Headers) -> str:
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(cookie_name(secure=self.secure))
        except CookieError:
            return ""
        return found.value if found is not None else ""

    def _refusal(
        self, scope: Scope, headers: Headers, method: str, route: Route | None, visitor: Visitor
    ) -> Refusal | None:
        if not self._is_our_host(headers.get("host", "")):
            return Refusal(421, "not the name of this server")
        if route is None:
            known = method not in READ | SOCKET and bool(routes_at(scope["path"]))
            return Refusal(405, "not done so") if known else Refusal(404, "not found")
        if not (visitor.may(route.role) or (route.token and visitor.has_token)):
            return Refusal(403, "not allowed") if visitor.user else Refusal(401, "sign in first")
        return _forged(headers, method, route, visitor) or _too_large(headers, route)

    def _is_our_host(self, host: str) -> bool:
        """On loopback only its own names: another name that leads here is a page that wants to read ours."""
        if self.site.settings.listen_host not in _LOOPBACK:
            return True
        return _host_of(f"//{host}") in _LOOPBACK

    async def _refuse(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _POLICY_REFUSED, "reason": refusal.words})
            return
        answer: Response = JSONResponse({"error": refusal.words}, refusal.status)
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if refusal.status == 401 and wants_page and scope["method"] in READ:
            back = quote(scope["path"], safe="/")
            answer = RedirectResponse(f"/sign-in?next={back}", 303)
        await answer(scope, receive, send)

    def _answering(self, send: Send, route: Route | None, visitor: Visitor, host: str, nonce: str) -> "Answer":
        return Answer(send, route, self._frames(route, visitor), _plain_host(host), nonce, secure=self.secure)

    def _frames(self, route: Route | None, visitor: Visitor) -> tuple[str, ...]:
        """The HMIs that may frame this answer: those of the configuration; with a token that one alone."""
        if route is None or not route.framed:
            return ()
        configured = self.site.settings.frames
        if visitor.has_token:
            return (visitor.frame,) if visitor.frame in configured else ()
        return configured


@dataclass
class Limited:
    """A body that ends when it grows beyond its limit, whatever its length was said to be: answered at once."""

    receive: Receive
    most: int
    refuse: Callable[[Send], Awaitable[None]]
    seen: int = 0
    is_over: bool = False

    async def __call__(self, answer: "Answer") -> Message:
        """The next part; once it is over, as if the browser had gone."""
        message = await self.receive()
        if message["type"] == "http.request" and not self.is_over:
            self.seen += len(message.get("body", b""))
            if self.seen > self.most:
                self.is_over = True
                await self.refuse(answer)
                answer.close()
        return {"type": "http.disconnect"} if self.is_over else message


class Answer:
    """Adds the headers to an answer; a page of NiceGUI also gets its scripts named by a nonce."""

    def __init__(
        self, send: Send, route: Route | None, frames: tuple[str, ...], host: str, nonce: str, *, secure: bool
    ) -> None:
        self._send = send
        self._route = route
        self._frames = frames
        self._host = host
        self._nonce = nonce
        self._secure = secure
        self._page: Message | None = None
        self._body = bytearray()
        self._closed = False

    def close(self) -> None:
        """It was answered: what comes now is not sent."""
        self._closed = True

    async def __call__(self, message: Message) -> None:
        """Pass one message on; pages of NiceGUI are held until they are whole."""
        if self._closed:
            return
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            is_page = _NICEGUI_HEADER in headers
            self._add(headers, is_page=is_page)
            message = {**message, "headers": headers.raw}
            if is_page:
                self._page = message
                return
        elif message["type"] == "http.response.body" and self._page is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page()
            return
        await self._send(message)

    async def _send_page(self) -> None:
        assert self._page is not None
        body = _SCRIPT.sub(b'<script nonce="' + self._nonce.encode() + b'"', bytes(self._body))
        headers = MutableHeaders(raw=list(self._page["headers"]))
        headers["content-length"] = str(len(body))
        await self._send({**self._page, "headers": headers.raw})
        self._page = None
        await self._send({"type": "http.response.body", "body": body})

    def _add(self, headers: MutableHeaders, *, is_page: bool) -> None:
        for name, value in (COMMON | TLS_ONLY if self._secure else COMMON).items():  # type: ignore[operator]
            headers[name] = value
        policy = nicegui_policy(self._nonce, self._host) if is_page else own_policy(self._host, self._frames)
        headers["Content-Security-Policy"] = policy
        if not self._frames:
            headers["X-Frame-Options"] = "DENY"
        if "cache-control" not in headers:
            headers["Cache-Control"] = "no-store"
        if "server" in headers:
            del headers["server"]


def _forged(headers: Headers, method: str, route: Route, visitor: Visitor) -> Refusal | None:
    """What another page made the browser send."""
    if method not in READ and not _is_from_here(headers, visitor):
        return Refusal(403, "sent by another page")
    if route.csrf and visitor.by_cookie and not _same(headers.get(CSRF_HEADER, ""), visitor.csrf):
        return Refusal(403, "without the token of the session")
    return None


def _too_large(headers: Headers, route: Route) -> Refusal | None:
    """By the length that is said; what is not said is counted while it comes."""
    length = headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > 15:
        return Refusal(400, "not a length")
    return Refusal(413, "too large") if int(length) > route.most_bytes else None


def _is_from_here(headers: Headers, visitor: Visitor) -> bool:
    """Sent by a page of ours, as far as a cookie or nothing says who sends it; other clients send no Origin at all."""
    origin = headers.get("origin")
    if origin is not None:
        scheme, separator, host = origin.partition("://")
        return scheme in {"http", "https"} and bool(separator) and host == headers.get("host", "")
    site = headers.get("sec-fetch-site", "none")
    return site in {"none", "same-origin"} and not visitor.by_cookie


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _same(given: str, expected: str) -> bool:
    return secrets.compare_digest(given.encode("latin-1", "replace"), expected.encode())


def _plain_host(host: str) -> str:
    """A Host that may stand in a header of ours."""
    return host if re.fullmatch(r"[A-Za-z0-9.\-:\[\]]{1,260}", host) else ""


def _forget_what_proxies_say(scope: Scope) -> None:
    """No proxy stands before us: what a client says of one would come back in the page."""
    scope["headers"] = [one for one in scope["headers"] if not one[0].startswith(b"x-forwarded-")]

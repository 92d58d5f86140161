"""The role table: who may open which route. What is not in it is not served, and a test walks all routes there are."""

import re
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from tagsight_connectors.serving import UserRole

READ: Final = frozenset({"GET", "HEAD"})
SEND: Final = frozenset({"POST"})
SOCKET: Final = frozenset({"WEBSOCKET"})
OPERATOR, ENGINEER, ADMIN = UserRole.OPERATOR, UserRole.ENGINEER, UserRole.ADMIN

FORM_BYTES: Final = 64 * 1_024
UPLOAD_BYTES: Final = 5 * 1_024 * 1_024
"""Of a table of machines or a list of tags."""


@dataclass(frozen=True, slots=True)
class Route:
    """One row.

    Attributes:
        path: as it is registered: `/faceplate/{asset}`; `{rest:path}` stands for anything.
        role: the lowest that may; None: everybody, signed in or not.
        methods: that are served; WEBSOCKET for a WebSocket.
        token: a faceplate token opens it too.
        framed: the HMIs of `web.frames` may show it in a frame.
        csrf: a request that a cookie signs must carry the session's token.
        most_bytes: of a request's body.
        quiet: being asked does not count as use of the session: the page asks by itself.
    """

    path: str
    role: UserRole | None
    methods: frozenset[str] = READ
    token: bool = False
    framed: bool = False
    csrf: bool = False
    most_bytes: int = FORM_BYTES
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """One of the engineer's pages: its row, and what the navigation needs.

    Attributes:
        path: of the page.
        role: the lowest that may open it.
        title: in the navigation and in the browser's tab.
        module: in `tagsight.web.pages`, with `build(site, visitor)`.
        icon: of Material Icons, which are bundled.
        navigation: it stands in the navigation on the left.
    """

    path: str
    role: UserRole
    title: str
    module: str
    icon: str = "circle"
    navigation: bool = field(default=True)


PAGES: Final = (
    Page("/", OPERATOR, "Watch", "watch", "monitor_heart"),
    Page("/connect", ENGINEER, "Connect", "connect", "cable"),
    Page("/pick", ENGINEER, "Pick", "pick", "checklist"),
    Page("/data", ENGINEER, "Data", "data", "stacked_line_chart"),
    Page("/configure", ENGINEER, "Configure", "configure", "tune"),
    Page("/models", ENGINEER, "Models", "models", "model_training"),
    Page("/rehearse", ENGINEER, "Rehearse", "rehearse", "replay"),
    Page("/report", ENGINEER, "Report", "report", "summarize"),
    Page("/users", ADMIN, "Users", "users", "group"),
    Page("/audit", ENGINEER, "Audit", "audit", "history_edu"),
)
"""In the order of the navigation."""

OTHERS: Final = (
    Route("/sign-in", None),
    Route("/sign-in", None, SEND),
    Route("/sign-out", OPERATOR, SEND, csrf=True),
    Route("/first", None),
    Route("/first", None, SEND),
    Route("/static/{version}/{name}", None, framed=True),
    Route("/favicon.ico", None),
    Route("/health", None, quiet=True),
    Route("/faceplate/{asset}", OPERATOR, token=True, framed=True),
    Route("/live/faceplate/{asset}", OPERATOR, SOCKET, token=True, quiet=True),
    Route("/api/faceplate/{asset}", OPERATOR, token=True, quiet=True),
    Route("/api/session", None, SEND),
    Route("/api/session/end", OPERATOR, SEND, csrf=True),
    Route("/api/act", OPERATOR, SEND, csrf=True),
    Route("/_nicegui/{rest:path}", OPERATOR, quiet=True),
    Route("/_nicegui/client/{client}/upload/{rest:path}", ENGINEER, SEND, most_bytes=UPLOAD_BYTES),
    Route("/_nicegui_ws/{rest:path}", OPERATOR, READ | SEND, most_bytes=1_024 * 1_024, quiet=True),
    Route("/_nicegui_ws/{rest:path}", OPERATOR, SOCKET, quiet=True),
)


@cache
def table() -> tuple[Route, ...]:
    """Every row: the pages', and the others."""
    return (*(Route(page.path, page.role) for page in PAGES), *OTHERS)


def routes_at(path: str) -> tuple[Route, ...]:
    """The rows of a path of a request, whatever the method; () for what is not served."""
    return tuple(route for pattern, route in _patterns() if pattern.fullmatch(path))


def route_of(path: str, method: str) -> Route | None:
    """The row of a request."""
    return next((route for route in routes_at(path) if method in route.methods), None)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Route], ...]:
    return tuple((re.compile(_pattern(route.path)), route) for route in table())


def _pattern(path: str) -> str:
    parts = re.split(r"(\{[a-z]+(?::path)?\})", path)
    return "".join(_part(part) for part in parts)


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    return ".+" if part.endswith(":path}") else "[^/]+"

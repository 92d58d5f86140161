"""Every route that there is has its row in the role table, and every row a route."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import nicegui
import pytest

from tagsight.web import routes
from tagsight.web.application import own_routes
from tagsight.web.routes import PAGES, Page, route_of
from tests.plugin.web.conftest import Pages, Served


def walked(app: Any) -> Iterator[tuple[str, frozenset[str]]]:
    """Path and methods of all routes below an application; a kind of route that is not known here fails."""
    for route in app.routes:
        kind = type(route).__name__
        if hasattr(route, "original_router"):
            yield from walked(route.original_router)
        elif kind == "Mount":
            yield f"{route.path}/x", frozenset({"GET"})
        elif "WebSocket" in kind:
            yield route.path, frozenset({"WEBSOCKET"})
        else:
            yield route.path, frozenset(route.methods or {"GET"})


def sample(path: str) -> str:
    parts = [part if not part.startswith("{") else "x" for part in path.split("/")]
    return "/".join(parts)


async def test_each_of_our_own_routes_is_in_the_role_table(pages: Pages) -> None:
    found = dict(walked(own_routes(pages.site)))
    assert {"/faceplate/{asset}", "/live/faceplate/{asset}", "/api/act", "/sign-in"} <= set(found)
    for path, methods in walked(own_routes(pages.site)):
        assert all(route_of(sample(path), method) is not None for method in methods), path


def test_each_route_of_nicegui_is_in_the_role_table(served: Served) -> None:
    assert served.url
    found = list(walked(nicegui.app))
    assert {"/", "/audit", "/users"} <= {path for path, _ in found}
    for path, methods in found:
        if path == "/favicon.ico":  # answered by a route of ours, which comes first
            continue
        assert any(route_of(sample(path), method) is not None for method in methods), path


async def test_each_row_of_ours_has_a_route(pages: Pages) -> None:
    there = {(path, method) for path, methods in walked(own_routes(pages.site)) for method in methods}
    for row in routes.OTHERS:
        if not row.path.startswith("/_nicegui"):
            assert {(row.path, method) for method in row.methods - {"HEAD"}} <= there, row.path


def test_a_route_without_a_row_would_be_seen() -> None:
    assert route_of("/forgotten", "GET") is None
    assert route_of("/faceplate/a/b", "GET") is None


def test_pages_are_told_apart() -> None:
    assert len({page.path for page in PAGES}) == len({page.module for page in PAGES}) == len(PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if "{" not in page.path], ids=lambda page: page.module)
def test_each_page_is_drawn_for_its_role_and_refused_to_the_others(served: Served, page: Page) -> None:
    for rank, user in enumerate(("olga", "emil", "ada"), 1):
        with closing(served.client(user)) as client:
            answer = client.get(page.path)
        assert answer.status_code == (200 if rank >= page.role else 403)
        if answer.status_code == 200:
            assert f"<title>{page.title} - TagSight</title>" in answer.text
            policy = answer.headers["content-security-policy"]
            assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
            assert "frame-ancestors 'none'" in policy

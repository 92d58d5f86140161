"""The frame of the engineer's pages: navigation on the left, who is signed in, and the way out."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, cast

from fastapi import Request
from nicegui import ui

from tagsight.errors import TagSightError, mend_of
from tagsight.web.gate import CSRF_HEADER, KEY, SITE_KEY, VISITOR_KEY
from tagsight.web.routes import PAGES, Page
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight_connectors.errors import HistorianError
from tagsight_models.errors import ModelError

Build = Callable[[Site, Visitor], Awaitable[None] | None]
"""What a module of `tagsight.web.pages` has: draws the page, between the navigation and the end."""

STILL_SIGNED_IN_S: Final = 10.0
FAREWELL_S: Final = 1.0
GREY: Final = "#e6e6e6"
EXPECTED: Final = (TagSightError, HistorianError, ModelError)

_STYLE: Final = f"""
body {{ background: {GREY}; color: #202124; }}
.q-drawer {{ background: #d4d6d8; }}
.ts-here {{ background: #c2c5c8; font-weight: 600; }}
.nicegui-content {{ padding: 20px 24px; max-width: 1240px; }}
.q-card {{ box-shadow: none; border: 1px solid #c4c7ca; border-radius: 3px; }}
.q-table__container {{ box-shadow: none; border: 1px solid #c4c7ca; border-radius: 3px; }}
*:focus-visible {{ outline: 2px solid #1a4f8a; outline-offset: 1px; }}
"""


def serve(page: Page, build: Build) -> None:
    """Register a page: its frame, its content, and what happens when drawing it fails."""

    @ui.page(page.path, title=f"{page.title} - TagSight", language="en-US")
    async def _page(request: Request) -> None:
        site, visitor = site_of(request), visitor_of(request)
        _frame(page, visitor)
        _leave_when_signed_out(site, request)
        try:
            drawn = build(site, visitor)
            if drawn is not None:
                await drawn
        except EXPECTED as error:
            trouble(error)


def site_of(request: Request) -> Site:
    """What the page reads and writes through."""
    return cast("Site", request.scope[SITE_KEY])


def visitor_of(request: Request) -> Visitor:
    """Who looks at the page."""
    return cast("Visitor", request.scope[VISITOR_KEY])


def trouble(error: Exception) -> None:
    """Say in the page what is wrong and how to mend it."""
    with ui.card().classes("w-full").style("border-left: 4px solid #8a4b00"), ui.column().classes("gap-1"):
        ui.label(str(error)).classes("text-body1")
        if mend := mend_of(error):
            ui.label(mend).classes("text-body2 text-grey-8")


def _frame(page: Page, visitor: Visitor) -> None:
    ui.colors(primary="#34495e", secondary="#5f6b76", accent="#34495e", positive="#3c6e47", negative="#b00020")
    ui.add_css(_STYLE)
    with ui.left_drawer(value=True, fixed=True, bordered=True).props("width=190 breakpoint=700").classes("p-0 gap-0"):
        ui.label("TagSight").classes("text-h6 px-4 pt-3 pb-1")
        for one in PAGES:
            if one.navigation and visitor.may(one.role):
                _link(one, here=one is page)
        ui.space()
        with ui.column().classes("px-4 pb-3 gap-0"):
            role = visitor.role.name.lower() if visitor.role is not None else ""
            ui.label(visitor.user).classes("text-body2").style("overflow-wrap: anywhere")
            ui.label(role).classes("text-caption text-grey-8")
            ui.button("Sign out", on_click=lambda: _sign_out(visitor)).props("flat dense no-caps padding='0'")
    ui.label(page.title).classes("text-h5 q-mb-sm").props("role=heading aria-level=1")


def _link(page: Page, *, here: bool) -> None:
    with (
        ui.link(target=page.path)
        .classes(f"no-underline text-dark w-full px-4 py-2 {'ts-here' if here else ''}")
        .props('aria-current="page"' if here else ""),
        ui.row().classes("items-center gap-3 no-wrap"),
    ):
        ui.icon(page.icon, size="20px").props("aria-hidden=true")
        ui.label(page.title)


def _sign_out(visitor: Visitor) -> None:
    ui.run_javascript(
        f"fetch('/sign-out', {{method: 'POST', headers: {{'{CSRF_HEADER}': '{visitor.csrf}'}}}})"
        ".finally(() => { window.location = '/sign-in'; })"
    )


def _leave_when_signed_out(site: Site, request: Request) -> None:
    """A page that stays open does nothing any more once its session is over; what is done in it counts as use."""
    key, client = str(request.scope[KEY]), ui.context.client

    async def look() -> None:
        if not site.sessions.visitor(key, by_cookie=True, uses=False).user:
            ui.navigate.to("/sign-in")
            await asyncio.sleep(FAREWELL_S)
            client.delete()

    def use() -> None:
        site.sessions.visitor(key, by_cookie=True)

    ui.timer(STILL_SIGNED_IN_S, look)
    for event in ("pointerdown", "keydown"):
        client.layout.on(event, use, throttle=30.0, args=[])

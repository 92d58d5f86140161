"""The application: FastAPI with our own routes, NiceGUI below it, and the gate in front of both."""

import importlib
from typing import Final

from fastapi import FastAPI
from nicegui import app as nicegui_app
from nicegui import ui
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from tagsight.web.doors import doors
from tagsight.web.faceplate.live import Broadcasts
from tagsight.web.faceplate.routes import faceplates
from tagsight.web.gate import Gate
from tagsight.web.routes import PAGES
from tagsight.web.shell import serve
from tagsight.web.sign_in import SignIn
from tagsight.web.site import Site

SMALLEST_PACKED: Final = 1_000
RECONNECT_S: Final = 20.0
"""A page that lost its connection for so long goes on where it was; then it is loaded anew."""


def own_routes(site: Site, *, secure: bool = False) -> FastAPI:
    """What is ours alone: doors, faceplates and their data."""
    own = FastAPI(title="TagSight", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    own.include_router(doors(SignIn(site), secure=secure))
    own.include_router(faceplates(site, Broadcasts(site)))
    return own


def application(site: Site, *, secure: bool = False) -> ASGIApp:
    """Everything that is served for one site; once in a process, for NiceGUI is one for all.

    Args:
        site: what the pages read and write through.
        secure: browsers reach it by TLS.
    """
    own = own_routes(site, secure=secure)
    for page in PAGES:
        serve(page, importlib.import_module(f"tagsight.web.pages.{page.module}").build)
    nicegui_app.config.socket_io_js_transports = ["websocket"]
    ui.run_with(
        own,
        title="TagSight",
        language="en-US",
        favicon=None,
        reconnect_timeout=RECONNECT_S,
        gzip_middleware_factory=None,
        show_welcome_message=False,
    )
    return GZipMiddleware(Gate(own, site, secure=secure), minimum_size=SMALLEST_PACKED)

"""Signing in and out: the form, the first user's link, and sessions of faceplates in frames, which have no cookie."""

import asyncio
from typing import Final
from urllib.parse import parse_qs, urlsplit

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from tagsight.clocks import SECOND
from tagsight.users import UnusableUser
from tagsight.web.gate import KEY, cookie_name
from tagsight.web.own_pages import FOR_GOOD, filled, static_file
from tagsight.web.shell import site_of, visitor_of
from tagsight.web.sign_in import Outcome, SignIn
from tagsight.web.words import words
from tagsight_connectors.serving import UserRole

PANEL_IDLE_S: Final = 300.0
"""A sign-in on a panel ends so long after its last act: panels are shared."""

_WORDS: Final = {Outcome.WRONG: "wrong_password", Outcome.LATER: "try_later"}


def doors(door: SignIn, *, secure: bool) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/sign-in")
    async def form(request: Request) -> Response:
        if visitor_of(request).user:
            return RedirectResponse(_inside(request.query_params.get("next", "/")), 303)
        return _form(request)

    @router.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        given = await _fields(request)
        user = given.get("user", "")
        outcome = await door.try_password(user, given.get("password", ""), _address(request))
        if outcome is not Outcome.SIGNED_IN:
            return _form(request, trouble=_WORDS[outcome], user=user, status=429 if outcome is Outcome.LATER else 401)
        settings = door.site.settings
        lasts_s, idle_s = settings.session_ns / SECOND, settings.idle_ns / SECOND
        door.site.sessions.close(str(request.scope[KEY]))
        key = await asyncio.to_thread(door.site.sessions.open, user, lasts_s=lasts_s, idle_s=idle_s)
        answer = RedirectResponse(_inside(given.get("next", "/")), 303)
        if key is not None:
            name = cookie_name(secure=secure)
            answer.set_cookie(name, key, httponly=True, samesite="lax", secure=secure, path="/")
        return answer

    @router.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        door.site.sessions.close(str(request.scope[KEY]))
        await door.tell(visitor_of(request).user, "signed out", "")
        answer = RedirectResponse("/sign-in", 303)
        answer.delete_cookie(cookie_name(secure=secure), path="/", secure=secure, httponly=True)
        return answer

    @router.post("/api/session")
    async def panel(request: Request) -> Response:
        """For a faceplate in a frame of an HMI, where browsers keep no cookies: the key is its script's alone."""
        given = await _fields(request)
        user = given.get("user", "")
        outcome = await door.try_password(user, given.get("password", ""), _address(request))
        if outcome is not Outcome.SIGNED_IN:
            status = 429 if outcome is Outcome.LATER else 401
            return JSONResponse({"error": _WORDS[outcome]}, status)
        lasts_s = door.site.settings.session_ns / SECOND
        key = await asyncio.to_thread(door.site.sessions.open, user, lasts_s=lasts_s, idle_s=PANEL_IDLE_S)
        return JSONResponse({"key": key, "user": user, "idle_s": PANEL_IDLE_S}, 200 if key else 401)

    @router.post("/api/session/end")
    async def end_panel(request: Request) -> Response:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        door.site.sessions.close(bearer or str(request.scope[KEY]))
        return JSONResponse({})

    _first_user(router, door)
    _files(router)
    return router


def _first_user(router: APIRouter, door: SignIn) -> None:
    @router.get("/first")
    async def first(request: Request) -> Response:
        return _first(request, request.query_params.get("code", ""))

    @router.post("/first")
    async def add_first(request: Request) -> Response:
        given = await _fields(request)
        code, user, password = (given.get(name, "") for name in ("code", "user", "password"))
        if not await asyncio.to_thread(door.site.first.opens, code):
            return _first(request, code)
        if password != given.get("again", ""):
            return _first(request, code, "passwords_differ", user)
        try:
            await asyncio.to_thread(door.site.users.add, user, password, UserRole.ADMIN)
        except UnusableUser as error:
            return _first(request, code, "not_usable", user, f"{error} {error.mend}")
        door.site.first.spend()
        await asyncio.to_thread(door.site.data.first_link.unlink, missing_ok=True)
        await door.tell(user, "first user", f"added by the one-time link, from {_address(request)}")
        return RedirectResponse("/sign-in", 303)


def _files(router: APIRouter) -> None:
    @router.get("/static/{version}/{name}")
    async def static(version: str, name: str) -> Response:  # noqa: ARG001 - it keeps browsers from old files
        found = static_file(name)
        if found is None:
            return PlainTextResponse("not found", 404)
        return Response(found.content, media_type=found.media_type, headers={"Cache-Control": FOR_GOOD})

    @router.get("/favicon.ico")
    async def icon() -> Response:
        found = static_file("icon.svg")
        assert found is not None
        return Response(found.content, media_type=found.media_type, headers={"Cache-Control": "max-age=86400"})

    @router.get("/health")
    async def health() -> Response:
        """For a watchdog: the pages answer. It says nothing of the plant."""
        return JSONResponse({"pages": "ok"})


def _form(request: Request, *, trouble: str = "", user: str = "", status: int = 200) -> HTMLResponse:
    text = words(site_of(request).language)
    values = {
        "language": site_of(request).language,
        "trouble": text[trouble] if trouble else "",
        "user": user,
        "next": _inside(request.query_params.get("next", "/")),
        **{key: text[key] for key in ("sign_in", "user_name", "password")},
    }
    return HTMLResponse(filled("sign_in.html", values), status)


def _first(request: Request, code: str, trouble: str = "", user: str = "", more: str = "") -> HTMLResponse:
    text, opens = words(site_of(request).language), site_of(request).first.opens(code)
    shown = {key: text[key] for key in ("first_user", "first_words", "user_name", "password", "again", "add")}
    said = f"{text[trouble]} {more}".strip() if trouble else ""
    values = {
        "language": site_of(request).language,
        "code": code if opens else "",
        "trouble": said if opens else text["link_is_over"],
        "user": user,
        "hidden": "" if opens else "hidden",
        **shown,
    }
    return HTMLResponse(filled("first.html", values), (400 if trouble else 200) if opens else 410)


async def _fields(request: Request) -> dict[str, str]:
    """Of a form; the first value of each. The gate has limited its size."""
    text = (await request.body()).decode("utf-8", "replace")
    try:
        return {key: values[0] for key, values in parse_qs(text, keep_blank_values=True, max_num_fields=20).items()}
    except ValueError:
        return {}


def _inside(target: str) -> str:
    """Where to go on: a path of ours, never another server's."""
    parts = urlsplit(target.replace("\\", "/"))
    plain = target.isprintable() and target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if plain and not parts.scheme and not parts.netloc else "/"


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else "unknown"

"""The faceplate's page, its news over a WebSocket or by asking, and where its acts go."""

import asyncio
import json
from typing import Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, WebSocket
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.websockets import WebSocketDisconnect

from tagsight.errors import NotReady, StorageError
from tagsight.web.faceplate.acts import NotDone, asked, store
from tagsight.web.faceplate.live import LOOK_S, Broadcasts
from tagsight.web.gate import KEY, VISITOR_KEY
from tagsight.web.own_pages import filled
from tagsight.web.shell import visitor_of
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight.web.words import words
from tagsight_explain.language import language

BEAT_S: Final = 4.0
"""Between two signs of life to a page that has no news: it calls itself stale after 12 s without."""

SLOW_S: Final = 10.0
NO_MORE: Final = 4401


def faceplates(site: Site, news: Broadcasts) -> APIRouter:
    """The routes."""
    router = APIRouter()

    @router.get("/faceplate/{asset}")
    async def page(request: Request, asset: str) -> Response:
        status = 200 if await _known(news, asset) else 404
        return HTMLResponse(_page(site, visitor_of(request), asset), status)

    @router.get("/api/faceplate/{asset}")
    async def now(asset: str) -> Response:
        """For a page that gets no WebSocket, and for others that want the same values."""
        try:
            found = await news.of(asset)
        except (NotReady, StorageError) as error:
            return JSONResponse({"error": str(error)}, 503)
        if found is None:
            return JSONResponse({"error": "no such asset"}, 404)
        return Response(found, media_type="application/json")

    @router.websocket("/live/faceplate/{asset}")
    async def live(socket: WebSocket, asset: str) -> None:
        await socket.accept()
        try:
            await _tell(socket, site, news, asset)
        except (WebSocketDisconnect, TimeoutError, RuntimeError):
            return  # the page is gone, or so slow that it had better connect anew

    @router.post("/api/act")
    async def act(request: Request) -> Response:
        user, text = visitor_of(request).user, words(site.language)
        try:
            wanted = asked(_json(await request.body()))
            await asyncio.to_thread(lambda: store(news.alarms(), wanted, user, site.clock.now_ns()))
        except NotDone as refusal:
            return JSONResponse({"error": text[refusal.key]}, refusal.status)
        except (NotReady, StorageError) as error:
            return JSONResponse({"error": str(error)}, 503)
        return JSONResponse({"stored": True}, 202)

    return router


async def _tell(socket: WebSocket, site: Site, news: Broadcasts, asset: str) -> None:
    """Send what is new until the page goes, its session ends or its token is revoked."""
    gone = asyncio.create_task(_until_gone(socket))
    shown: str | None = None
    told = checked = site.clock.monotonic()
    try:
        while not gone.done():
            now = site.clock.monotonic()
            if now - checked >= BEAT_S:
                checked = now
                if not await asyncio.to_thread(_may_still, socket, site):
                    await socket.close(NO_MORE)
                    return
            text = await _text(news, asset)
            if text != shown:
                await asyncio.wait_for(socket.send_text(text), SLOW_S)
                shown, told = text, now
            elif now - told >= BEAT_S:
                await asyncio.wait_for(socket.send_text('{"beat":true}'), SLOW_S)
                told = now
            await asyncio.wait({gone}, timeout=LOOK_S)
    finally:
        gone.cancel()


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _text(news: Broadcasts, asset: str) -> str:
    try:
        found = await news.of(asset)
    except (NotReady, StorageError) as error:
        return json.dumps({"trouble": str(error)})
    return found if found is not None else json.dumps({"trouble": "no such asset"})


def _may_still(socket: WebSocket, site: Site) -> bool:
    visitor: Visitor = socket.scope[VISITOR_KEY]
    if visitor.has_token:
        query = parse_qs(socket.scope.get("query_string", b"").decode("latin-1"))
        return site.tokens.origin_of("".join(query.get("token", [])[:1])) == visitor.frame
    return bool(site.sessions.visitor(str(socket.scope[KEY]), by_cookie=True, uses=False).user)


async def _known(news: Broadcasts, asset: str) -> bool:
    try:
        return await news.of(asset) is not None
    except (NotReady, StorageError):
        return True  # the page itself says what is wrong, and goes on asking


def _page(site: Site, visitor: Visitor, asset: str) -> str:
    data: dict[str, Any] = {
        "asset": asset,
        "words": dict(words(site.language)),
        "decimal": language(site.language).decimal,
        "language": site.language,
        "user": visitor.user,
        "csrf": visitor.csrf,
    }
    return filled("faceplate.html", {"asset": asset, "language": site.language}, data)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None

"""News of a faceplate over a WebSocket, from a real server."""

import json
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedError, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tagsight.clocks import SystemClock
from tagsight.web.tokens import FaceplateTokens
from tests.plugin.web.conftest import HMI, Served

PATIENCE_S = 60.0


@pytest.fixture
def token(served: Served) -> Iterator[str]:
    tokens = FaceplateTokens(served.plant.data.web_tokens)
    made = tokens.add(HMI, SystemClock().now_ns())
    yield made
    for one in tokens.all():
        tokens.revoke(one.number)


def listening(served: Served, path: str, **options: Any) -> ClientConnection:
    return connect(served.url.replace("http", "ws") + path, open_timeout=PATIENCE_S, proxy=None, **options)


def snapshot(socket: ClientConnection) -> dict[str, Any]:
    while True:
        told = dict(json.loads(socket.recv(PATIENCE_S)))
        if "models" in told:
            return told


def test_a_faceplate_is_told_what_is_new(served: Served, token: str) -> None:
    served.plant.beat()
    with listening(served, f"/live/faceplate/P102?token={token}") as socket:
        before = snapshot(socket)["models"][0]
        served.plant.minute = 61
        served.plant.score([0.44], "P102")
        while (after := snapshot(socket)["models"][0])["due"] == before["due"]:
            pass
    assert after["score"] == 0.44


def test_without_news_there_is_a_sign_of_life(served: Served, token: str) -> None:
    with listening(served, f"/live/faceplate/P101?token={token}") as socket:
        while not json.loads(socket.recv(PATIENCE_S)).get("beat"):
            pass


def test_an_open_faceplate_hears_that_its_token_was_revoked(served: Served, token: str) -> None:
    with listening(served, f"/live/faceplate/P101?token={token}") as socket:
        snapshot(socket)
        tokens = FaceplateTokens(served.plant.data.web_tokens)
        tokens.revoke(tokens.all()[-1].number)
        with suppress(ConnectionClosedError):
            for _told in socket:
                pass
    assert socket.close_code == 4401


@pytest.mark.parametrize(
    "path", ["/live/faceplate/P101", "/live/faceplate/P101?token=guessed", "/_nicegui_ws/socket.io/"]
)
def test_nobody_listens_who_is_not_let_in(served: Served, path: str) -> None:
    with pytest.raises(InvalidStatus), listening(served, path):
        pass


def test_another_page_cannot_listen_with_the_cookie_of_the_browser(served: Served) -> None:
    client = served.client("ada")
    cookie = f"tagsight={client.cookies['tagsight']}"
    client.close()
    for path in ("/live/faceplate/P101", "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"):
        for origin in ("https://evil.example", None):
            headers = {"Cookie": cookie} | ({"Origin": origin} if origin else {})
            with pytest.raises(InvalidStatus), listening(served, path, additional_headers=headers):
                pass
        headers = {"Cookie": cookie, "Origin": served.url}
        with listening(served, path, additional_headers=headers) as socket:
            assert socket.recv(PATIENCE_S)


def test_an_unknown_asset_is_told_so(served: Served, token: str) -> None:
    with listening(served, f"/live/faceplate/P999?token={token}") as socket:
        assert json.loads(socket.recv(PATIENCE_S)) == {"trouble": "no such asset"}

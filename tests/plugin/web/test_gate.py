"""What the gate lets through: roles, tokens, origins, sizes; and the headers of every answer."""

import httpx
import pytest

from tagsight.web.routes import Route, table
from tests.plugin.web.conftest import HERE, HMI, Pages

NICEGUI = "/_nicegui"


def sample(route: Route) -> str:
    path = route.path.replace("{asset}", "P101").replace("{rest:path}", "x/y").replace("{client}", "c")
    return path.replace("{version}", "v").replace("{name}", "own.css")


@pytest.mark.parametrize("who", ["", "token", "olga", "emil", "ada"])
async def test_each_row_of_the_role_table_lets_in_its_roles_and_nobody_else(pages: Pages, who: str) -> None:
    rank = {"": 0, "token": 0, "olga": 1, "emil": 2, "ada": 3}[who]
    token = f"?token={pages.site.tokens.add(HMI, 1)}" if who == "token" else ""
    for route in table():
        for method in route.methods - {"WEBSOCKET", "HEAD"}:
            headers = {"Origin": HERE} | (await pages.key(who) if rank else {})
            answer = await pages.client.request(method, sample(route) + token, headers=headers)
            wanted = route.role is None or rank >= route.role or (who == "token" and route.token)
            refused = any(words in answer.text for words in ('"sign in first"', '"not allowed"'))
            assert refused is not wanted, (route, answer.status_code)
            assert not refused or answer.status_code in {401, 403}


@pytest.mark.parametrize(
    "path", ["/nowhere", "/api/", "/docs", "/openapi.json", "/_nicegui", "/static/v/../users.json"]
)
async def test_what_is_not_in_the_table_is_not_there(pages: Pages, path: str) -> None:
    await pages.sign_in("ada")
    assert (await pages.client.get(path)).status_code == 404


async def test_other_methods_are_refused(pages: Pages) -> None:
    assert (await pages.client.put("/sign-in")).status_code == 405
    assert (await pages.client.request("TRACE", "/health")).status_code == 405


async def test_a_browser_that_is_not_signed_in_is_shown_the_way(pages: Pages) -> None:
    answer = await pages.client.get("/faceplate/P101", headers={"Accept": "text/html"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=/faceplate/P101"


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", HMI])
async def test_what_another_page_makes_the_browser_send_is_refused(pages: Pages, origin: str) -> None:
    await pages.sign_in()
    csrf = pages.site.sessions.visitor(pages.client.cookies["tagsight"], by_cookie=True).csrf
    headers = {"Origin": origin, "X-TagSight-CSRF": csrf}
    act = {"model": "P101/Health", "act": "off"}
    assert (await pages.client.post("/api/act", json=act, headers=headers)).status_code == 403
    assert pages.plant.inbox.unread()[1:] == ()


async def test_a_cookie_alone_changes_nothing(pages: Pages) -> None:
    await pages.sign_in()
    act = {"model": "P101/Health", "act": "off"}
    for headers in ({"Origin": HERE}, {}, {"Origin": HERE, "X-TagSight-CSRF": "guessed"}):
        assert (await pages.client.post("/api/act", json=act, headers=headers)).status_code == 403
    csrf = pages.site.sessions.visitor(pages.client.cookies["tagsight"], by_cookie=True).csrf
    headers = {"Origin": HERE, "X-TagSight-CSRF": csrf}
    assert (await pages.client.post("/api/act", json=act, headers=headers)).status_code == 202


async def test_an_upload_of_50_mb_is_refused_before_it_is_read(pages: Pages) -> None:
    headers = await pages.key("ada")
    sent = 0

    async def parts() -> object:
        nonlocal sent
        for _ in range(800):
            sent += 65_536
            yield bytes(65_536)

    for path in ("/sign-in", "/_nicegui/client/c/upload/1"):
        sent = 0
        request = pages.client.build_request("POST", path, content=parts(), headers=headers | {"Origin": HERE})
        assert (await pages.client.send(request)).status_code in {413, 404}
        assert sent <= 6 * 1_024 * 1_024
    said = headers | {"Origin": HERE, "Content-Length": str(50 * 1_024 * 1_024)}
    assert (await pages.client.post("/_nicegui/client/c/upload/1", content=b"", headers=said)).status_code == 413


async def test_on_loopback_another_name_that_leads_here_is_not_served(pages: Pages) -> None:
    for host, status in (("evil.example:8443", 421), ("localhost:8443", 200), ("[::1]:8443", 200)):
        assert (await pages.client.get("/health", headers={"Host": host})).status_code == status


async def test_faceplates_may_be_framed_by_the_configured_hmis_and_nothing_else_by_anybody(pages: Pages) -> None:
    await pages.sign_in()
    framed = await pages.client.get("/faceplate/P101")
    assert f"frame-ancestors {HMI}" in framed.headers["content-security-policy"]
    assert "x-frame-options" not in framed.headers
    for path in ("/sign-in", "/health", "/first"):
        headers = (await pages.client.get(path)).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"


async def test_a_token_is_framed_by_its_own_hmi_only_and_only_while_that_is_configured(pages: Pages) -> None:
    for origin, allowed in ((HMI, HMI), ("https://other:1", "'none'"), ("", "'none'")):
        token = pages.site.tokens.add(origin, 1)
        answer = await pages.client.get(f"/faceplate/P101?token={token}")
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"].endswith(f"frame-ancestors {allowed}")


async def test_a_token_reads_faceplates_and_nothing_else_until_it_is_revoked(pages: Pages) -> None:
    token = pages.site.tokens.add(HMI, 1)
    query = f"?token={token}"
    assert (await pages.client.get(f"/api/faceplate/P101{query}")).status_code == 200
    act = {"model": "P101/Health", "act": "off"}
    assert (await pages.client.post(f"/api/act{query}", json=act, headers={"Origin": HERE})).status_code == 401
    assert (await pages.client.get(f"/audit{query}")).status_code == 401
    pages.site.tokens.revoke(1)
    assert (await pages.client.get(f"/api/faceplate/P101{query}")).status_code == 401


async def test_every_answer_says_how_a_browser_has_to_treat_it(pages: Pages) -> None:
    await pages.sign_in()
    answers = [await pages.client.get(path) for path in ("/sign-in", "/faceplate/P101", "/nowhere", "/health")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"Cookie": 'tagsight="\\x00;;;=='}, id="cookie"),
        pytest.param({"Authorization": "Bearer \xff\xfe".encode("latin-1")}, id="bearer"),
        pytest.param({"Content-Length": "-5"}, id="negative-length"),
        pytest.param({"Origin": "http://["}, id="origin"),
        pytest.param({"Host": "a b"}, id="host"),
        pytest.param({"Host": "[::1"}, id="half-a-host"),
    ],
)
async def test_nonsense_in_headers_is_refused_and_breaks_nothing(pages: Pages, headers: dict[str, str]) -> None:
    for method, path in (("GET", "/faceplate/P101"), ("POST", "/api/act"), ("GET", "/sign-in")):
        assert (await pages.client.request(method, path, headers=httpx.Headers(headers))).status_code < 500

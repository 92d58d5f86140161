"""Signing in and out at the pages, and what is in the way of who guesses."""

import pytest

from tagsight.platform import WINDOWS
from tagsight_connectors.serving import UserRole
from tests.plugin.web.conftest import HERE, PASSWORDS, Pages

FORM = {"Origin": HERE}


async def test_who_signs_in_gets_a_cookie_that_no_script_sees(pages: Pages) -> None:
    answer = await pages.sign_in()
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await pages.client.get("/faceplate/P101")).status_code == 200


async def test_twenty_wrong_passwords_lead_nowhere_and_the_right_one_waits_with_them(pages: Pages) -> None:
    given = {"user": "olga", "password": "not-this-one"}
    statuses = [(await pages.client.post("/sign-in", data=given, headers=FORM)).status_code for _ in range(20)]
    assert statuses == [401] * 10 + [429] * 10
    assert (await pages.sign_in()).status_code == 429
    pages.clock.advance(61.0)
    assert (await pages.sign_in()).status_code == 303


async def test_a_user_waits_after_wrong_passwords_from_many_addresses(pages: Pages) -> None:
    for _ in range(8):
        pages.site.users.authenticate("olga", "from another address")
    assert (await pages.sign_in()).status_code == 401
    pages.clock.advance(8.0)
    assert (await pages.sign_in()).status_code == 303


async def test_the_audit_trail_tells_of_sign_ins_and_of_guessing_but_not_of_what_was_typed(pages: Pages) -> None:
    for _ in range(6):
        await pages.client.post("/sign-in", data={"user": "my-secret-password", "password": "x"}, headers=FORM)
    await pages.sign_in()
    assert pages.audited() == [
        ("unknown user", "wrong password"),
        ("unknown user", "wrong password"),
        ("olga", "signed in"),
    ]
    assert "my-secret-password" not in str(pages.plant.ledger.audit_entries())


async def test_guessing_does_not_fill_the_inbox(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagsight.inbox.MOST_NOTES", 3)
    for _ in range(6):
        pages.site.note("somebody", "signed in")
    assert len(pages.plant.inbox.unread()) == 3


async def test_a_note_counts_once_however_often_the_service_looks(pages: Pages) -> None:
    pages.site.note("ada", "signed in", "here")
    entries = pages.plant.inbox.unread()
    pages.plant.operators.apply()
    pages.plant.ledger.note([(entries[0].id, 1, "ada", "signed in", "here")])
    assert [one.what for one in pages.plant.ledger.audit_entries()] == ["signed in"]


async def test_signing_out_ends_the_session(pages: Pages) -> None:
    await pages.sign_in()
    visitor = pages.site.sessions.visitor(pages.client.cookies["tagsight"], by_cookie=True)
    headers = {"X-TagSight-CSRF": visitor.csrf, "Origin": HERE}
    kept = pages.client.cookies["tagsight"]
    assert (await pages.client.post("/sign-out", headers=headers)).status_code == 303
    answer = await pages.client.get("/faceplate/P101", headers={"Cookie": f"tagsight={kept}"})
    assert answer.status_code == 401


async def test_a_session_ends_by_idleness_and_by_age(pages: Pages) -> None:
    await pages.sign_in()
    for _ in range(11):
        pages.clock.advance(3_590.0)
        assert (await pages.client.get("/faceplate/P101")).status_code == 200
    pages.clock.advance(3_590.0 + 200.0)
    assert (await pages.client.get("/faceplate/P101")).status_code == 401
    await pages.sign_in()
    for _ in range(13):
        pages.clock.advance(3_500.0)
        last = await pages.client.get("/faceplate/P101")
    assert last.status_code == 401


async def test_a_page_that_asks_by_itself_keeps_no_session_awake(pages: Pages) -> None:
    await pages.sign_in()
    for _ in range(8):
        pages.clock.advance(600.0)
        last = await pages.client.get("/api/faceplate/P101")
    assert last.status_code == 401


@pytest.mark.parametrize("change", ["removed", "password", "role"])
async def test_a_user_who_is_changed_is_signed_out(pages: Pages, change: str) -> None:
    await pages.sign_in()
    if change == "removed":
        pages.site.users.remove("olga")
    else:
        role = UserRole.ENGINEER if change == "role" else UserRole.OPERATOR
        pages.site.users.add("olga", "another-password", role)
    assert (await pages.client.get("/faceplate/P101")).status_code == 401


async def test_nobody_is_sent_to_another_server_after_signing_in(pages: Pages) -> None:
    for target in ("https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"):
        given = {"user": "olga", "password": PASSWORDS["olga"], "next": target}
        answer = await pages.client.post("/sign-in", data=given, headers=FORM)
        assert answer.headers["location"] == "/", target


async def test_the_first_admin_is_made_by_a_link_that_works_once(pages: Pages) -> None:
    pages.site.users.remove("ada")
    code = pages.site.first.make()
    given = {"code": code, "user": "eva", "password": "her-password-1", "again": "her-password-1"}
    wrong = await pages.client.post("/first", data=given | {"code": "guessed"}, headers=FORM)
    assert wrong.status_code == 410
    assert (await pages.client.post("/first", data=given | {"again": "typo"}, headers=FORM)).status_code == 400
    assert (
        await pages.client.post("/first", data=given | {"password": "", "again": ""}, headers=FORM)
    ).status_code == 400
    assert (await pages.client.post("/first", data=given, headers=FORM)).status_code == 303
    assert pages.site.users.roles()["eva"] is UserRole.ADMIN
    again = await pages.client.post("/first", data=given | {"user": "mallory"}, headers=FORM)
    assert again.status_code == 410
    assert "mallory" not in pages.site.users.roles()


async def test_there_is_no_link_where_there_is_an_admin_and_an_old_one_is_over(pages: Pages) -> None:
    assert pages.site.first.make() == ""
    pages.site.users.remove("ada")
    code = pages.site.first.make()
    pages.clock.advance(86_401.0)
    assert not pages.site.first.opens(code)


async def test_what_was_typed_comes_back_as_text(pages: Pages) -> None:
    name = '"><script>alert(1)</script>'
    answer = await pages.client.post("/sign-in", data={"user": name, "password": "x"}, headers=FORM)
    assert "<script>" not in answer.text
    assert "&lt;script&gt;" in answer.text


@pytest.mark.skipif(WINDOWS, reason="file modes mean nothing there")
async def test_tokens_lie_in_a_private_file_that_holds_none(pages: Pages) -> None:
    token = pages.site.tokens.add("https://hmi01:8043", 1)
    path = pages.plant.data.web_tokens
    assert path.stat().st_mode & 0o077 == 0
    assert token not in path.read_text()

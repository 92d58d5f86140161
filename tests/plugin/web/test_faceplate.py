"""What a faceplate is told and what operators do on it: by the same way as over OPC UA, into the ledger."""

import json
from dataclasses import replace

import pytest

from tagsight.planner import Backlog
from tagsight.web.faceplate.live import Broadcasts
from tagsight.web.own_pages import filled
from tagsight.web.words import catalogues, words
from tagsight_explain.language import languages
from tests.plugin.small_site import MINUTE
from tests.plugin.web.conftest import HMI, Pages
from tests.plugin.web.small_plant import calm

MODEL = "P101/Health"


async def shown(pages: Pages, asset: str = "P101") -> dict[str, object]:
    token = pages.site.tokens.add(HMI, 1)
    pages.clock.advance(1.0)
    answer = await pages.client.get(f"/api/faceplate/{asset}?token={token}")
    assert answer.status_code == 200
    return dict(answer.json()["models"][0])


async def acted(pages: Pages, user: str = "olga", **act: object) -> int:
    headers = await pages.key(user)
    return (await pages.client.post("/api/act", json={"model": MODEL, **act}, headers=headers)).status_code


async def occurrence(pages: Pages) -> str:
    return str((await shown(pages))["occurrence"]["id"])  # type: ignore[index]


async def test_an_alarm_is_told_with_its_sentence_since_when_and_the_tags_that_lead(pages: Pages) -> None:
    told = await shown(pages)
    assert told["alarm"] is True
    assert told["state"] == 4
    assert told["score"] > told["limit"] == 1.0  # type: ignore[operator]
    assert "DischargePressure" in str(told["message"])
    assert told["occurrence"]["since"] is not None  # type: ignore[index]
    tags = told["tags"]
    assert [tag["role"] for tag in tags][:2] == ["DischargePressure", "BearingTemperature"]  # type: ignore[index,attr-defined]
    assert len(tags) == 5  # type: ignore[arg-type]
    first = tags[0]  # type: ignore[index]
    assert first["actual"] > first["upper"] > first["expected"]
    assert (first["unit"], first["outside"], first["direction"]) == ("bar", True, "high")


async def test_a_normal_machine_shows_the_inputs_farthest_from_expected_and_claims_no_leaders(pages: Pages) -> None:
    told = await shown(pages, "P102")
    assert (told["alarm"], told["state"], told["leading"]) == (False, 0, False)
    assert len(told["tags"]) == 5  # type: ignore[arg-type]


async def test_the_trend_has_the_expected_band_of_each_shown_tag(pages: Pages) -> None:
    trend = (await shown(pages))["trend"]
    assert len(trend["t"]) == len(trend["score"]) == 60  # type: ignore[index]
    assert set(trend["roles"]) == {tag["role"] for tag in (await shown(pages))["tags"]}  # type: ignore[index,attr-defined]
    assert all(len(values) == 60 for role in trend["roles"].values() for values in role.values())  # type: ignore[index]


async def test_a_long_past_is_thinned_but_keeps_its_peak(pages: Pages) -> None:
    pages.plant.minute = 60
    scores = calm(200)
    scores[100] = 0.93
    pages.plant.score(scores, "P102")
    pages.clock.advance(200 * 60.0)
    trend = (await shown(pages, "P102"))["trend"]
    assert len(trend["t"]) <= 121  # type: ignore[index]
    assert 0.93 in trend["score"]  # type: ignore[index]


async def test_what_cannot_be_scored_is_told_as_not_known_with_the_reason(pages: Pages) -> None:
    pages.plant.minute = 60
    pages.plant.score([None], "P102")
    told = await shown(pages, "P102")
    assert told["quality"] == "bad"
    assert told["score"] is None
    assert "no fresh value" in str(told["message"])


async def test_an_operator_acknowledges_and_the_service_takes_it_over(pages: Pages) -> None:
    alarm = await occurrence(pages)
    assert await acted(pages, act="acknowledge", occurrence=alarm, comment="on my way") == 202
    pages.plant.serve()
    told = (await shown(pages))["occurrence"]
    assert told["acknowledged"] is True  # type: ignore[index]
    assert (told["comment"], told["by"]) == ("on my way", "olga")  # type: ignore[index]
    assert ("olga", "operator") in pages.audited()
    assert await acted(pages, act="acknowledge", occurrence=alarm) == 409


async def test_an_alarm_that_was_not_looked_at_is_not_acknowledged(pages: Pages) -> None:
    assert await acted(pages, act="acknowledge", occurrence="12345") == 409
    assert await acted(pages, act="acknowledge") == 409


async def test_shelving_needs_a_reason_and_an_end(pages: Pages) -> None:
    assert await acted(pages, act="shelve", minutes=60) == 400
    assert await acted(pages, act="shelve", minutes=60 * 24 * 8, comment="repair") == 400
    assert await acted(pages, act="shelve", minutes=60, comment="repair") == 202
    pages.plant.serve()
    told = await shown(pages)
    assert told["occurrence"]["shelved_until"] is not None  # type: ignore[index]
    assert told["alarm"] is False
    assert await acted(pages, act="unshelve", comment="done") == 202
    pages.plant.serve()
    assert (await shown(pages))["occurrence"]["shelved_until"] is None  # type: ignore[index]


@pytest.mark.parametrize("feedback", [1, 2, 3])
async def test_feedback_becomes_a_label_with_user_time_and_comment(pages: Pages, feedback: int) -> None:
    alarm = await occurrence(pages)
    assert await acted(pages, act="feedback", feedback=feedback, occurrence=alarm, comment="seal leaks") == 202
    pages.plant.serve()
    label = pages.plant.ledger.labels(MODEL)[0]
    assert (label.feedback, label.by, str(label.announced_ns)) == (feedback, "olga", alarm)
    assert label.time_ns == pages.clock.now_ns()
    assert pages.plant.ledger.comments(MODEL, int(alarm))[-1].comment == "seal leaks"
    assert (await shown(pages))["feedback_count"] == 1


async def test_switching_off_is_the_same_as_writing_the_tag(pages: Pages) -> None:
    assert await acted(pages, act="off") == 202
    pages.plant.serve()
    assert pages.plant.ledger.operator_state(MODEL).off
    assert (await shown(pages))["off"] is True


@pytest.mark.parametrize(
    "act",
    [
        {"act": "explode"},
        {"act": "feedback", "feedback": 7},
        {"act": "feedback", "feedback": 0},
        {"act": "shelve", "minutes": -1, "comment": "x"},
        {"act": "shelve", "minutes": float("1e300"), "comment": "x"},
        {"act": "shelve", "minutes": True, "comment": "x"},
        {"act": "comment", "comment": "x" * 2_000},
        {"act": "comment", "comment": "a\nb"},
        {"act": None},
        {"act": "acknowledge", "occurrence": "-1"},
        {"act": "acknowledge", "occurrence": "9" * 40},
        {"act": "acknowledge", "occurrence": [1]},
        {"model": "P101", "act": "off"},
        {"model": "TagSight", "act": "off"},
    ],
)
async def test_nonsense_is_refused_and_stores_nothing(pages: Pages, act: dict[str, object]) -> None:
    headers = await pages.key()
    before = len(pages.plant.inbox.unread())
    answer = await pages.client.post("/api/act", json={"model": MODEL, **act}, headers=headers)
    assert answer.status_code in {400, 404, 409}
    assert len(pages.plant.inbox.unread()) == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"x"', b"[" * 10_000, b"\xff\xfe", b"1e999"])
async def test_what_is_no_act_is_refused(pages: Pages, body: bytes) -> None:
    answer = await pages.client.post("/api/act", content=body, headers=await pages.key())
    assert answer.status_code == 400


async def test_an_unknown_asset_is_not_found_and_a_script_in_its_name_is_text(pages: Pages) -> None:
    await pages.sign_in()
    assert (await pages.client.get("/api/faceplate/P999")).status_code == 404
    answer = await pages.client.get("/faceplate/%3Cscript%3Ealert(1)%3C%2Fscript%3E")
    assert "<script>alert" not in answer.text
    odd = await pages.client.get("/faceplate/%3Cimg src=x onerror=alert(1)%3E")
    assert odd.status_code == 404
    assert "<img" not in odd.text


def test_a_script_in_a_word_of_the_page_is_text() -> None:
    given = {"asset": "</script><script>alert(1)</script>", "language": "en"}
    made = filled("faceplate.html", given, {"asset": given["asset"], "amp": "&lt;!--"})
    assert "alert(1)</script>" not in made
    data = made.split('id="given">')[1].split("</script>")[0]
    assert json.loads(data)["asset"] == given["asset"]


async def test_nothing_is_read_again_while_nothing_is_new(pages: Pages) -> None:
    news = Broadcasts(pages.site)
    first = await news.of("P101")
    pages.clock.advance(1.0)
    assert await news.of("P101") is first
    pages.plant.minute = 60
    pages.plant.score([1.4])
    assert await news.of("P101") is first  # no second look within half a second
    pages.clock.advance(0.6)
    assert await news.of("P101") is not first


async def test_a_service_that_stands_still_is_told_within_15_seconds(pages: Pages) -> None:
    news = Broadcasts(pages.site)
    assert json.loads(str(await news.of("P101")))["alive"] is True
    pages.clock.advance(15.5)
    assert json.loads(str(await news.of("P101")))["alive"] is False
    pages.plant.beat()
    pages.clock.advance(0.6)
    assert json.loads(str(await news.of("P101")))["alive"] is True


async def test_results_of_a_clock_that_was_wrong_disappear_with_their_retraction(pages: Pages) -> None:
    news = Broadcasts(pages.site)
    before = json.loads(str(await news.of("P101")))["models"][0]
    pages.plant.minute = 60
    pages.plant.score([1.5, 1.6])
    pages.clock.advance(1.0)
    after = json.loads(str(await news.of("P101")))["models"][0]
    assert after["due"] - before["due"] == 2 * MINUTE // 1_000_000
    first = pages.plant.start_ns + 60 * MINUTE
    pages.plant.ledger.retract(Backlog(MODEL, first - 2 * MINUTE, first - MINUTE))
    pages.clock.advance(1.0)
    assert json.loads(str(await news.of("P101")))["models"][0]["due"] == before["due"]


async def test_before_the_service_ever_ran_the_page_says_so(pages: Pages) -> None:
    pages.site.data = replace(pages.site.data, root=pages.plant.folder / "empty")
    pages.site._ledger = None
    await pages.sign_in()
    answer = await pages.client.get("/api/faceplate/P101")
    assert answer.status_code == 503
    assert "has not run yet" in answer.json()["error"]
    assert (await pages.client.get("/faceplate/P101")).status_code == 200


def test_every_language_has_every_word() -> None:
    assert set(languages()) >= set(catalogues()) >= {"en", "de", "zh"}
    for code in catalogues():
        assert set(words(code)) == set(words("en")), code
        assert all(words(code).values()), code
    assert words("fr-not-there") == words("en")


async def test_the_page_itself_weighs_little(pages: Pages) -> None:
    await pages.sign_in()
    page = await pages.client.get("/faceplate/P101")
    version = page.text.split("/static/")[1].split("/")[0]
    names = ("own.css", "faceplate.css", "faceplate.js", "icon.svg")
    files = [await pages.client.get(f"/static/{version}/{name}") for name in names]
    told = await pages.client.get("/api/faceplate/P101")
    assert sum(len(one.content) for one in (page, told, *files)) < 100_000
    assert all("immutable" in one.headers["cache-control"] for one in files)


async def test_an_act_on_a_full_disk_is_answered_with_words(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagsight.inbox.MOST_UNREAD", 0)
    headers = await pages.key()
    answer = await pages.client.post("/api/act", json={"model": MODEL, "act": "off"}, headers=headers)
    assert answer.status_code == 503
    assert "inbox is full" in answer.json()["error"]

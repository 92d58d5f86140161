"""The pages in a real browser: what a person sees, and what the content policy stops."""

import time
from pathlib import Path

import pytest

from tagsight.clocks import SystemClock
from tagsight.web.tokens import FaceplateTokens
from tests.plugin.web.chromium import Browser
from tests.plugin.web.conftest import PASSWORDS, Served

pytestmark = [pytest.mark.browser]
KIB = 1_024
DRAWN = "document.getElementById('value').textContent !== ''"


def sign_in(browser: Browser, served: Served, user: str = "ada") -> None:
    browser.open(f"{served.url}/sign-in")
    browser.fill("[name=user]", user)
    browser.fill("[name=password]", PASSWORDS[user])
    browser.click("button")
    browser.wait("location.pathname === '/' && document.querySelector('.q-table tbody tr')")


def faceplate(browser: Browser, served: Served, asset: str = "P101", query: str = "") -> None:
    served.plant.beat()
    browser.size(400, 300)
    browser.open(f"{served.url}/faceplate/{asset}{query}")
    browser.wait(DRAWN)


def test_who_signs_in_sees_the_plant_and_every_page_without_a_complaint(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    assert "P101/Health" in browser.text(".q-table")
    assert "maintenance required" in browser.text(".q-table")
    served.plant.serve()  # what was signed in is noted
    for path in ("/audit", "/users"):
        browser.open(served.url + path)
        browser.wait("document.querySelector('.q-table tbody tr')")
    assert browser.complaints() == []


def test_a_faceplate_fits_into_400_by_300_without_scrolling(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    faceplate(browser, served)
    assert browser.run("document.documentElement.scrollHeight") <= 300
    assert browser.run("document.documentElement.scrollWidth") <= 400
    assert browser.text("#state") == "Maintenance required"
    assert browser.run("document.querySelectorAll('.tag').length") == 5
    lowest = browser.run(
        "Math.max(...[...document.querySelectorAll('button')].map(b => b.getBoundingClientRect().bottom))"
    )
    assert lowest <= 300
    edges = [f"document.querySelector('{one}').getBoundingClientRect()" for one in ("#tags", "footer")]
    assert browser.run(f"{edges[0]}.bottom <= {edges[1]}.top + 1")
    assert browser.complaints() == []


def test_a_faceplate_loads_little(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    before = browser.loaded_bytes()
    faceplate(browser, served)
    cold = browser.loaded_bytes() - before
    faceplate(browser, served, "P102")
    warm = browser.loaded_bytes() - before - cold
    assert warm < cold < 300 * KIB


def test_an_open_faceplate_shows_a_new_score_by_itself(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    faceplate(browser, served, "P102")
    served.plant.minute = 75
    served.plant.score([0.77], "P102")
    browser.wait("document.getElementById('value').textContent === '0.77'")


def test_a_faceplate_says_within_15_seconds_that_it_hears_nothing_and_goes_on_by_itself(
    browser: Browser, served: Served
) -> None:
    sign_in(browser, served)
    faceplate(browser, served)
    served.plant.beat()
    browser.offline(is_so=True)
    browser.wait("!document.getElementById('stale').hidden")
    assert "OLD" in browser.text("#stale")
    browser.offline(is_so=False)
    served.plant.beat()
    browser.wait("document.getElementById('stale').hidden")


def test_an_operator_acknowledges_on_a_panel_that_nobody_is_signed_in_at(browser: Browser, served: Served) -> None:
    token = FaceplateTokens(served.plant.data.web_tokens).add("", SystemClock().now_ns())
    faceplate(browser, served, "P101", f"?token={token}")
    browser.click("#acknowledge")
    browser.wait("document.querySelector('#panel [name=password]')")
    browser.fill("#panel [name=user]", "olga")
    browser.fill("#panel [name=password]", PASSWORDS["olga"])
    browser.run("document.querySelector('#panel').requestSubmit()")
    browser.wait("document.querySelector('#panel [name=comment]')")
    browser.fill("#panel [name=comment]", "seen")
    browser.run("document.querySelector('#panel').requestSubmit()")
    browser.wait("document.getElementById('panel').hidden")
    served.plant.serve()
    browser.wait("document.getElementById('acknowledge').disabled")
    assert "olga" in browser.text("#since")
    assert browser.complaints() == []


def test_a_script_in_the_name_of_a_tag_is_text(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    faceplate(browser, served, "Odd")
    assert "<img src=x onerror" in browser.run(
        "document.querySelector('.tag').title + document.querySelector('.name').textContent"
    )
    assert browser.run("document.querySelectorAll('img').length") == 0
    browser.open(served.url + "/")
    browser.wait("document.querySelector('.q-table tbody tr')")
    assert browser.run("typeof window.attacked") == "undefined"


def test_a_page_of_another_origin_cannot_frame_the_pages(browser: Browser, served: Served, tmp_path: Path) -> None:
    other = tmp_path / "hmi.html"
    token = FaceplateTokens(served.plant.data.web_tokens).add("", SystemClock().now_ns())
    other.write_text(f'<iframe src="{served.url}/faceplate/P101?token={token}"></iframe>', encoding="utf-8")
    browser.open(other.as_uri())
    browser.wait("document.querySelector('iframe')")
    deadline = time.monotonic() + 30.0
    while not any("frame-ancestors" in one for one in browser.complaints()):
        assert time.monotonic() < deadline

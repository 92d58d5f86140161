"""The page Report in a real browser: a report is made, shown and saved."""

import pytest

from tests.plugin.web.chromium import Browser
from tests.plugin.web.conftest import Served
from tests.plugin.web.test_browser import sign_in

pytestmark = [pytest.mark.browser]
BUTTON = "[...document.querySelectorAll('button')].find(one => one.textContent.includes('{text}'))"


def test_a_report_is_made_and_saved_without_a_complaint(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    browser.size(1280, 800)
    browser.open(f"{served.url}/report")
    browser.wait(BUTTON.format(text="Make report"))
    browser.run("window.saved = []; const make = URL.createObjectURL; "
                "URL.createObjectURL = one => { window.saved.push(one); return make.call(URL, one); }")  # fmt: skip
    browser.run(BUTTON.format(text="Make report") + ".click()")
    browser.wait("document.querySelectorAll('.q-table').length >= 4")
    text = browser.text(".nicegui-content")
    assert "Alarms: 2 announced, 2 active at the end" in text  # P101, and the one with the odd tags
    assert "Share of the time in flood" in text
    browser.run(BUTTON.format(text="Save as a file") + ".click()")
    browser.wait("window.saved.length === 1 && window.saved[0].size > 2000")
    assert browser.complaints() == []


def test_a_period_that_is_none_is_said_in_words(browser: Browser, served: Served) -> None:
    sign_in(browser, served)
    browser.open(f"{served.url}/report")
    browser.wait(BUTTON.format(text="Make report"))
    browser.fill("[aria-label=From]", "yesterday")
    browser.run(BUTTON.format(text="Make report") + ".click()")
    browser.wait("document.body.innerText.includes('is not a date')")
    assert browser.complaints() == []

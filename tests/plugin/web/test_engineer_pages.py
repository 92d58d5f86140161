"""Connect, Pick and Configure in a real browser: what an engineer does there reaches file and data folder."""

import json
import time
from collections.abc import Iterator

import pytest

from tagsight.applied import AppliedFolder
from tagsight.clocks import SECOND
from tagsight.configuration import load
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.tag import Tag
from tests.plugin.web.chromium import Browser
from tests.plugin.web.conftest import Served
from tests.plugin.web.test_browser import sign_in

pytestmark = [pytest.mark.browser]
FILE = """\
timezone: UTC
historians:
  lab: {url: "memory://pages"}
  scada: {url: "opc.tcp://127.0.0.1:4999", anonymous: true}    # is down
results: {to: server}
web: {frames: ["https://hmi01:8043"]}
models:
  - {name: Health, asset: P101, historian: lab, inputs: ["Plant/Area000/*"], score: {every: 1m}}    # first
"""
SCRIPT = "<img src=x onerror=attacked=1>"


@pytest.fixture
def edited(served: Served) -> Iterator[Served]:
    """The server with a configuration that is put back afterwards."""
    before = served.file.read_text(encoding="utf-8")
    served.file.write_text(FILE, encoding="utf-8")
    yield served
    served.file.write_text(before, encoding="utf-8")


@pytest.fixture(scope="module")
def historian() -> MemoryStore:
    """100,000 tags, one of them with a script for a name, one with a day of values."""
    store = MemoryStore.named("pages")
    for number in range(99_998):
        path = f"Plant/Area{number // 1_000:03}/Tag{number:06}"
        store.add(Tag(path, path, unit="bar"))
    store.add(Tag(SCRIPT, f"Odd/{SCRIPT}"))
    store.add(Tag("Odd/Flow", "Odd/Flow", unit="<b>m³/h</b>"))
    end = time.time_ns() // SECOND * SECOND
    store.append("Odd/Flow", [end - number * 60 * SECOND for number in range(1_440, 0, -1)], [1.0, 2.0] * 720)
    return store


def press(browser: Browser, words: str, nth: int = 0) -> None:
    """The button with these words that can be seen."""
    seen = f"b => b.offsetParent && b.innerText.includes({json.dumps(words)})"
    found = f"[...document.querySelectorAll('button')].filter({seen})[{nth}]"
    browser.wait(f"{found} && !{found}.disabled")
    browser.run(f"{found}.click()")


def write(browser: Browser, label: str, text: str) -> None:
    """Into the field of this label, and leave it."""
    seen = f"f => f.offsetParent && f.innerText.startsWith({json.dumps(label)})"
    field = f"[...document.querySelectorAll('.q-field')].find({seen}).querySelector('input,textarea')"
    browser.wait(field)
    browser.run(
        f"(() => {{ const f = {field}; f.focus(); f.value = {json.dumps(text)};"
        " f.dispatchEvent(new Event('input', {bubbles: true})); f.blur(); })()"
    )


def shows(browser: Browser, words: str) -> None:
    """Wait until the page says so."""
    browser.wait(f"document.body.innerText.includes({json.dumps(words)})")


def test_an_engineer_probes_a_historian_and_one_that_is_down_says_what_to_look_at(
    browser: Browser, edited: Served, historian: MemoryStore
) -> None:
    sign_in(browser, edited, "emil")
    browser.open(edited.url + "/connect")
    press(browser, "Probe", 0)
    shows(browser, "Plant/Area000/*: 1000 tags")
    press(browser, "Test the connection", 1)
    shows(browser, "firewall")
    assert "✗" in browser.run("document.body.innerText")
    assert browser.complaints() == []


def test_of_a_hundred_thousand_tags_a_page_is_shown_found_drawn_and_picked(
    browser: Browser, edited: Served, historian: MemoryStore
) -> None:
    sign_in(browser, edited, "emil")
    browser.open(edited.url + "/pick")
    press(browser, "Read the tags")
    shows(browser, "100,000 tags match **")
    assert browser.run("document.querySelectorAll('tbody tr').length") <= 20
    write(browser, "Search", "tag099")
    shows(browser, "of 998")
    write(browser, "Search", "odd")
    shows(browser, SCRIPT)
    press(browser, "Odd/Flow")
    shows(browser, "Picked: 1")
    press(browser, SCRIPT)
    shows(browser, "Picked: 2")
    press(browser, "Trends")
    browser.wait("document.querySelector('canvas')")
    shows(browser, "No value in this period")
    press(browser, "Make them inputs")
    write(browser, "Asset", "K301")
    press(browser, "Save and apply")
    shows(browser, "Saved: K301/Health")
    added = load(edited.file).models[1]
    assert (added.key, added.inputs) == ("K301/Health", ("Odd/Flow", f"Odd/{SCRIPT}"))
    assert "# is down" in edited.file.read_text(encoding="utf-8")
    assert browser.run("typeof window.attacked") == "undefined"
    assert browser.complaints() == []


def test_fields_and_text_are_the_same_and_who_saves_second_sees_the_difference(
    browser: Browser, edited: Served
) -> None:
    sign_in(browser, edited, "emil")
    browser.open(edited.url + "/configure")
    shows(browser, "It can be used (saved)")
    write(browser, "Alarms at most", "nonsense")
    shows(browser, "not a budget")
    write(browser, "Alarms at most", "1 per week")
    shows(browser, "not saved yet")
    assert "at_most: 1 per week" in browser.text(".cm-content")
    press(browser, "Save and apply")
    shows(browser, "Saved and applied")
    saved = edited.file.read_text(encoding="utf-8")
    assert "at_most: 1 per week" in saved
    assert "# first" in saved
    applied = AppliedFolder(edited.plant.data.applied).request()
    assert applied is not None
    assert applied.who == "emil"
    write(browser, "On delay", "10m")
    shows(browser, "not saved yet")
    edited.file.write_text("models: [\n" + saved, encoding="utf-8")
    shows(browser, "changed by somebody else")
    shows(browser, "What the file says now has")
    press(browser, "Save and apply")
    shows(browser, "Not saved")
    assert edited.file.read_text(encoding="utf-8").startswith("models: [")
    press(browser, "Go on with mine")
    press(browser, "Save and apply")
    browser.wait("document.body.innerText.includes('It can be used (saved)')")
    assert "on_delay: 10m" in edited.file.read_text(encoding="utf-8")
    assert browser.complaints() == []


def test_a_pasted_table_of_machines_is_saved_beside_the_configuration(browser: Browser, edited: Served) -> None:
    edited.file.write_text(
        FILE.replace("models:", 'templates:\n  pump: {name: Health, historian: lab, inputs: ["{asset}/*"]}\nmodels:'),
        encoding="utf-8",
    )
    sign_in(browser, edited, "emil")
    browser.open(edited.url + "/configure")
    shows(browser, "It can be used (saved)")
    browser.run("[...document.querySelectorAll('.q-item')].find(i => i.innerText.includes('Machines of')).click()")
    press(browser, "Paste")
    write(browser, "From Excel", "asset\talarm.at_most\nP201\t\nP202\t1 per week\n")
    press(browser, "Take it")
    shows(browser, "2 machines")
    press(browser, "Save and apply", 1)
    shows(browser, "2 machines of machines.csv")
    assert [one.asset for one in load(edited.file).models] == ["P101", "P201", "P202"]
    shows(browser, "machines: machines.csv")
    assert browser.complaints() == []

"""The generated project in FUXA: live values through an alarm and back, and operators' answers."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tagsight.configuration import load
from tagsight.hmi.fuxa import device_of, project
from tagsight.hmi.overview import OVERVIEW
from tagsight.tag_list import listed_tags
from tests.hmi.fuxa import Fuxa
from tests.hmi.site import PASSWORD, USER, Site, pumps
from tests.plugin.web.chromium import Browser

pytestmark = [pytest.mark.hmi, pytest.mark.timeout(3_600)]  # of which npm may need half, once
PATIENCE_S = 90.0
SEEN = "(() => {{ const all = [...document.querySelectorAll('svg text')].filter("
SEEN += "t => t.getBoundingClientRect().width > 0); "
SEEN += "return all.filter(t => t.textContent.trim() === {0}).length; }})()"


async def test_operators_see_an_alarm_come_and_go_in_fuxa_and_answer_it(
    fuxa: Fuxa, browser: Browser, tmp_path: Path, pictures: Path
) -> None:
    async with pumps(tmp_path) as site:
        for asset, score in (("P101", 0.21), ("P102", 0.34), ("P103", 0.16)):
            site.score(asset, score, score, score)
        await _open_project(fuxa, site, tmp_path)
        await asyncio.to_thread(browser.open, f"{fuxa.url}/home")
        await _sees(browser, "NO CONNECTION TO TAGSIGHT: nothing is known at present.", 1)
        await _let_in(site)
        await _sees(browser, "Normal", 3)
        await _sees(browser, "0.34", 1)
        await _sees(browser, "NO CONNECTION TO TAGSIGHT: nothing is known at present.", 0)
        await _picture(browser, pictures / "fuxa-normal.png")

        site.score("P102", 1.2, 1.46, 1.62)
        await _sees(browser, "Maintenance", 1)
        await _sees(browser, "1.62", 1)
        await _picture(browser, pictures / "fuxa-overview.png")

        await _press(browser, "P102")
        await _sees(browser, "88.40", 1)
        await _picture(browser, pictures / "fuxa-faceplate.png")
        await _press(browser, "True alarm")
        await _until(lambda: _feedback(site) == 1, "the answer in the ledger")
        await _press(browser, "Off")
        await _until(lambda: _is_off(site), "the switch in the ledger")
        site.score("P102", 1.6)
        await _sees(browser, "Function check", 1)
        await _picture(browser, pictures / "fuxa-off.png")
        await _press(browser, "On")
        await _until(lambda: not _is_off(site), "the switch in the ledger")

        site.score("P102", 0.4, 0.3, 0.28)
        await _sees(browser, "Normal", 1)
        await _press(browser, "Overview")
        await _sees(browser, "Normal", 3)
        site.stand_still("P103")
        await _sees(browser, "\N{EN DASH}", 1)
        await _sees(browser, "Function check", 1)
        await _picture(browser, pictures / "fuxa-still.png")
    await _sees(browser, "NO CONNECTION TO TAGSIGHT: nothing is known at present.", 1)
    await _picture(browser, pictures / "fuxa-cut-off.png")


async def _open_project(fuxa: Fuxa, site: Site, folder: Path) -> None:
    file = folder / "plant.yaml"
    file.write_text(site.configuration, encoding="utf-8")
    plan = load(file)
    tags = list(listed_tags(plan, {}))
    found = project(plan, tags)
    assert found["hmi"]["layout"]["start"] == OVERVIEW
    await asyncio.to_thread(fuxa.set_security, device_of(tags, "default"), USER, PASSWORD)
    await asyncio.to_thread(fuxa.post, "/api/project", found)


async def _let_in(site: Site) -> None:
    """FUXA's certificate is refused until an engineer has trusted it, once."""
    await _until(lambda: any(one.place == "rejected" for one in site.trust.list()), "FUXA's certificate")
    (refused,) = (one for one in site.trust.list() if one.place == "rejected")
    site.trust.add(refused.thumbprint)


async def _sees(browser: Browser, words: str, times: int) -> None:
    script = f"{SEEN.format(json.dumps(words))} === {times}"
    await _until_async(browser, script)


async def _until_async(browser: Browser, script: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(browser._true, script):
        assert time.monotonic() < deadline, f"never came: {script}"
        await asyncio.sleep(0.2)


async def _until(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < deadline, f"never came: {what}"
        await asyncio.sleep(0.1)


async def _press(browser: Browser, words: str) -> None:
    """Where an operator's finger would go: on the words, whatever lies over them."""
    place = (
        f"(() => {{ const one = [...document.querySelectorAll('svg text, svg button')].find(t => "
        f"t.getBoundingClientRect().width > 0 && t.textContent.trim() === {json.dumps(words)})"
        ".getBoundingClientRect(); "
        "return [one.x + one.width / 2, one.y + one.height / 2]; })()"
    )
    x, y = await asyncio.to_thread(browser.run, place)
    for kind in ("mousePressed", "mouseReleased"):
        event = {"type": kind, "x": x, "y": y, "button": "left", "clickCount": 1}
        await asyncio.to_thread(lambda event=event: browser.call("Input.dispatchMouseEvent", **event))


async def _picture(browser: Browser, file: Path) -> None:
    await asyncio.to_thread(browser.picture, file)


def _feedback(site: Site) -> int:
    state = site.ledger.operator_states().get("P102/Health")
    return 0 if state is None else state.feedback_count


def _is_off(site: Site) -> bool:
    state = site.ledger.operator_states().get("P102/Health")
    return state is not None and state.off

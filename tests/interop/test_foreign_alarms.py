"""Alarms of our tag server at an HMI that somebody else wrote: node-opcua's own list of alarms, over SignAndEncrypt."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.served_site import CONDITION, MODEL, PLAN, URI, Site, served_site

pytestmark = [pytest.mark.interop, pytest.mark.slow]


@pytest_asyncio.fixture
async def site(node_modules: Path, tmp_path: Path) -> AsyncIterator[Site]:
    async with served_site(node_modules, tmp_path) as made:
        yield made


async def test_an_alarm_becomes_active_is_acknowledged_with_a_comment_and_ends(site: Site) -> None:
    assert await site.client.ask("alarms") == 0
    site.score(1.4, 1.4)
    alarm = await site.client.heard(lambda one: bool(one["active_id"]))
    assert (alarm["active"], alarm["acked"], alarm["retain"]) == ("Active", "Unacknowledged", True)
    assert (alarm["condition"], alarm["severity"]) == (f"{MODEL}/Condition", 250)
    assert (alarm["source"], alarm["name"], alarm["quality"]) == (MODEL, MODEL, "Good")
    site.explain()
    alarm = await site.client.heard(lambda one: "Flow" in one["message"])

    answer = await site.client.ask("acknowledge", condition=CONDITION, event=alarm["event"], comment="filter is dirty")
    assert answer == "Good"
    alarm = await site.client.heard(lambda one: one["acked"] == "Acknowledged")
    assert (alarm["comment"], alarm["user"], alarm["confirmed"]) == ("filter is dirty", "olga", "Unconfirmed")
    (kept,) = site.ledger.activations(0, 2**62)
    assert (kept.acknowledged_by, kept.comment) == ("olga", "filter is dirty")

    assert await site.client.ask("confirm", condition=CONDITION, event=alarm["event"], comment="cleaned") == "Good"
    alarm = await site.client.heard(lambda one: one["confirmed"] == "Confirmed")
    (kept,) = site.ledger.activations(0, 2**62)
    assert kept.confirmed_by == "olga"
    remark = [["ByteString", alarm["event"]], ["LocalizedText", "ordered a new one"]]
    method = {"condition": CONDITION, "method": "ns=0;i=9029", "arguments": remark}
    assert await site.client.ask("call", **method) == "Good"
    await site.client.heard(lambda one: one["comment"] == "ordered a new one")
    said = [(one.by, one.comment) for one in site.ledger.comments(MODEL, kept.announced_ns)]
    assert said == [("olga", "filter is dirty"), ("olga", "cleaned"), ("olga", "ordered a new one")]

    site.score(0.2, 0.2)
    alarm = await site.client.heard(lambda one: one["active"] == "Inactive")
    assert alarm["retain"] is False
    assert site.ledger.verify_audit() == 3


async def test_who_connects_later_finds_the_alarm_by_a_refresh(site: Site) -> None:
    site.score(1.4, 1.4)
    await site.server.publish()
    await site.client.ask("alarms")
    alarm = await site.client.heard(lambda one: bool(one["active_id"]))
    assert alarm["condition"] == f"{MODEL}/Condition"


async def test_a_shelved_alarm_says_so_and_comes_back_by_itself(site: Site) -> None:
    await site.client.ask("alarms")
    site.score(1.4, 1.4)
    await site.client.heard(lambda one: bool(one["active_id"]))
    shelve = {"condition": CONDITION, "method": "ns=0;i=2949", "arguments": [["Double", 3_000.0]]}
    assert await site.client.ask("call", **shelve) == "Good"
    alarm = await site.client.heard(lambda one: one["shelving"] == "Timed Shelved")
    assert (alarm["suppressedOrShelved"], alarm["active"]) == (True, "Active")
    assert (await site.client.ask("read", node=f"nsu={URI};s={MODEL}/Alarm"))["value"] == 0
    alarm = await site.client.heard(lambda one: one["shelving"] == "Unshelved")
    assert alarm["suppressedOrShelved"] is False


async def test_a_latched_alarm_stays_until_the_operator_acknowledges_it(site: Site) -> None:
    latched = replace(PLAN, alarm=replace(PLAN.alarm, latch=True))
    await site.client.ask("alarms")
    site.score(1.4, 1.4, 0.2, 0.2, 0.2, plan=latched)
    alarm = await site.client.heard(lambda one: bool(one["active_id"]))
    assert [one.cleared_ns for one in site.ledger.activations(0, 2**62)] == [None]
    await site.client.ask("acknowledge", condition=CONDITION, event=alarm["event"], comment="seen")
    await site.client.heard(lambda one: one["acked"] == "Acknowledged")
    site.score(0.2, plan=latched)
    alarm = await site.client.heard(lambda one: one["active"] == "Inactive")
    assert alarm["retain"] is False

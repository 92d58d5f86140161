"""Live tags of our tag server at an HMI that somebody else wrote: node-opcua, over SignAndEncrypt."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.interop.served_site import MODEL, URI, Site, served_site
from tests.plugin.small_site import MINUTE, START

pytestmark = [pytest.mark.interop, pytest.mark.slow]

MS = 1_000_000
SCORE = f"nsu={URI};s={MODEL}/Score"
FEEDBACK = f"nsu={URI};s={MODEL}/Feedback"


@pytest_asyncio.fixture
async def site(node_modules: Path, tmp_path: Path) -> AsyncIterator[Site]:
    async with served_site(node_modules, tmp_path) as made:
        yield made


async def test_a_subscription_tells_every_score_in_order_with_its_source_time(site: Site) -> None:
    assert await site.client.ask("monitor", node=SCORE) == "Good"
    await site.client.ask("seen", count=1)  # the value that is there already
    scores = [0.25, 0.5, 0.75]
    for score in scores:
        site.score(score)
        await site.server.publish()
    _, *seen = await site.client.ask("seen", count=1 + len(scores))
    assert [one["value"] for one in seen] == scores
    assert [one["time_ms"] for one in seen] == [(START + minute * MINUTE) // MS for minute in range(len(scores))]
    assert {one["status"] for one in seen} == {0}


async def test_an_operators_feedback_acknowledges_and_its_tag_is_0_again(site: Site) -> None:
    await site.client.ask("alarms")
    site.score(1.4, 1.4)
    await site.client.heard(lambda one: bool(one["active_id"]))
    assert await site.client.ask("write", node=FEEDBACK, type="Int32", value=1) == "Good"
    alarm = await site.client.heard(lambda one: one["acked"] == "Acknowledged")
    assert (alarm["user"], alarm["comment"]) == ("olga", "feedback: true")
    assert (await site.client.ask("read", node=FEEDBACK))["value"] == 0
    (kept,) = site.ledger.activations(0, 2**62)
    assert (kept.acknowledged_by, kept.comment) == ("olga", "feedback: true")


async def test_who_may_not_write_a_result_is_told(site: Site) -> None:
    assert await site.client.ask("write", node=SCORE, type="Double", value=0.0) == "BadNotWritable"


async def test_range_and_definition_are_read_beside_the_value(site: Site) -> None:
    parts = {one["name"]: one["id"] for one in await site.client.ask("browse", node=SCORE, reference="HasProperty")}
    span = (await site.client.ask("read", node=parts["EURange"]))["value"]
    assert (span["low"], span["high"]) == (0, 2)
    assert (await site.client.ask("read", node=parts["Definition"]))["value"]

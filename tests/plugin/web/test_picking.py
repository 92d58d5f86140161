"""What the page Pick does, without the page."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from tagsight.clocks import SECOND
from tagsight.configuration import load
from tagsight.errors import ConfigurationError, NotAllowed
from tagsight.web import picking
from tagsight.web.background import Background, GivenUp
from tagsight.web.trend_chart import chart, height
from tagsight_connectors.errors import NotConnected
from tagsight_connectors.memory.store import MemoryStore
from tagsight_connectors.tag import DataType, Tag
from tests.plugin.web.edited_site import NOW, site_with, written

FILE = """\
timezone: Europe/Berlin    # of the plant
historian: {url: "memory://picked"}
results: {to: server}
templates:
  pump: {name: Health, inputs: ["{asset}/*"]}
models:
  - name: Health
    asset: P101
    inputs: ["P101/Flow"]    # more to come
  - {template: pump, asset: P102}
"""
MINUTE = 60 * SECOND


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore.named("picked")
    store.add(Tag("P101/Flow", "P101/Flow", unit="m³/h"))
    store.add(Tag("P101/Text", "P101/Text", data_type=DataType.TEXT))
    for number in range(5):
        store.add(Tag(f"P102/T{number}", f"P102/T{number}"))
    times = [NOW - 10_000 * MINUTE + number * MINUTE for number in range(10_000)]
    values = [float(number % 7) for number in range(10_000)]
    values[4_321] = 99.0
    store.append("P101/Flow", times, values)
    return store


async def test_what_is_browsed_stops_at_the_bound_and_says_that_there_is_more(
    store: MemoryStore, tmp_path: Path
) -> None:
    site = site_with(tmp_path, FILE)
    told: list[str] = []
    found = await picking.browse(site, load(site.file or Path()), "default", "**", told.append)
    assert (len(found.tree), found.complete) == (len(store.tags), True)
    some = await picking.browse(site, load(site.file or Path()), "default", "P102/*", told.append, most=3)
    assert (len(some.tree), some.complete) == (3, False)
    assert told


async def test_a_historian_that_is_down_while_browsing_is_an_error_with_a_mend(tmp_path: Path) -> None:
    site = site_with(
        tmp_path, FILE.replace("memory://picked", "opc.tcp://127.0.0.1:4999").replace('"}', '", anonymous: true}', 1)
    )
    with pytest.raises(NotConnected) as raised:
        await picking.browse(site, load(site.file or Path()), "default", "**", lambda _: None)
    assert "firewall" in raised.value.mend


async def test_a_trend_keeps_its_peak_and_one_without_data_is_empty(store: MemoryStore, tmp_path: Path) -> None:
    site = site_with(tmp_path, FILE)
    span = NOW - 20_000 * MINUTE, NOW
    flow, empty = await picking.trends(
        site, load(site.file or Path()), "default", list(store.tags)[:3], span, lambda _: None
    )
    assert (flow.stored, empty.stored) == (10_000, 0)
    assert len(flow.times) < 3_000
    assert float(np.max(flow.values)) == 99.0
    options = chart([flow, empty], span, load(site.file or Path()).timezone)
    assert [len(one["data"]) > 0 for one in options["series"]] == [True, False]
    assert height(2) > height(1)


async def test_a_pick_becomes_inputs_of_a_model_and_comments_stay(store: MemoryStore, tmp_path: Path) -> None:
    site = site_with(tmp_path, FILE)
    odd = picking.as_input(Tag("ns=2;s=odd", "P101/What?"))
    assert odd == "ns=2;s=odd"
    picking.add_to_model(site, "P101/Health", ["P101/Flow", "P102/T1", odd], "emil")
    assert load(site.file or Path()).models[0].inputs == ("P101/Flow", "P102/T1", odd)
    assert "# more to come" in written(site)
    with pytest.raises(NotAllowed, match="already"):
        picking.add_to_model(site, "P101/Health", ["P102/T1"], "emil")
    with pytest.raises(NotAllowed, match="template"):
        picking.add_to_model(site, "P102/Health", ["P102/T1"], "emil")


async def test_a_pick_becomes_a_new_model_unless_it_could_not_be_used(tmp_path: Path) -> None:
    site = site_with(tmp_path, FILE)
    assert picking.models_of(FILE) == ["P101/Health"]
    picking.add_model(site, "default", "K301", "Health", ["P101/Flow"], who="emil")
    assert [model.key for model in load(site.file or Path()).models] == ["P101/Health", "P102/Health", "K301/Health"]
    before = written(site)
    with pytest.raises(ConfigurationError):
        picking.add_model(site, "default", "", "Health", ["P101/Flow"], who="emil")
    assert written(site) == before


async def test_work_in_the_background_is_given_up_when_it_is_cancelled() -> None:
    background, begun = Background(), asyncio.Event()
    loop = asyncio.get_running_loop()

    async def forever() -> None:
        loop.call_soon_threadsafe(begun.set)
        await asyncio.Event().wait()

    running = asyncio.ensure_future(background.run(forever))
    await asyncio.wait_for(begun.wait(), 30)
    with pytest.raises(NotAllowed, match="still at it"):
        await background.run(forever)
    background.cancel()
    with pytest.raises(GivenUp):
        await running

    async def quick() -> int:
        return 7

    assert await background.run(quick) == 7

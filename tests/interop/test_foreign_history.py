"""History and structure of our tag server as somebody else's client reads them: pages, bounds, backwards, types."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tagsight.output_tags import output_tags
from tests.interop.served_site import MODEL, URI, Site, served_site
from tests.plugin.small_site import MINUTE, START

pytestmark = [pytest.mark.interop, pytest.mark.slow]

COUNT = 25
SCORES = [round(0.01 * minute, 2) for minute in range(COUNT)]
SCORE = f"nsu={URI};s={MODEL}/Score"
BAD_BOUND_NOT_FOUND = 0x80D70000


def minute_ms(minute: float) -> int:
    return int(START + minute * MINUTE) // 1_000_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(node_modules: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with served_site(node_modules, tmp_path_factory.mktemp("site")) as made:
        made.score(*SCORES)
        await made.server.publish()
        yield made


async def read(site: Site, start: float | None, end: float | None, **wanted: Any) -> tuple[list[Any], list[int]]:
    """Values, page by page, and the length of each page."""
    asked = {"node": SCORE, **wanted}
    if start is not None:
        asked["start_ms"] = minute_ms(start)
    if end is not None:
        asked["end_ms"] = minute_ms(end)
    values, pages, point = [], [], ""
    while True:
        page = await site.client.ask("history", **asked, point=point)
        assert page["status"] in {"Good", "GoodNoData"}
        values += page["values"]
        pages.append(len(page["values"]))
        point = page["point"]
        if not point:
            return values, pages


pytestmark.append(pytest.mark.asyncio(loop_scope="module"))


async def test_a_long_history_comes_in_pages_without_loss_or_double(site: Site) -> None:
    values, pages = await read(site, 0, COUNT, most=10)
    assert [one["value"] for one in values] == SCORES
    assert [one["time_ms"] for one in values] == [minute_ms(minute) for minute in range(COUNT)]
    assert (pages, {one["status"] for one in values}) == ([10, 10, 5], {0})


async def test_backwards_the_newest_comes_first_and_the_end_is_not_part_of_it(site: Site) -> None:
    values, pages = await read(site, COUNT - 1, 0, most=10)
    assert [one["value"] for one in values] == SCORES[:0:-1]
    assert pages == [10, 10, 4]


async def test_without_an_end_so_many_values_as_asked_come_from_the_start(site: Site) -> None:
    values, _ = await read(site, 3, None, most=4)
    assert [one["value"] for one in values] == SCORES[3:7]


async def test_without_a_start_so_many_values_as_asked_come_before_the_end(site: Site) -> None:
    values, _ = await read(site, None, 20, most=3)
    assert [one["value"] for one in values] == [SCORES[20], SCORES[19], SCORES[18]]


async def test_bounds_are_the_values_just_outside(site: Site) -> None:
    values, _ = await read(site, 2.5, 5.5, bounds=True)
    assert [one["value"] for one in values] == SCORES[2:7]


async def test_bounds_backwards_are_the_values_just_outside(site: Site) -> None:
    values, _ = await read(site, 5.5, 2.5, bounds=True)
    assert [one["value"] for one in values] == SCORES[6:1:-1]


async def test_bounds_in_pages_are_those_of_the_whole(site: Site) -> None:
    values, pages = await read(site, 2.5, 12.5, bounds=True, most=4)
    assert [one["value"] for one in values] == SCORES[2:14]
    assert len(pages) == 3


async def test_a_bound_that_there_is_not_is_told_with_its_time(site: Site) -> None:
    values, _ = await read(site, -1, 1, bounds=True)
    assert [one["status"] for one in values] == [BAD_BOUND_NOT_FOUND, 0, 0]
    assert values[0]["time_ms"] == minute_ms(-1)


async def test_a_time_without_values_is_good_without_data(site: Site) -> None:
    page = await site.client.ask("history", node=SCORE, start_ms=minute_ms(100), end_ms=minute_ms(200))
    assert (page["status"], page["values"], page["point"]) == ("GoodNoData", [], "")


async def test_a_released_point_is_gone(site: Site) -> None:
    asked = {"node": SCORE, "start_ms": minute_ms(0), "end_ms": minute_ms(COUNT), "most": 10}
    page = await site.client.ask("history", **asked)
    await site.client.ask("history", **asked, point=page["point"], release=True)
    again = await site.client.ask("history", **asked, point=page["point"])
    assert again["status"] == "BadContinuationPointInvalid"


async def test_a_model_is_browsed_as_an_instance_of_its_type(site: Site) -> None:
    (health,) = [one for one in await site.client.ask("browse", node=f"nsu={URI};s=P101/") if one["name"] == "Health"]
    assert health["type"].endswith("s=HealthModelType")
    parts = await site.client.ask("browse", node=f"nsu={URI};s={MODEL}/", reference="HasComponent")
    assert {one["name"] for one in parts} == {tag.output for tag in output_tags(MODEL, (), detail=False)}

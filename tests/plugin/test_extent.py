"""Which period is proposed where one has no values."""

from zoneinfo import ZoneInfo

import pytest

from tagsight.clocks import SECOND
from tagsight.extent import as_setting, extent
from tagsight_connectors.history import Span
from tagsight_connectors.memory import MemoryHistorian, MemoryStore
from tagsight_connectors.tag import Tag

BERLIN = ZoneInfo("Europe/Berlin")
NEW_YEAR = 1_767_222_000 * SECOND  # 2026-01-01 00:00 in Berlin
DAY = 86_400 * SECOND


async def test_the_extent_reaches_from_the_earliest_to_the_newest_value_of_all_tags() -> None:
    store = MemoryStore("plant", now_ns=lambda: 10 * DAY)
    for name, times in (("Flow", [5 * SECOND, 7 * SECOND]), ("Level", [6 * SECOND, 9 * SECOND]), ("Quiet", [])):
        store.add(Tag(name, name))
        store.append(name, times, [1.0] * len(times))
    historian = MemoryHistorian(store)
    await historian.connect()
    assert await extent(historian, ["Flow", "Level", "Quiet"]) == Span(5 * SECOND, 9 * SECOND + 1)
    assert await extent(historian, ["Quiet"]) is None
    assert await extent(historian, []) is None


@pytest.mark.parametrize(
    ("span", "setting"),
    [
        pytest.param(Span(NEW_YEAR, NEW_YEAR + 30 * DAY), 'from: "2026-01-01", to: "2026-02-01"', id="days"),
        pytest.param(
            Span(NEW_YEAR + SECOND, NEW_YEAR + 3_601 * SECOND),
            'from: "2026-01-01", to: "2026-01-01 01:01"',
            id="an-hour",
        ),
        pytest.param(
            Span(1_792_891_800 * SECOND, 1_792_891_860 * SECOND),  # the clocks go back
            'from: "2026-10-25 02:30+01:00", to: "2026-10-25 02:32+01:00"',
            id="a-time-that-exists-twice",
        ),
    ],
)
def test_a_period_is_written_so_that_it_covers_the_values(span: Span, setting: str) -> None:
    assert as_setting(span, BERLIN) == setting

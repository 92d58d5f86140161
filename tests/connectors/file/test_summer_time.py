from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import MalformedData
from tagsight_connectors.file.historian import open_file
from tagsight_connectors.file.summer_time import WallClock
from tagsight_connectors.history import Span
from tagsight_connectors.reading import read_history

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Sydney"]


def hours(zone: str, first: str, last: str, every: str) -> tuple[list[str], list[int]]:
    utc = pd.date_range(first, last, freq=every, tz="UTC")
    wall = [str(time) for time in utc.tz_convert(zone).tz_localize(None)]
    return wall, utc.as_unit("ns").asi8.tolist()


async def times_of(path: Path, zone: str, lines: list[str], query: str = "") -> list[int]:
    path.write_text("\n".join(lines))  # noqa: ASYNC240 - a test may wait for its own file
    historian = open_file(Connection(path.as_uri() + query, timezone=zone))
    await historian.connect()
    times: list[int] = (await read_history(historian, ["A"], Span(0, 2**62))).tags["A"].times.tolist()
    return times


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("every", ["5min", "1h"])
@pytest.mark.parametrize("newest_first", [False, True], ids=["oldest-first", "newest-first"])
async def test_local_times_become_utc_through_both_changes_of_the_clock(
    tmp_path: Path, zone: str, every: str, *, newest_first: bool
) -> None:
    wall: list[str] = []
    utc: list[int] = []
    for first, last in (("2024-03-30", "2024-04-08"), ("2024-10-25", "2024-11-05")):
        part = hours(zone, first, last, every)
        wall, utc = wall + part[0], utc + part[1]
    lines = wall[::-1] if newest_first else wall
    assert await times_of(tmp_path / "x.csv", zone, ["time,A", *(f"{line},1" for line in lines)]) == utc


async def test_each_tag_of_a_long_file_passes_the_repeated_hour_by_itself(tmp_path: Path) -> None:
    wall, utc = hours("Europe/Berlin", "2024-10-26 22:00", "2024-10-27 04:00", "15min")
    rows = [f"{time},{tag},1" for tag in "AB" for time in wall]
    assert await times_of(tmp_path / "x.csv", "Europe/Berlin", ["time,tag,value", *rows]) == utc


async def test_an_hour_that_nothing_tells_apart_is_an_error_until_it_is_laid_down(tmp_path: Path) -> None:
    lines = ["time,A", "2024-10-27 01:30:00,1", "2024-10-27 02:30:00,2", "2024-10-27 03:30:00,3"]
    with pytest.raises(MalformedData, match="exists twice in Europe/Berlin") as raised:
        await times_of(tmp_path / "x.csv", "Europe/Berlin", lines)
    assert "ambiguous=first" in raised.value.mend
    first = await times_of(tmp_path / "x.csv", "Europe/Berlin", lines, "?ambiguous=first")
    second = await times_of(tmp_path / "x.csv", "Europe/Berlin", lines, "?ambiguous=second")
    assert second[1] - first[1] == 3600 * 10**9


async def test_a_time_that_no_clock_shows_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MalformedData, match="no clock in Europe/Berlin shows") as raised:
        await times_of(tmp_path / "x.csv", "Europe/Berlin", ["time,A", "2024-03-31 02:30:00,1"])
    assert "timezone=UTC" in raised.value.mend


@given(st.sampled_from(ZONES), st.integers(0, 2_000_000_000), st.integers(1, 3600), st.integers(1, 40))
def test_steps_across_any_blocks_give_the_utc_they_came_from(zone: str, start: int, step: int, cut: int) -> None:
    utc = pd.DatetimeIndex(pd.to_datetime([start + step * number for number in range(80)], unit="s", utc=True))
    wall = utc.tz_convert(zone).tz_localize(None).as_unit("ns").asi8
    clock = WallClock("x", ZoneInfo(zone), "order")
    parts = [wall[:cut], wall[cut:]]
    found = [time for part in parts for time in clock.to_utc(part, clock.first_passes(part)).tolist()]
    covers_both = step <= 1800
    told = all(state.told_apart for state in clock._passes.values())
    whole = utc.as_unit("ns").asi8.tolist()
    assert found == whole or not told or not covers_both

import asyncio
import random
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import LimitExceeded
from tagsight_connectors.file import limits
from tagsight_connectors.file.historian import FileHistorian, open_file
from tagsight_connectors.history import History, Span
from tagsight_connectors.reading import read_history

DAY = 86_400 * 10**9
START = 20_000 * DAY


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "BLOCK_BYTES", 200)
    monkeypatch.setattr(limits, "BLOCK_ROWS", 7)
    monkeypatch.setattr(limits, "PAGE_VALUES", 5)


async def reopen(path: Path) -> FileHistorian:
    historian = open_file(Connection(path.as_uri()))
    await historian.connect()
    return historian


def rows_in(order: str) -> list[int]:
    days = list(range(60))
    if order == "random":
        random.Random(1).shuffle(days)
    return days[::-1] if order == "newest-first" else days


def values_of(history: History, address: str) -> list[float | str | None]:
    found: list[float | str | None] = list(history.tags[address].values)
    return found


def iso(day: int) -> str:
    return str(np.datetime64(START + day * DAY, "ns"))


@pytest.mark.parametrize("order", ["oldest-first", "newest-first", "random"])
@pytest.mark.parametrize("layout", ["wide", "long", "parquet"])
async def test_blocks_in_any_order_give_the_same_history(tmp_path: Path, layout: str, order: str) -> None:
    days = rows_in(order)
    path = tmp_path / ("export.parquet" if layout == "parquet" else "export.csv")
    if layout == "wide":
        path.write_text("time,A,B\n" + "".join(f"{iso(day)},{day},{-day}\n" for day in days))
    elif layout == "long":
        path.write_text("time,tag,value\n" + "".join(f"{iso(d)},A,{d}\n{iso(d)},B,{-d}\n" for d in days))
    else:
        times = pd.to_datetime([iso(day) for day in days])
        table = pd.DataFrame({"time": times, "A": [float(day) for day in days], "B": [-float(day) for day in days]})
        table.to_parquet(path, row_group_size=20)
    found = await read_history(await reopen(path), ["B", "A"], Span(START + DAY, START + 50 * DAY))
    assert values_of(found, "A") == [float(day) for day in range(1, 50)]
    assert values_of(found, "B") == [-float(day) for day in range(1, 50)]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from("ABC")), min_size=1, max_size=60))
async def test_equal_times_keep_the_order_of_the_file_across_blocks(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, str]]
) -> None:
    path = tmp_path_factory.mktemp("order") / "export.csv"
    lines = [f"{iso(day)},{tag},{number}" for number, (day, tag) in enumerate(rows)]
    path.write_text("\n".join(["time,tag,value", *lines]))
    tags = sorted({tag for _, tag in rows})
    found = await read_history(await reopen(path), tags, Span(0, 2**62))
    for name in tags:
        expected = sorted(((day, number) for number, (day, tag) in enumerate(rows) if tag == name), key=lambda r: r[0])
        assert values_of(found, name) == [float(number) for _, number in expected]


async def test_a_line_break_within_quotes_does_not_cut_a_block(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    text = '"two\nlines, one cell"'
    path.write_text("time,A,Text\n" + "".join(f"{iso(day)},{day},{text}\n" for day in range(40)))
    found = await read_history(await reopen(path), ["A", "Text"], Span(0, 2**62))
    assert len(found.tags["A"]) == 40
    assert values_of(found, "Text")[39] == "two\nlines, one cell"


async def test_two_reads_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    path = tmp_path / "export.parquet"
    rising = [float(number) for number in range(300)]
    times = pd.to_datetime(np.arange(300) * DAY)
    pd.DataFrame({"time": times, "A": rising, "B": [-number for number in rising]}).to_parquet(path)
    historian = await reopen(path)
    reads = [read_history(historian, [name], Span(0, 2**62)) for name in "ABABAB"]
    for name, found in zip("ABABAB", await asyncio.gather(*reads), strict=True):
        assert values_of(found, name) == [number if name == "A" else -number for number in rising]


async def test_pages_are_bounded_and_ascending(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    path.write_text("time,A\n" + "".join(f"{iso(day)},{day}\n" for day in rows_in("random")))
    last = 0
    async for page in (await reopen(path)).read_raw(["A"], Span(0, 2**62)):
        assert len(page.history) <= 5
        assert page.history.times[0] >= last
        last = int(page.history.times[-1])


async def test_more_disorder_than_memory_allows_is_an_error_that_says_to_sort(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SORTED_VALUES", 30)
    path = tmp_path / "export.csv"
    path.write_text("time,A\n" + "".join(f"{iso(day)},{day}\n" for day in rows_in("random")))
    with pytest.raises(LimitExceeded, match="60 found") as raised:
        await read_history(await reopen(path), ["A"], Span(0, 2**62))
    assert "Sort" in raised.value.mend


async def test_a_line_longer_than_allowed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "LONGEST_LINE", 300)
    path = tmp_path / "export.csv"
    path.write_text("time,A\n" + f'{iso(1)},"' + "x" * 2000)
    with pytest.raises(LimitExceeded, match="bytes of one line"):
        await reopen(path)

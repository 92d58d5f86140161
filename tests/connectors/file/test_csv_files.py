from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import LimitExceeded, MalformedData, NotConnected
from tagsight_connectors.file import limits
from tagsight_connectors.file.historian import FileHistorian, open_file
from tagsight_connectors.history import History, Span
from tagsight_connectors.quality import (
    BAD,
    BAD_NO_COMMUNICATION,
    BAD_NO_DATA,
    BAD_OUT_OF_RANGE,
    GOOD,
    UNCERTAIN,
    qualities_of,
)
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import DataType

EVERYTHING = Span(0, 2**62)
SECOND = 10**9
Opener = Callable[..., Awaitable[FileHistorian]]
PETROBRAS = Path(__file__).parents[2] / "data" / "petrobras_process" / "real_process_data.csv"


@pytest.fixture
def opened(tmp_path: Path) -> Opener:
    async def open_text(text: str | bytes, query: str = "", timezone: str = "UTC") -> FileHistorian:
        path = tmp_path / "export.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        historian = open_file(Connection(f"{path.as_uri()}{query}", timezone=timezone))
        await historian.connect()
        return historian

    return open_text


async def everything(historian: FileHistorian) -> History:
    return await read_history(historian, [tag.address async for tag in historian.browse()], EVERYTHING)


async def test_a_wide_file_with_units_and_text_states_is_read(opened: Opener) -> None:
    historian = await opened(
        "time,Speed [rpm],Mode\n2020-01-01 00:00:00,1480.5,AUTO\n2020-01-01 00:01:00,I/O Timeout,MAN\n"
        "2020-01-01 00:02:00,,AUTO\n2020-01-01 00:03:00,Inp OutRange,AUTO\n"
    )
    tags = {tag.name: tag async for tag in historian.browse()}
    assert (tags["Speed"].unit, tags["Speed"].data_type) == ("rpm", DataType.NUMBER)
    assert tags["Mode"].data_type is DataType.TEXT
    speed = (await everything(historian)).tags["Speed"]
    assert speed.status.tolist() == [GOOD, BAD_NO_COMMUNICATION, BAD_OUT_OF_RANGE]
    assert speed.values[0] == 1480.5
    assert np.isnan(speed.values[1:]).all()


async def test_a_long_file_with_qualities_is_read(opened: Opener) -> None:
    historian = await opened(
        "Tag;Timestamp;Value;Quality\nA;2020-01-01T00:00:00Z;1,5;192\nB;2020-01-01T00:00:00Z;on;192\n"
        "A;2020-01-01T01:00:00+01:00;2,5;64\nA;2020-01-01T00:00:02Z;;24\nA;2020-01-01T00:00:03Z;;192\n"
    )
    tags = (await everything(historian)).tags
    assert tags["A"].status.tolist() == [GOOD, UNCERTAIN, BAD_NO_COMMUNICATION, BAD_NO_DATA]
    assert tags["A"].values[:2].tolist() == [1.5, 2.5]
    assert tags["B"].values.tolist() == ["on"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("t;a;b\n01.02.2020 00:00:05;1,5;2\n01.02.2020 00:00:06;1,25;2\n", id="semicolon-decimal-comma"),
        pytest.param("t\ta\tb\n2020-02-01 00:00:05\t1.5\t2\n2020-02-01 00:00:06\t1.25\t2\n", id="tab"),
        pytest.param('"t","a","b"\n"2020-02-01 00:00:05","1.5","2"\n"2020-02-01 00:00:06","1.25","2"\n', id="quoted"),
        pytest.param("\ufefft,a,b\r\n1580515205,1.5,2\r\n1580515206,1.25,2\r\n", id="bom-epoch-crlf"),
        pytest.param("t,a,b\n1580515205000,1.5,2\n1580515206000,1.25,2", id="milliseconds-no-last-line-break"),
        pytest.param("t|a|b\n2/13/2020 1:00:05 PM|1.5|2\n2/13/2020 1:00:06 PM|1.25|2\n", id="american"),
        pytest.param("t,a,b\n01-Feb-20 00:00:05,1.5,2\n01-Feb-20 00:00:06,1.25,2\n", id="month-by-name"),
        pytest.param("t,a,b\n2020-02-01 01:00:05+01:00,1.5,2\n2020-02-01 00:00:06Z,1.25,2\n", id="offsets"),
        pytest.param("t,a,b\n2020-02-01 00:00:05,1.5,2\n2020-02-01 00:00:06,1.25,2\n".encode("utf-16"), id="utf-16"),
    ],
)
async def test_separators_decimals_encodings_and_times_are_found(opened: Opener, text: str | bytes) -> None:
    a = (await everything(await opened(text))).tags["a"]
    assert a.values.tolist() == [1.5, 1.25]
    assert a.times.tolist() in (
        [1580515205 * SECOND, 1580515206 * SECOND],
        [1581598805 * SECOND, 1581598806 * SECOND],
    )


async def test_a_quoted_line_break_at_the_end_of_the_sample_does_not_mislead(opened: Opener) -> None:
    lines = "".join(f'2020-01-{day:02},"one;\ntwo"\n' for day in range(1, 20))
    history = await everything(await opened("time,Text\n" + lines))
    assert set(history.tags["Text"].values) == {"one;\ntwo"}


async def test_windows_1252_units_are_read(opened: Opener) -> None:
    historian = await opened("Zeit;Temperatur [\xb0C]\n2020-01-01;21,5\n2020-01-02;22,5\n".encode("cp1252"))
    assert [tag.unit async for tag in historian.browse()] == ["\xb0C"]


async def test_qualities_stand_in_a_column_beside_their_tag(opened: Opener) -> None:
    text = "time,A,A_Quality,B\n2020-01-01,1,Good,5\n2020-01-02,2,Bad,6\n2020-01-03,,Bad,7\n2020-01-04,,,8\n"
    history = await everything(await opened(text))
    assert list(history.tags) == ["A", "B"]
    assert history.tags["A"].status.tolist() == [GOOD, BAD, BAD]
    assert history.tags["A"].values[:2].tolist() == [1.0, 2.0]


async def test_a_good_quality_does_not_make_a_value_of_a_text_state(opened: Opener) -> None:
    text = "time,A,A_Quality\n2020-01-01,1,Good\n2020-01-02,Scan Timeout,Good\n2020-01-03,3,Uncertain\n"
    found = (await everything(await opened(text))).tags["A"]
    assert found.status.tolist() == [GOOD, BAD_NO_COMMUNICATION, UNCERTAIN]


async def test_unsorted_and_duplicated_times_are_sorted_stably_kept_and_counted(opened: Opener) -> None:
    historian = await opened("time,A\n2020-01-02,1\n2020-01-01,2\n2020-01-02,3\n2020-01-03,4\n")
    assert (await everything(historian)).tags["A"].values.tolist() == [2.0, 1.0, 3.0, 4.0]
    product = (await historian.describe()).product
    assert "1 rows stand before an earlier one" in product
    assert "1 times are there more than once" in product


async def test_columns_of_equal_name_are_all_there(opened: Opener) -> None:
    history = await everything(await opened("time,A,A,B\n2020-01-01,1,2,3\n2020-01-02,4,5,6\n"))
    assert {name: tag.values.tolist() for name, tag in history.tags.items()} == {
        "A": [1.0, 4.0],
        "A (2)": [2.0, 5.0],
        "B": [3.0, 6.0],
    }


async def test_a_column_of_states_only_is_an_all_bad_number(opened: Opener) -> None:
    historian = await opened("time,A,B\n2020-01-01,Bad,1\n2020-01-02,Comm Fail,2\n")
    (tag, _) = [tag async for tag in historian.browse()]
    assert tag.data_type is DataType.NUMBER
    assert tag.description == "states: Bad (1), Comm Fail (1)"
    assert (qualities_of((await everything(historian)).tags["A"].status) == 2).all()


async def test_booleans_are_ones_and_zeros_and_infinities_stay(opened: Opener) -> None:
    historian = await opened("time,On,X\n2020-01-01,true,inf\n2020-01-02,False,NaN\n2020-01-03,,1e308\n")
    tags = {tag.name: tag.data_type async for tag in historian.browse()}
    assert tags == {"On": DataType.BOOLEAN, "X": DataType.NUMBER}
    history = await everything(historian)
    assert history.tags["On"].values.tolist() == [1.0, 0.0]
    assert history.tags["X"].status.tolist() == [GOOD, BAD_NO_DATA, GOOD]


async def test_texts_that_look_like_numbers_keep_their_form(opened: Opener) -> None:
    history = await everything(await opened("time,Batch\n2020-01-01,007\n2020-01-02,X12\n2020-01-03,X13\n"))
    assert history.tags["Batch"].values.tolist() == ["007", "X12", "X13"]


@pytest.mark.parametrize(
    ("text", "query", "message"),
    [
        pytest.param("time,A\n03/04/2020 00:00,1\n04/04/2020 00:00,2\n", "", "day or with the month", id="ambiguous"),
        pytest.param("time,A\n2020-01-01,1\nyesterday 12:00:00,2\n", "", "where a time should", id="bad-row"),
        pytest.param("time,A\nfoo,1\nbar,2\n", "", "no way known", id="no-times"),
        pytest.param("time,A\n", "", "no times below", id="no-rows"),
        pytest.param("", "", "no header", id="empty"),
        pytest.param("just a text\nwithout columns\n", "", "only one column", id="one-column"),
        pytest.param("time,A\n2020-01-01,1,2,3\n2020-01-02,1\n", "", "more than 2 fields", id="too-many-fields"),
        pytest.param("time,A\n2020-01-01,1\n2020-01-02,1,5\n", "", "more than 2 fields", id="decimal-comma"),
        pytest.param("time,A\n2020-01-01,1\n", "?time=when", "no column 'when'", id="unknown-column"),
        pytest.param("time,A\n2020-01-01,1\n", "?layout=long", "needs columns", id="not-long"),
        pytest.param("time,A\n2020-01-01,1\n", "?timezone=Mars/Base", "unknown time zone", id="zone"),
        pytest.param("time,A\n2020-01-01,1\n", "?encoding=klingon", "unknown encoding", id="encoding"),
        pytest.param(
            "time,A\n2020-01-01Z,1\n2020-01-01 00:00:00,1\n2020-01-01 00:00:00Z,1\n", "", "offset", id="mixed"
        ),
    ],
)
async def test_what_cannot_be_read_is_an_error_with_its_mend(
    opened: Opener, text: str, query: str, message: str
) -> None:
    with pytest.raises(MalformedData, match=message) as raised:
        await opened(text, query)
    assert raised.value.mend


@pytest.mark.parametrize("query", ["?colour=red", "?layout=round", "?skip=-1", "?separator=abc", "?ambiguous=maybe"])
async def test_an_unknown_setting_or_value_in_the_url_is_an_error(opened: Opener, query: str) -> None:
    with pytest.raises(MalformedData) as raised:
        await opened("time,A\n2020-01-01,1\n", query)
    assert query[1:].partition("=")[0] in str(raised.value)


async def test_rows_without_a_readable_time_are_left_out_and_counted_where_that_was_asked_for(opened: Opener) -> None:
    text = "time,A\n2020-01-01,1\n2020-01-02,2\n9999-12-31,3\n(2 rows affected),\n"
    historian = await opened(text, "?unreadable=skip")
    assert (await everything(historian)).tags["A"].values.tolist() == [1.0, 2.0]
    assert "2 rows without a readable time" in (await historian.describe()).product


async def test_settings_override_what_would_be_found(opened: Opener) -> None:
    text = "export of 3 tags\nwhen,value,tag\n03/04/2020 00:00,1,7\n04/04/2020 00:00,2,8\n"
    historian = await opened(text, "?skip=1&layout=wide&time=when&dayfirst=true&timezone=Europe/Berlin")
    history = await everything(historian)
    assert list(history.tags) == ["value", "tag"]
    assert history.tags["value"].times[0] == np.datetime64("2020-04-02T22:00:00", "ns").view(np.int64)


async def test_a_file_that_changes_is_read_anew(opened: Opener, tmp_path: Path) -> None:
    historian = await opened("time,A\n2020-01-01,1\n2020-01-02,2\n")
    with (tmp_path / "export.csv").open("a") as file:
        file.write("2020-01-03,3\n")
    assert (await historian.read_current(["A"]))[0].value == 3.0


async def test_a_missing_file_is_not_connected() -> None:
    historian = open_file(Connection("file:///nowhere/export.csv"))
    with pytest.raises(NotConnected, match="no such file"):
        await historian.connect()


async def test_too_many_columns_are_refused(opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "COLUMNS", 3)
    with pytest.raises(LimitExceeded, match="4 found, at most 3"):
        await opened("time,A,B,C\n2020-01-01,1,2,3\n")


async def test_the_files_of_a_folder_are_one_historian(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_text("time,A,B\n2020-01-03,3,30\n2020-01-04,4,40\n")
    (tmp_path / "2.csv").write_text("time,A,C\n2020-01-01,1,100\n2020-01-02,2,200\n")
    (tmp_path / "x.results.csv").write_text("time,tag,value,quality,status,type\n")
    historian = open_file(Connection(tmp_path.as_uri()))
    await historian.connect()
    history = await everything(historian)
    assert history.tags["A"].values.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert list(history.tags) == ["A", "B", "C"]


async def test_a_real_export_is_read_with_its_states() -> None:
    historian = open_file(Connection(PETROBRAS.as_uri()))
    await historian.connect()
    history = await everything(historian)
    assert len(history.tags) == 108
    assert sum(len(tag) for tag in history.tags.values()) == 3169 * 108
    bad = {name: int((tag.status != GOOD).sum()) for name, tag in history.tags.items() if (tag.status != GOOD).any()}
    assert bad == {"tag2": 156, "tag34": 14, "tag36": 1, "tag70": 326, "tag72": 1}
    assert history.tags["tag100"].times[0] == np.datetime64("2017-12-24T00:00:00", "ns").view(np.int64)

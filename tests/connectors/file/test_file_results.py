from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_connectors.connection import Connection
from tagsight_connectors.errors import AccessRefused, MalformedData, WriteNotAllowed
from tagsight_connectors.file.historian import FileHistorian, open_file
from tagsight_connectors.file.results import ResultsFile
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.quality import BAD_NOT_WRITABLE, GOOD, UNCERTAIN
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Access, DataType

SCORE = "P101/Health/Score"
EVERYTHING = Span(-(2**62), 2**62)


@pytest.fixture
async def historian(tmp_path: Path) -> FileHistorian:
    (tmp_path / "export.csv").write_text("time,Speed\n2020-01-01,1\n2020-01-02,2\n")
    url = (tmp_path / "export.csv").as_uri()
    opened = open_file(Connection(url, accepted=frozenset({SCORE, "P101/Health/Message", "Speed"})))
    await opened.connect()
    return opened


async def test_results_are_read_back_as_tags_beside_the_export(historian: FileHistorian, tmp_path: Path) -> None:
    message = 'Bad, "quoted"\nand a second line'
    await historian.write([Sample(SCORE, 7, 0.1, UNCERTAIN), Sample("P101/Health/Message", 7, message, GOOD)])
    assert (tmp_path / "export.results.csv").read_text().startswith("time,tag,value,quality,status,type\n1970-01-01T")
    tags = {tag.address: tag async for tag in historian.browse("P101/**")}
    assert tags[SCORE].access & Access.WRITE
    assert tags["P101/Health/Message"].data_type is DataType.TEXT
    history = await read_history(historian, list(tags), EVERYTHING)
    assert (history.tags[SCORE].values.tolist(), history.tags[SCORE].status.tolist()) == ([0.1], [UNCERTAIN])
    assert history.tags["P101/Health/Message"].values.tolist() == [message]
    assert (await historian.read_current([SCORE]))[0] == Sample(SCORE, 7, 0.1, UNCERTAIN)


async def test_tags_of_the_export_itself_are_not_writable(historian: FileHistorian) -> None:
    outcomes = await historian.write([Sample("Speed", 7, 1.0, GOOD), Sample(SCORE, 7, 1.0, GOOD)])
    assert [outcome.status for outcome in outcomes] == [BAD_NOT_WRITABLE, GOOD]


async def test_nothing_is_written_that_was_not_accepted(historian: FileHistorian, tmp_path: Path) -> None:
    with pytest.raises(WriteNotAllowed):
        await historian.write([Sample(SCORE, 7, 1.0, GOOD), Sample("elsewhere", 7, 1.0, GOOD)])
    assert not (tmp_path / "export.results.csv").exists()


async def test_a_folder_that_cannot_be_written_is_an_error_with_its_mend(tmp_path: Path) -> None:
    results = ResultsFile(tmp_path / "gone" / "export.results.csv")
    with pytest.raises(AccessRefused, match="writing results") as raised:
        results.append([Sample(SCORE, 7, 1.0, GOOD)])
    assert "account" in raised.value.mend


def test_a_line_torn_by_a_crash_is_cut_off_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "export.results.csv"
    ResultsFile(path).append([Sample(SCORE, 1, 1.0, GOOD), Sample(SCORE, 2, 2.0, GOOD)])
    path.write_bytes(path.read_bytes()[:-9])
    again = ResultsFile(path)
    assert again.newest(SCORE) == Sample(SCORE, 1, 1.0, GOOD)
    again.append([Sample(SCORE, 3, 3.0, GOOD)])
    ((_, history),) = again.histories([SCORE], EVERYTHING)
    assert history.times.tolist() == [1, 3]


def test_a_file_of_results_changed_by_hand_is_an_error_and_not_a_guess(tmp_path: Path) -> None:
    path = tmp_path / "export.results.csv"
    path.write_text("time,tag,value,quality,status,type\nyesterday,a,1,Good,0x0,number\n")
    with pytest.raises(MalformedData, match="not a line of results"):
        list(ResultsFile(path).tags())


values = st.one_of(st.none(), st.floats(allow_nan=False))
samples = st.lists(
    st.tuples(st.sampled_from(["a", "b,\n"]), st.integers(-(10**17), 4 * 10**18), values, st.integers(0, 2**32 - 1)),
    max_size=15,
)


@given(samples, st.integers(0, 15))
def test_the_last_line_of_a_time_counts(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int, float | None, int]], cut: int
) -> None:
    results = ResultsFile(tmp_path_factory.mktemp("results") / "x.results.csv")
    for part in (rows[:cut], rows[cut:], rows[cut:]):
        results.append([Sample(*row) for row in part])
        list(results.tags())
    expected = {(tag, time): (value, status) for tag, time, value, status in rows}
    found = {
        (tag, int(time)): (None if np.isnan(value) else value, int(status))
        for tag, history in results.histories(["a", "b,\n"], EVERYTHING)
        for time, value, status in zip(history.times, history.values, history.status, strict=True)
    }
    assert found == expected

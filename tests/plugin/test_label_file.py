"""One more row in a table of labelled periods."""

from pathlib import Path

import pytest

from tagsight.errors import NotAllowed, StorageError
from tagsight.label_file import add_period

START, END = "2026-01-01 06:00", "2026-01-02 07:00"


def test_a_table_that_is_not_there_is_made_with_its_head(tmp_path: Path) -> None:
    add_period(tmp_path / "faults.csv", START, END, "bearing")
    assert (tmp_path / "faults.csv").read_text(encoding="utf-8") == f"from,to,label\n{START},{END},bearing\n"


def test_a_row_goes_to_the_end_and_what_the_engineer_wrote_stays(tmp_path: Path) -> None:
    file = tmp_path / "faults.csv"
    before = "label;from;remark;to\nseal;2025-01-01;see report;2025-01-02"
    file.write_text(before, encoding="utf-8")
    add_period(file, START, END, 'bearing; "hot"')
    assert file.read_text(encoding="utf-8") == f'{before}\n"bearing; ""hot""";{START};;{END}\n'


def test_a_component_needs_its_column(tmp_path: Path) -> None:
    file = tmp_path / "faults.csv"
    add_period(file, START, END, "90", "valve")
    assert file.read_text(encoding="utf-8").startswith("from,to,label,component\n")
    file.write_text("from,to,label\n", encoding="utf-8")
    with pytest.raises(NotAllowed, match="no column 'component'"):
        add_period(file, START, END, "90", "valve")
    assert file.read_text(encoding="utf-8") == "from,to,label\n"


def test_a_table_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "faults.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StorageError, match="not UTF-8"):
        add_period(file, START, END, "bearing")
    assert file.read_bytes() == b"\xff\xfe\x00"

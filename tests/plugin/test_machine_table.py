"""Tables of machines as people paste them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.errors import NotAllowed
from tagsight.machine_table import MOST_COLUMNS, MachineTable, parsed


def test_a_paste_from_a_spreadsheet_and_a_csv_mean_the_same() -> None:
    table = MachineTable(("asset", "alarm.at_most"), (("P101", "2 per month"), ("P102", "")))
    assert parsed("asset\talarm.at_most\r\nP101\t2 per month\r\nP102\t\r\n") == table
    assert parsed("\ufeffasset;alarm.at_most\nP101;2 per month\nP102") == table
    assert parsed(table.csv()) == table


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no machine"),
        ("asset\n", "no machine"),
        ("asset,asset\nP101,P102", "twice"),
        ("asset,\nP101,P102", "empty"),
        ("asset,b\nP101,P102,P103", "3 cells"),
        ('asset,"a;b"\nP101,P102', "separator"),
        ('asset,b\n"P101,P102', "no table"),
        ("asset\n" + "P\n" * 2_001, "at most"),
        (",".join(f"c{n}" for n in range(MOST_COLUMNS + 1)) + "\nP", "at most"),
    ],
)
def test_what_is_no_table_is_refused_with_its_mend(text: str, words: str) -> None:
    with pytest.raises(NotAllowed, match=words) as raised:
        parsed(text)
    assert raised.value.mend


_CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), max_size=8)


@given(
    st.lists(_CELLS.filter(lambda name: name and not set(name) & set(';,"\t')), min_size=1, max_size=4, unique=True),
    st.data(),
)
def test_any_cells_come_back_as_they_were(columns: list[str], data: st.DataObject) -> None:
    row = st.tuples(*[_CELLS] * len(columns)).filter(any)
    table = MachineTable(tuple(columns), tuple(data.draw(st.lists(row, min_size=1, max_size=4))))
    assert parsed(table.csv()) == table

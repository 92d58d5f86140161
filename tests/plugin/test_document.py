import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight.document import decode, read_tree


def test_a_tree_knows_the_lines_of_its_settings() -> None:
    root, faults = read_tree("a: 1\nb:\n  c: [x, y]\n")
    assert not faults
    assert root.plain() == {"a": 1, "b": {"c": ["x", "y"]}}
    assert root.at(("b", "c", 1)).line == 3


def test_words_that_yaml_1_1_made_booleans_and_dates_are_text() -> None:
    root, _ = read_tree("a: on\nb: 2026-01-31\nc: true\nd: 1.5e3\ne: '5'\nf: 12:30\n")
    assert root.plain() == {"a": "on", "b": "2026-01-31", "c": True, "d": 1500.0, "e": "5", "f": "12:30"}


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        pytest.param("a: 1\na: 2", 2, "given twice", id="duplicate"),
        pytest.param("a:\n\tb: 1", 2, "blanks", id="tab"),
        pytest.param("a: &x 1\nb: *x", 1, "anchors", id="anchor"),
        pytest.param("a: !!python/name:os.system x", 1, "tags", id="tag"),
        pytest.param("a: 1\n---\nb: 2", 2, "second document", id="documents"),
        pytest.param("a: {asset: {x}}\n? [b]\n: 1", 2, "name is expected", id="complex-key"),
        pytest.param("a: [1", 1, "not YAML", id="unclosed"),
        pytest.param("a: \x00", 1, "character", id="nul"),
        pytest.param("[" * 1000, 1, "levels", id="deep"),
    ],
)
def test_what_is_not_plain_data_is_a_fault_with_its_line(text: str, line: int, cause: str) -> None:
    faults = read_tree(text)[1]
    assert [fault.line for fault in faults] == [line]
    assert cause in faults[0].cause


@given(st.text(alphabet="ab:-[]{}#&*!|>'\"\n ,?%@`\\", max_size=60))
def test_any_text_gives_a_tree_or_faults(text: str) -> None:
    root, _ = read_tree(text)
    root.plain()


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_another_encoding_is_a_fault(encoding: str) -> None:
    faults = decode("a: Öl".encode(encoding))[1]
    assert faults[0].mend == "Save it as UTF-8."


def test_a_byte_order_mark_does_no_harm() -> None:
    assert decode("a: Öl".encode("utf-8-sig")) == ("a: Öl", [])


def test_a_huge_file_is_a_fault() -> None:
    assert "bytes" in decode(b"a" * 600_000)[1][0].cause

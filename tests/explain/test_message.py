"""The sentence that the operator reads."""

from dataclasses import replace
from math import inf, nan
from pathlib import Path
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_explain.language import language, languages
from tagsight_explain.message import Cause, counterfactual, direction, message, not_explained, not_scored, numbers

PAGE = (Path(__file__).parents[2] / "docs" / "messages.md").read_text(encoding="utf-8")
CODES = languages()
ADVICE_LIMIT = 60  # as the configuration has it
PRESSURE = Cause("PT-101", 4.2, 5.6, 4.9, 6.3, "bar", 62.0)
CURRENT = Cause("IT-101", 81.0, 70.0, 65.0, 75.0, "A", 30.0)

texts = st.text(max_size=80)
floats = st.floats(width=64)
causes = st.builds(Cause, texts, floats, floats, floats, floats, texts, floats, texts)
codes = st.sampled_from(CODES)


def test_the_sentence_names_asset_role_values_time_share_and_the_second_role() -> None:
    found = message("P101", [CURRENT, PRESSURE], "14:05")
    assert found == "P101: PT-101 low, 4.2 of 5.6 bar expected, since 14:05 (62 %); then IT-101 high"


@pytest.mark.parametrize(
    ("causes", "since", "words"),
    [
        pytest.param([], "14:05", "", id="normal"),
        pytest.param([Cause("X", share=0.0)], "", "", id="no-share"),
        pytest.param([Cause("X", share=nan)], "", "", id="share-missing"),
        pytest.param([PRESSURE], "", "P1: PT-101 low, 4.2 of 5.6 bar expected (62 %)", id="no-start"),
        pytest.param([Cause("X", share=40.0)], "", "P1: X (40 %)", id="nothing-expected"),
        pytest.param([Cause("X", 9, 4, 3, 5, "", 40.0)], "", "P1: X high, 9.0 of 4.0 expected (40 %)", id="no-unit"),
        pytest.param(
            [Cause("X", 4.9, 4, 3, 5, "", 60.0), Cause("Y", 4, 4, 3, 5, "", 40.0)],
            "",
            "P1: X unusual together with Y, 4.9 of 4.0 expected (60 %)",
            id="inside-its-band",
        ),
        pytest.param([PRESSURE, Cause("Y", share=9.0)], "", message("P1", [PRESSURE]), id="second-too-small"),
        pytest.param([Cause("X", share=0.2)], "", "P1: X (<1 %)", id="tiny-share"),
    ],
)
def test_what_is_not_known_is_left_out(causes: list[Cause], since: str, words: str) -> None:
    assert message("P1", causes, since) == words


def test_an_asset_without_name_is_left_out() -> None:
    assert message("", [PRESSURE]).startswith("PT-101 low")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        pytest.param((9.0, 3.0, 5.0, 4.0), "high", id="above"),
        pytest.param((1.0, 3.0, 5.0, 4.0), "low", id="below"),
        pytest.param((5.0, 3.0, 5.0, 4.0), "unusual", id="on-the-edge"),
        pytest.param((9.0, -inf, 5.0, 4.0), "high", id="one-sided"),
        pytest.param((nan, 3.0, 5.0, 4.0), "", id="no-value"),
        pytest.param((9.0, 3.0, nan, 4.0), "", id="no-band"),
        pytest.param((9.0, 3.0, 5.0, nan), "", id="no-expectation"),
    ],
)
def test_the_direction_is_told_against_the_band(values: tuple[float, float, float, float], words: str) -> None:
    assert direction(*values) == words


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        pytest.param(Cause("", 1512.3, 1480.1, 1460, 1500), ("1512", "1480"), id="wide-band"),
        pytest.param(Cause("", 0.01234, 0.0101, 0.009, 0.011), ("0.0123", "0.0101"), id="narrow-band"),
        pytest.param(Cause("", 4.23, 4.21, 4.0, 4.4), ("4.23", "4.21"), id="two-digits"),
        pytest.param(Cause("", 4.203, 4.201, 3.0, 5.0), ("4.203", "4.201"), id="told-apart"),
        pytest.param(Cause("", -0.04, 0.5, 0, 1), ("0.0", "0.5"), id="no-minus-before-zero"),
        pytest.param(Cause("", -0.001, 9.0, 0, 10), ("0", "9"), id="no-negative-zero-whole"),
        pytest.param(Cause("", 3.0e12, 1.0e12, 0, 2e12), ("3e+12", "1e+12"), id="huge"),
        pytest.param(Cause("", 7.0, 7.0, 7.0, 7.0), ("7.00", "7.00"), id="no-width"),
        pytest.param(Cause("", 0.0, 0.0, 0.0, 0.0), ("0", "0"), id="all-zero"),
    ],
)
def test_numbers_have_the_digits_that_the_band_deserves(cause: Cause, words: tuple[str, str]) -> None:
    assert numbers(cause) == words


def test_what_does_not_fit_goes_in_the_order_of_its_worth() -> None:
    full = [PRESSURE, CURRENT]
    assert message("P101", full, "14:05", 70) == "P101: PT-101 low, 4.2 of 5.6 bar expected, since 14:05 (62 %)"
    assert message("P101", full, "14:05", 60) == "P101: PT-101 low, 4.2 of 5.6 bar expected, since 14:05"
    assert message("P101", full, "14:05", 45) == "P101: PT-101 low, 4.2 of 5.6 bar expected"
    assert message("P101", full, "14:05", 20) == "P101: PT-101 low"


def test_the_longest_names_still_leave_the_direction() -> None:
    long = Cause("R" * 64, 4.2, 5.6, 4.9, 6.3, "bar", 62.0)
    found = message("A" * 64, [long, long], "2026-11-23 14:05")
    assert "… low, 4.2 of 5.6 bar expected" in found


@pytest.mark.parametrize(
    ("code", "descriptions"),
    [
        pytest.param("en", ("discharge pressure", "current"), id="english"),
        pytest.param("de", ("Förderdruck", "Strom"), id="german"),
        pytest.param("zh", ("出口压力", "电流"), id="chinese"),
    ],
)
def test_the_sentence_in_each_language_is_the_one_of_the_page(code: str, descriptions: tuple[str, str]) -> None:
    described = [replace(one, description=text) for one, text in zip((PRESSURE, CURRENT), descriptions, strict=True)]
    assert f"| `{code}` | {message('P101', described, '14:05', code=code)} |" in PAGE


def test_a_description_that_names_the_role_stands_alone() -> None:
    found = message("P101", [replace(PRESSURE, description="Pressure pt-101")])
    assert found == "P101: Pressure pt-101 low, 4.2 of 5.6 bar expected (62 %)"


def test_descriptions_go_before_anything_else_does() -> None:
    long = [replace(PRESSURE, description="d" * 30), replace(CURRENT, description="e" * 30)]
    assert message("P101", long, "14:05") == message("P101", [replace(long[0]), replace(CURRENT)], "14:05"), (
        "the second description first"
    )
    longer = [replace(PRESSURE, description="d" * 60), CURRENT]
    assert message("P101", longer, "14:05") == message("P101", [PRESSURE, CURRENT], "14:05")


@pytest.mark.parametrize(
    ("advice", "words"),
    [
        pytest.param(
            "check suction strainer",
            "P101: PT-101 low, 4.2 of 5.6 bar expected, since 14:05 (62 %); then IT-101 high - check suction strainer",
            id="short",
        ),
        pytest.param(
            "check the suction strainer, then call the shift engineer",
            "P101: PT-101 low, 4.2 of 5.6 bar expected, since 14:05 (62 %) - "
            "check the suction strainer, then call the shift engineer",
            id="long",
        ),
    ],
)
def test_advice_is_appended_and_the_sentence_made_shorter_for_it(advice: str, words: str) -> None:
    described = [replace(PRESSURE, description="discharge pressure"), CURRENT]
    assert message("P101", described, "14:05", advice=advice) == words


def test_the_advice_of_the_page_is_said_as_the_page_says() -> None:
    assert f"> {message('P101', [PRESSURE, CURRENT], '14:05', advice='check suction strainer')}\n" in PAGE


def test_an_advice_longer_than_the_limit_is_all_that_is_said() -> None:
    assert message("P101", [PRESSURE], limit=12, advice="check suction strainer") == "check sucti…"


@pytest.mark.parametrize("code", CODES)
def test_what_is_not_scored_or_not_explained_says_why(code: str) -> None:
    assert "Flow" in not_scored("P101", "flat line: Flow", code=code)
    assert "P101" in not_explained("P101", 1.25, "no time before the next scoring", code=code)
    assert len(not_scored("A" * 64, "r" * 300, code=code)) <= 120


def test_a_score_is_written_as_the_language_writes_numbers() -> None:
    assert not_explained("P1", 1.25, "x", code="de") == "P1: Kennwert 1,2, nicht erklärt: x"
    assert not_explained("P1", 1234.5, "x") == "P1: score 1234, not explained: x"


@given(texts, st.lists(causes, max_size=4), texts, st.integers(0, 200), codes, texts)
def test_no_message_is_longer_than_its_limit_or_has_control_characters(  # noqa: PLR0917 - drawn one by one
    asset: str, causes: list[Cause], since: str, limit: int, code: str, advice: str
) -> None:
    found = message(asset, causes, since, limit, code=code, advice=advice)
    assert len(found) <= limit
    assert not any(category(letter)[0] == "C" or category(letter) in {"Zl", "Zp"} for letter in found)


@given(texts, st.lists(causes, max_size=4), texts, codes)
def test_no_message_is_longer_than_120_characters(asset: str, causes: list[Cause], since: str, code: str) -> None:
    assert len(message(asset, causes, since, code=code)) <= 120


@given(
    st.text(min_size=1, max_size=64),
    st.text("ab{}%…", min_size=1, max_size=64),
    st.sampled_from([1.0, 5.0, 9.0, nan]),
    codes,
    st.text("xyz ü", min_size=1, max_size=ADVICE_LIMIT),
)
def test_an_advice_is_never_lost_nor_the_direction_of_the_role(
    asset: str, role: str, actual: float, code: str, advice: str
) -> None:
    only = Cause(role, actual, 5.0, 4.0, 6.0, "u" * 40, 100.0, "d" * 80)
    found = message(asset, [only, only], "2026-11-23 14:05", code=code, advice=advice)
    assert found.endswith(" ".join(advice.split()))
    assert not only.direction or language(code).texts[only.direction] in found


def test_what_the_score_would_be_with_a_role_as_expected_is_said_in_each_language() -> None:
    assert counterfactual("TT-101", 0.314) == "with TT-101 as expected the score would be 0.31"
    assert counterfactual("TT-101", 0.314, code="de") == "mit TT-101 wie erwartet wäre der Kennwert 0,31"
    assert "TT-101" in counterfactual("TT-101", 12.3, code="zh")
    assert len(counterfactual("x" * 200, 0.1)) <= 120


def test_a_group_speaks_with_its_role_that_is_farthest_out() -> None:
    cause = Cause("Suction", 4.2, 5.6, 5.0, 6.2, "bar", 62.0, member="PT-101")
    assert message("P101", [cause]) == "P101: Suction PT-101 low, 4.2 of 5.6 bar expected (62 %)"

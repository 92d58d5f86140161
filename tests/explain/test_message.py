"""The sentence that the operator reads."""

from math import inf, nan
from unicodedata import category

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_explain.message import Cause, direction, message, numbers

PRESSURE = Cause("PT-101", 4.2, 5.6, 4.9, 6.3, "bar", 62.0)
CURRENT = Cause("IT-101", 81.0, 70.0, 65.0, 75.0, "A", 30.0)

texts = st.text(max_size=80)
floats = st.floats(width=64)
causes = st.builds(Cause, texts, floats, floats, floats, floats, texts, floats)


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


@given(texts, st.lists(causes, max_size=4), texts, st.integers(0, 200))
def test_no_message_is_longer_than_its_limit_or_has_control_characters(
    asset: str, causes: list[Cause], since: str, limit: int
) -> None:
    found = message(asset, causes, since, limit)
    assert len(found) <= limit
    assert not any(category(letter)[0] == "C" or category(letter) in {"Zl", "Zp"} for letter in found)


@given(texts, st.lists(causes, max_size=4), texts)
def test_no_message_is_longer_than_120_characters(asset: str, causes: list[Cause], since: str) -> None:
    assert len(message(asset, causes, since)) <= 120

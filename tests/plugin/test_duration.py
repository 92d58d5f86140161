import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight import duration


@given(st.integers(0, duration.LONGEST_NS // 1_000_000).map(lambda ms: ms * 1_000_000))
def test_a_formatted_duration_reads_back_as_itself(ns: int) -> None:
    assert duration.parse_duration(duration.format_duration(ns)) == ns


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90d", 7_776_000), ("1m", 60), ("5s", 5), ("1h30m", 5400), ("1.5h", 5400), ("2w", 1_209_600), ("0.1s", 0.1)],
)
def test_durations_mean_what_they_say(text: str, seconds: float) -> None:
    assert duration.parse_duration(text) == round(seconds * 1e9)


@pytest.mark.parametrize(
    "text", ["", "1", "1 m", "m", "-5s", "1M", "30m1h", "1h1h", "1month", "1e3s", "1d ", "٣s", "99999999w"]
)
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration|hundred"):
        duration.parse_duration(text)


@given(st.text(max_size=30))
def test_any_text_is_a_duration_or_a_value_error(text: str) -> None:
    for parse in (duration.parse_duration, duration.parse_budget, duration.parse_size):
        with contextlib.suppress(ValueError):
            parse(text)


def test_budgets_read_and_write() -> None:
    assert duration.parse_budget("2 per month") == (2.0, 30 * 86_400 * 10**9)
    assert duration.format_budget(*duration.parse_budget("0.5 per week")) == "0.5 per week"


@pytest.mark.parametrize("text", ["2", "two per month", "2 per fortnight", "0 per day", "-1 per day"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"budget"):
        duration.parse_budget(text)


@pytest.mark.parametrize(("text", "size"), [("5 GB", 5 * 10**9), ("500MB", 500 * 10**6), ("1.5 TB", 15 * 10**11)])
def test_sizes_read_and_write(text: str, size: int) -> None:
    assert duration.parse_size(text) == size
    assert duration.parse_size(duration.format_size(size)) == size

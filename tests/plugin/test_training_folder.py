from pathlib import Path

import pytest

from tagsight.training_folder import BEGUN, begin, begun, training_folder
from tagsight_connectors.history import Span

HOUR = 3_600_000_000_000
SPAN = Span(5 * HOUR, 100 * HOUR)


def test_a_killed_training_goes_on_with_the_period_that_it_had_read(tmp_path: Path) -> None:
    folder = training_folder(tmp_path, "P101/Health")
    assert begun(folder, "plan", 101 * HOUR) is None
    begin(folder, "plan", SPAN)
    assert begun(folder, "plan", 101 * HOUR) == SPAN


@pytest.mark.parametrize(
    ("plan", "now_ns"),
    [
        pytest.param("other", 101 * HOUR, id="other configuration"),
        pytest.param("plan", 125 * HOUR, id="too long ago"),
        pytest.param("plan", 99 * HOUR, id="clock went back"),
    ],
)
def test_it_begins_anew_where_it_would_not_be_the_same(tmp_path: Path, plan: str, now_ns: int) -> None:
    begin(tmp_path, "plan", SPAN)
    assert begun(tmp_path, plan, now_ns) is None


@pytest.mark.parametrize("said", ["", "[]", '{"plan": "plan"}'])
def test_a_damaged_file_is_ignored(tmp_path: Path, said: str) -> None:
    (tmp_path / BEGUN).write_text(said)
    assert begun(tmp_path, "plan", 101 * HOUR) is None

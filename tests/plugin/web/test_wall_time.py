"""Charts show the clocks of the plant."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tagsight.web.wall_time import of_wall, wall_ms

BERLIN = ZoneInfo("Europe/Berlin")
MINUTES = st.integers(1_500_000_000 // 60, 1_900_000_000 // 60)


@given(
    st.lists(MINUTES, min_size=1, max_size=30),
    st.sampled_from(["Europe/Berlin", "UTC", "Asia/Kolkata", "America/St_Johns"]),
)
def test_a_chart_reads_the_time_that_a_clock_there_showed(minutes: list[int], name: str) -> None:
    times = np.array(minutes, dtype=np.int64) * 60_000_000_000
    for time_ns, shown in zip(times.tolist(), wall_ms(times, ZoneInfo(name)).tolist(), strict=True):
        clock = datetime.fromtimestamp(time_ns / 1e9, tz=ZoneInfo(name)).replace(tzinfo=UTC)
        assert shown == clock.timestamp() * 1e3


@given(MINUTES)
def test_what_was_dragged_comes_back_as_the_time_that_was_shown(minute: int) -> None:
    shown = wall_ms(np.array([minute * 60_000_000_000], dtype=np.int64), BERLIN)
    again = wall_ms(np.array([of_wall(float(shown[0]), BERLIN)], dtype=np.int64), BERLIN)
    assert again.tolist() == shown.tolist()

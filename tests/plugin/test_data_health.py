"""What is told of the data before a training."""

from datetime import UTC
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tagsight.__main__ import run
from tagsight.binding import Binding
from tagsight.data_health import TagHealth, data_health, strip
from tagsight.data_look import DataLook, over
from tagsight.data_words import HEAD, left_out_lines, remarks, tag_cells
from tagsight.framing import build_frame
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD, GOOD
from tagsight_models.frame import Floats, Role, Times
from tagsight_models.reasons import Reason
from tests.plugin.small_site import MINUTE, plan_of

FLOW, PRESSURE = Role("Flow", "m³/h", 0.0, 100.0), Role("Pressure", "bar")
STEPS = 600
START = 1_760_000_040_000_000_000 // MINUTE * MINUTE
SPAN = (START, START + STEPS * MINUTE)


def history(values: Floats, status: NDArray[np.uint32] | None = None, times: Times | None = None) -> TagHistory:
    at = START + MINUTE * np.arange(1, len(values) + 1, dtype=np.int64) if times is None else times
    return TagHistory(at, values, np.full(len(values), GOOD, dtype=np.uint32) if status is None else status)


def noise(seed: int) -> Floats:
    return np.asarray(np.random.default_rng(seed).normal(50.0, 2.0, STEPS))


def looked(flow: TagHistory, pressure: TagHistory, **settings: object) -> DataLook:
    found = {"Flow": flow, "Pressure": pressure}
    framed = build_frame(found, {}, (FLOW, PRESSURE), MINUTE, SPAN, **settings)  # type: ignore[arg-type]
    addresses = {"Flow": "P101/Flow", "Pressure": "P101/Pressure"}
    binding = Binding((FLOW, PRESSURE), addresses, {}, {}, skipped=(("P101/Mode", "it is a text"),))
    return DataLook(plan_of("P101"), binding, found, data_health(framed, found, addresses, SPAN), (), ())


def tag(look: DataLook, name: str = "Flow") -> TagHealth:
    return next(one for one in look.health.tags if one.role.name == name)


def test_good_data_count_whole_and_have_no_remark() -> None:
    look = looked(history(noise(1)), history(noise(2)))
    assert (look.health.steps, look.health.usable, look.health.left_out) == (STEPS, STEPS, {})
    assert tag(look).coverage == 1.0
    assert remarks(tag(look)) == []
    assert [(one.start_ns, one.end_ns, one.reason) for one in look.health.strip] == [(*SPAN, Reason.USED)]


def test_what_is_left_out_is_counted_by_its_reason_and_shown_where_it_is() -> None:
    status = np.full(STEPS, GOOD, dtype=np.uint32)
    status[100:160] = BAD
    look = looked(history(noise(1), status), history(noise(2)), periods=[(START + 300 * MINUTE, START + 400 * MINUTE)])
    assert look.health.left_out == {Reason.BAD_QUALITY: 60, Reason.EXCLUDED: 100}
    assert look.health.usable == STEPS - 160
    assert tag(look).bad == pytest.approx(0.1)
    assert tag(look).counts[Reason.BAD_QUALITY] == 60
    shown = [(one.reason, (one.end_ns - one.start_ns) // MINUTE) for one in look.health.strip]
    assert shown[1] == (Reason.BAD_QUALITY, 60)
    assert [reason for reason, _ in shown].count(Reason.EXCLUDED) == 1
    lines = left_out_lines(look, UTC)
    assert "600 steps of 1m; 440 count (73.3 %)" in lines[0]
    assert lines[1] == "left out, excluded by engineer: 100 steps (1h40m)"
    assert lines[-1] == "not an input, P101/Mode: it is a text"


def test_an_input_without_values_a_constant_one_and_one_out_of_its_range_are_remarked() -> None:
    nothing = history(np.zeros(0), times=np.zeros(0, dtype=np.int64))
    assert remarks(tag(looked(nothing, history(noise(2))))) == ["no values in this period"]
    constant = looked(history(np.full(STEPS, 7.0)), history(noise(2)))
    assert "constant: no model can learn from it" in remarks(tag(constant))
    beyond = noise(1)
    beyond[:30] = 150.0
    assert "5.0 % outside 0 to 100 m³/h" in remarks(tag(looked(history(beyond), history(noise(2)))))


def test_a_signal_that_stands_still_for_long_is_asked_about_and_one_that_seldom_changes_is_not() -> None:
    still = noise(1)
    still[100:400] = still[100]
    assert "stands still for 4h59m: is that normal?" in remarks(tag(looked(history(still), history(noise(2)))))
    seldom = np.repeat(np.arange(2.0), STEPS // 2)
    assert remarks(tag(looked(history(seldom), history(noise(2))))) == []


def test_values_out_of_order_and_repeated_are_remarked() -> None:
    times = START + MINUTE * np.arange(1, STEPS + 1, dtype=np.int64)
    times[10], times[20] = times[11], times[15]
    found = remarks(tag(looked(history(noise(1), times=times), history(noise(2)))))
    assert any("at the same time as another" in one for one in found)
    assert any("out of order" in one for one in found)


@given(st.lists(st.sampled_from([0, 2, 5, 10]), min_size=1, max_size=300), st.integers(1, 50))
def test_a_strip_covers_all_steps_without_overlap_and_loses_no_weightiest_reason(codes: list[int], most: int) -> None:
    times = START + MINUTE * np.arange(1, len(codes) + 1, dtype=np.int64)
    found = strip(np.array(codes, dtype=np.uint8), times, MINUTE, most)
    assert len(found) <= most
    assert found[0].start_ns == START
    assert found[-1].end_ns == times[-1]
    assert all(a.end_ns == b.start_ns and a.reason is not b.reason for a, b in pairwise(found))
    assert max(one.reason for one in found) == max(codes)


def test_a_row_has_a_cell_for_each_column() -> None:
    look = looked(history(noise(1)), history(noise(2)))
    assert len(tag_cells(tag(look))) == len(HEAD)


def test_a_period_that_is_looked_at_replaces_that_of_the_plan() -> None:
    plan = plan_of("P101")
    assert over(plan, None) is plan
    assert (over(plan, (1, 2)).train.start_ns, over(plan, (1, 2)).train.end_ns) == (1, 2)
    assert over(plan, (1, 2)).train.last_ns is None


def test_the_command_tells_it_of_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        f"2026-01-0{1 + n // 1440}T{n // 60 % 24:02}:{n % 60:02}:00Z,{50 + n % 7},{9 + n % 5}" for n in range(2_000)
    ]
    (tmp_path / "pump.csv").write_text("time,Flow,Pressure\n" + "\n".join(rows), encoding="utf-8")
    file = tmp_path / "tagsight.yaml"
    file.write_text(
        "timezone: UTC\nhistorian: {url: 'file:pump.csv'}\nresults: {to: server}\n"
        "models: [{name: Health, asset: P101, inputs: [Flow, Pressure],\n"
        "          train: {from: '2026-01-01', to: '2026-01-02'}}]\n",
        encoding="utf-8",
    )
    assert run(["data", str(file), "--data", str(tmp_path / "data")]) == 0
    said = capsys.readouterr().out
    assert "P101/Health: 2026-01-01 00:00 to 2026-01-02 00:00, 1,440 steps of 1m" in said
    assert "Pressure" in said

import json
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.frame import Frame, Role
from tagsight_models.gates import FLAT_LEAST, FLAT_MOST, GateLimits, RoleLimits, gate, learn_limits
from tagsight_models.reasons import Reason

GRID = 60
USED, SPIKE, FLAT = Reason.USED, Reason.SPIKE, Reason.FLAT_LINE
STOPPED, STARTING, UNKNOWN = Reason.NOT_RUNNING, Reason.STARTING, Reason.CONDITION_UNKNOWN


def frame_of(*columns: list[float], step: bool = False) -> Frame:
    values = np.array(columns, dtype=np.float64).T
    reasons = np.where(np.isnan(values), Reason.GAP, Reason.USED).astype(np.uint8)
    roles = tuple(Role(f"r{n}", step=step) for n in range(values.shape[1]))
    times = (1 + np.arange(len(values), dtype=np.int64)) * GRID
    return Frame(times, values, reasons, np.zeros(values.shape, dtype=np.bool_), roles, GRID)


def limits(flat: int | None = None, spike: float | None = None) -> GateLimits:
    return GateLimits({"r0": RoleLimits(GRID * 2, flat, spike)})


def reasons(frame: Frame) -> list[int]:
    return frame.reasons[:, 0].tolist()


def noise(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


def test_a_stopped_machine_counts_only_after_the_buffer() -> None:
    running = np.array([1, 0, 0, 1, 1, 1, 1, 0], dtype=np.int8)
    gated = gate(frame_of([1.0] * 8), None, running, (), 2 * GRID)
    assert reasons(gated) == [USED, STOPPED, STOPPED, STARTING, STARTING, USED, USED, STOPPED]


def test_the_buffer_before_a_stop_is_for_learning_only() -> None:
    running = np.array([1, 1, 1, 0], dtype=np.int8)
    frame = frame_of([1.0] * 4)
    assert reasons(gate(frame, None, running, (), GRID)) == [USED, USED, USED, STOPPED]
    assert reasons(gate(frame, None, running, (), GRID, anticipate_stops=True)) == [USED, USED, STARTING, STOPPED]


def test_an_unknown_condition_is_its_own_reason_and_no_stop() -> None:
    running = np.array([1, -1, 1], dtype=np.int8)
    assert reasons(gate(frame_of([1.0] * 3), None, running, (), 5 * GRID)) == [USED, UNKNOWN, USED]


def test_a_step_whose_cell_overlaps_a_period_is_excluded() -> None:
    gated = gate(frame_of([1.0] * 5), None, None, [(2 * GRID + 1, 3 * GRID + 1)])
    assert reasons(gated) == [USED, USED, Reason.EXCLUDED, Reason.EXCLUDED, USED]


def test_the_highest_reason_is_kept_and_values_stay() -> None:
    frame = frame_of([1.0, np.nan, 3.0])
    gated = gate(frame, None, np.array([0, 0, 0], dtype=np.int8), [(0, GRID)])
    assert reasons(gated) == [Reason.EXCLUDED, STOPPED, STOPPED]
    np.testing.assert_array_equal(gated.values, frame.values)


def test_a_flat_line_counts_only_beyond_the_limit_and_only_from_there_on() -> None:
    gated = gate(frame_of([1.0, 2.0, 2.0, 2.0, 2.0, 3.0]), limits(flat=2))
    assert reasons(gated) == [USED, USED, USED, FLAT, FLAT, USED]


def test_a_stop_ends_a_flat_line() -> None:
    running = np.array([1, 1, 0, 1, 1, 1], dtype=np.int8)
    assert reasons(gate(frame_of([2.0] * 6), limits(flat=2), running)) == [USED, USED, STOPPED, USED, USED, FLAT]


def test_one_wrong_sample_is_a_spike_and_the_way_back_is_not() -> None:
    assert reasons(gate(frame_of([1.0, 1.0, 50.0, 1.0, 1.0]), limits(spike=10.0))) == [USED, USED, SPIKE, USED, USED]


def test_of_a_sustained_fault_only_the_first_step_is_lost() -> None:
    assert reasons(gate(frame_of([1.0, 1.0, 50.0, 50.0, 50.0]), limits(spike=10.0))) == [USED, USED, SPIKE, USED, USED]


def test_a_jump_over_a_gap_is_no_spike() -> None:
    assert reasons(gate(frame_of([1.0, np.nan, 50.0]), limits(spike=10.0))) == [USED, Reason.GAP, USED]


def test_roles_that_hold_between_values_have_neither_flat_lines_nor_spikes() -> None:
    frame = frame_of([1.0] * 20 + [900.0], step=True)
    assert set(reasons(gate(frame, limits(flat=2, spike=1.0)))) == {USED}
    assert learn_limits(frame, {"r0": 7}).roles["r0"] == RoleLimits(7, None, None)


def test_accepted_training_data_has_no_flat_line_afterwards() -> None:
    values = noise(500)
    values[100:150] = values[100]
    frame = frame_of(values.tolist())
    learned = learn_limits(frame, {"r0": 120})
    assert learned.roles["r0"].flat_steps == 100
    assert FLAT not in reasons(gate(frame, learned))


def test_the_flat_limit_has_a_least_and_a_quiet_tag_has_none() -> None:
    assert learn_limits(frame_of(noise(500).tolist()), {"r0": 1}).flat_steps == FLAT_LEAST
    quiet = frame_of([1.0] * FLAT_MOST + [2.0])
    assert learn_limits(quiet, {"r0": 1}).roles["r0"].flat_steps is None


def test_spikes_in_training_do_not_raise_the_limit_and_are_found() -> None:
    values = noise(2000)
    clean = learn_limits(frame_of(values.tolist()), {"r0": 1}).roles["r0"].spike
    values[[300, 700, 1500]] = 1e6
    frame = frame_of(values.tolist())
    learned = learn_limits(frame, {"r0": 1})
    assert clean is not None
    assert learned.roles["r0"].spike == pytest.approx(clean, rel=0.2)
    assert np.flatnonzero(gate(frame, learned).reasons[:, 0] == SPIKE).tolist() == [300, 700, 1500]


def test_sustained_jumps_as_large_as_in_training_lose_no_step() -> None:
    values = noise(2000) * 0.01
    values[1000:] += 100.0
    learned = learn_limits(frame_of(values.tolist()), {"r0": 1})
    live = noise(200, seed=1) * 0.01
    live[100:] += 110.0
    assert set(reasons(gate(frame_of(live.tolist()), learned))) == {USED}


@pytest.mark.parametrize(
    "values", [[], [1.0], [np.nan] * 5, [1.0] * 300, [1e308, -1e308] * 100], ids=["none", "one", "nan", "flat", "huge"]
)
def test_limits_of_hopeless_data_are_no_error_and_have_no_spike(values: list[float]) -> None:
    frame = frame_of(values)
    learned = learn_limits(frame, {"r0": 1})
    assert learned.roles["r0"].spike is None
    gate(frame, learned)


def test_limits_travel_as_json_and_through_a_pipe() -> None:
    learned = GateLimits({"a": RoleLimits(1, 2, 3.5), "b": RoleLimits(4)}, {"Mode": 5})
    assert GateLimits.from_json(json.loads(json.dumps(learned.to_json()))) == learned
    assert pickle.loads(pickle.dumps(learned)) == learned
    assert learned.max_gaps == {"a": 1, "b": 4}


@pytest.mark.parametrize(
    "damage",
    [
        {},
        {"schema": 2, "roles": {}, "operands": {}},
        {"schema": 1, "roles": [], "operands": {}},
        {"schema": 1, "roles": {"a": {"max_gap_ns": 0, "flat_steps": None, "spike": None}}, "operands": {}},
        {"schema": 1, "roles": {"a": {"max_gap_ns": 1, "flat_steps": 1.5, "spike": None}}, "operands": {}},
        {"schema": 1, "roles": {"a": {"max_gap_ns": 1, "flat_steps": None, "spike": float("nan")}}, "operands": {}},
        {"schema": 1, "roles": {"a": {"max_gap_ns": True, "flat_steps": None, "spike": 1}}, "operands": {}},
        {"schema": 1, "roles": {"a": None}, "operands": {}},
    ],
)
def test_damaged_limits_are_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"gate limit|spike limit|schema"):
        GateLimits.from_json(damage)


VALUES = st.lists(st.sampled_from([0.0, 0.0, 1.0, 2.0, 90.0, 1e308, -1e308, np.nan]), min_size=1, max_size=40)


@given(VALUES, st.data())
def test_gating_a_prefix_is_the_prefix_of_gating(values: list[float], data: st.DataObject) -> None:
    running = np.array(data.draw(st.lists(st.sampled_from([1, 1, 1, 0, -1]), min_size=40, max_size=40)), dtype=np.int8)
    count, buffer = data.draw(st.integers(1, len(values))), data.draw(st.integers(0, 3)) * GRID
    periods, one = [(5 * GRID, 7 * GRID)], limits(flat=3, spike=10.0)
    whole = gate(frame_of(values), one, running[: len(values)], periods, buffer)
    early = gate(frame_of(values[:count]), one, running[:count], periods, buffer)
    np.testing.assert_array_equal(early.reasons, whole.reasons[:count])


@given(VALUES)
def test_two_steps_in_a_row_are_never_both_spikes(values: list[float]) -> None:
    spikes = gate(frame_of(values), limits(spike=0.5)).reasons[:, 0] == SPIKE
    assert not (spikes[1:] & spikes[:-1]).any()

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.conditions import parse
from tagsight.framing import FramingResult, build_frame, live_span, operand_values, reading_starts, series_of
from tagsight_connectors.history import TagHistory, Values, empty_history
from tagsight_connectors.quality import BAD, GOOD, UNCERTAIN
from tagsight_models.alignment import SECOND_NS, Ignored
from tagsight_models.frame import Role
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.reasons import Reason
from tagsight_models.windows import digest, windows

T0 = 1_700_000_040 * SECOND_NS  # a multiple of the grid
GRID = 60 * SECOND_NS
ROLES = (Role("flow", "m3/h"), Role("valve", step=True))


def history(seconds: object, values: object, status: object = GOOD) -> TagHistory:
    times = T0 + (np.asarray(seconds, dtype=np.float64) * SECOND_NS).astype(np.int64)
    array: Values = np.asarray(values)
    codes = np.broadcast_to(np.asarray(status, dtype=np.uint32), times.shape)
    return TagHistory(times, array if array.dtype == object else array.astype(np.float64), codes.copy())


def texts(*values: object) -> np.ndarray:
    return np.array(values, dtype=object)


def training(minutes: int = 1000) -> FramingResult:
    rng = np.random.default_rng(0)
    seconds = np.arange(1, 2 * minutes + 1) * 30
    tags = {"flow": history(seconds, rng.normal(size=len(seconds))), "valve": history([0, 3000], [1.0, 2.0])}
    return build_frame(tags, {}, ROLES, GRID, (T0, T0 + minutes * GRID))


def test_training_learns_the_limits_that_live_gets_back() -> None:
    result = training()
    assert result.frame.values.shape == (1000, 2)
    assert result.limits.roles["flow"].max_gap_ns == 2 * GRID
    assert result.limits.roles["valve"].max_gap_ns == 50 * GRID
    assert result.limits.roles["flow"].spike is not None
    assert result.counts == {}
    again = build_frame({}, {}, ROLES, GRID, (T0, T0 + 5 * GRID), limits=result.limits, live=True)
    assert again.limits is result.limits
    assert again.frame.counts() == {"flow": {Reason.STALE: 5}, "valve": {Reason.STALE: 5}}


def test_the_engineers_maximum_gap_goes_before_the_learned_one() -> None:
    tags = {"flow": history([1], [1.0]), "valve": history([1], [1.0])}
    result = build_frame(tags, {}, ROLES, GRID, (T0, T0 + 9 * GRID), max_gaps={"flow": 5 * GRID, "other": 1})
    assert result.limits.max_gaps == {"flow": 5 * GRID, "valve": 2 * GRID}


def test_text_and_no_value_are_not_numbers() -> None:
    series = series_of(
        history([1, 2, 3, 4, 5], texts("12", None, 3, True, 10**400), [GOOD, BAD, UNCERTAIN, GOOD, GOOD])
    )
    np.testing.assert_array_equal(series.values, [np.nan, np.nan, 3.0, 1.0, np.nan])
    assert series.quality.tolist() == [0, 2, 1, 0, 0]


def test_the_running_condition_gates_by_state_and_by_number() -> None:
    tags = {"flow": history(np.arange(1, 8) * 60, np.arange(7)), "valve": history([1], [1.0])}
    operands = {"Mode": history([10, 130], texts("AUTO", "MAN")), "Speed": history(np.arange(1, 8) * 60, [200.0] * 7)}
    result = build_frame(
        tags, operands, ROLES[:1], GRID, (T0, T0 + 4 * GRID), running=parse("[Mode] = 'AUTO' and [Speed] > 100")
    )
    assert result.running is not None
    assert result.running.tolist() == [1, 1, 0, 0]
    assert result.frame.reasons[:, 0].tolist() == [Reason.USED] * 2 + [Reason.NOT_RUNNING] * 2
    assert set(result.limits.operands) == {"Mode", "Speed"}


def test_an_operand_without_history_makes_every_step_unknown() -> None:
    tags = {"flow": history(np.arange(1, 5) * 60, np.arange(4))}
    result = build_frame(tags, {}, ROLES[:1], GRID, (T0, T0 + 4 * GRID), running=parse("[Mode] = 'AUTO'"))
    assert result.frame.counts() == {"flow": {Reason.CONDITION_UNKNOWN: 4}}


def test_an_operand_is_held_until_it_is_bad_or_too_old() -> None:
    times = T0 + np.arange(1, 7) * GRID
    numbers = operand_values(history([30, 150, 200], [1.0, 2.0, 3.0], [GOOD, BAD, GOOD]), times, GRID * 2)
    np.testing.assert_array_equal(numbers, [1.0, 1.0, np.nan, 3.0, 3.0, np.nan])
    states = operand_values(history([30, 150], texts("on", "x"), [GOOD, BAD]), times, GRID * 20)
    assert states.tolist() == ["on", "on", None, None, None, None]
    assert np.isnan(operand_values(None, times, 1)).all()
    assert np.isnan(operand_values(empty_history(), times, 1)).all()


def test_a_state_stored_once_holds_throughout_training() -> None:
    tags = {"flow": history(np.arange(1, 101) * 60, np.arange(100))}
    operands = {"Mode": history([-5], texts("AUTO"))}
    span = (T0, T0 + 100 * GRID)
    result = build_frame(tags, operands, ROLES[:1], GRID, span, running=parse("[Mode] = 'AUTO'"))
    assert result.frame.counts() == {"flow": {Reason.USED: 100}}


def test_an_operand_that_is_stored_often_goes_stale_as_any_tag_and_a_seldom_one_may_rest_twice_as_long() -> None:
    minutes = np.arange(1, 2001)
    often = history((minutes + 600 * (minutes > 1000)) * 60, np.ones(2000))
    seldom = history([60, 6060], texts("AUTO", "MAN"))
    condition, span = parse("[Speed] > 0 and [Mode] = 'AUTO'"), (T0, T0 + 2600 * GRID)
    limits = build_frame({}, {"Speed": often, "Mode": seldom}, ROLES, GRID, span, running=condition).limits
    assert limits.operands == {"Speed": 2 * GRID, "Mode": 2 * 2499 * GRID}


def test_samples_that_did_not_take_part_are_counted() -> None:
    times = np.array([-(2**63), T0 + 1, T0 + 1, T0 + 2, 2**63 - 1], dtype=np.int64)
    tag = TagHistory(times, np.arange(5.0), np.zeros(5, dtype=np.uint32))
    result = build_frame({"flow": tag}, {}, ROLES[:1], GRID, (T0, T0 + GRID))
    assert result.counts == {"flow": Ignored(absurd=1, future=1, duplicates=1)}
    assert result.frame.values[0, 0] == 2.5


def test_limits_of_another_model_are_an_error() -> None:
    with pytest.raises(KeyError, match="flow"):
        build_frame({}, {}, ROLES, GRID, (T0, T0 + GRID), limits=GateLimits({}))


def test_a_result_travels_through_a_pipe() -> None:
    result = training(50)
    copy = pickle.loads(pickle.dumps(result))
    np.testing.assert_array_equal(copy.frame.values, result.frame.values)
    assert copy.limits == result.limits


POISON = st.lists(
    st.tuples(
        st.integers(-(2**63), 2**63 - 1) | st.integers(0, 600).map(lambda second: T0 + second * SECOND_NS),
        st.sampled_from([1.0, 2, True, np.nan, np.inf, 1e308, "Bad", None, 10**400]),
        st.sampled_from([GOOD, GOOD, UNCERTAIN, BAD, 0xFFFFFFFF]),
    ),
    max_size=25,
)


def poisoned(rows: list[tuple[int, object, int]]) -> TagHistory:
    values = np.empty(len(rows), dtype=object)
    values[:] = [row[1] for row in rows]
    times, status = [row[0] for row in rows], [row[2] for row in rows]
    return TagHistory(np.array(times, dtype=np.int64), values, np.array(status, dtype=np.uint32))


@settings(max_examples=60)
@given(flow=POISON, valve=POISON, mode=POISON, live=st.booleans())
def test_poison_never_raises_and_only_finite_values_count(
    *, flow: list[tuple[int, object, int]], valve: list[tuple[int, object, int]], mode: list, live: bool
) -> None:
    tags, operands = {"flow": poisoned(flow), "valve": poisoned(valve)}, {"Mode": poisoned(mode)}
    condition = parse("[Mode] = 'Bad' or [Mode] > 0")
    frame = build_frame(tags, operands, ROLES, GRID, (T0, T0 + 10 * GRID), running=condition, live=live).frame
    assert np.isfinite(frame.values[frame.reasons == Reason.USED]).all()
    missing = [Reason.GAP, Reason.STALE, Reason.BAD_QUALITY, Reason.NOT_A_NUMBER]
    assert np.isnan(frame.values[np.isin(frame.reasons, missing)]).all()


LIMITS = GateLimits(
    {"flow": RoleLimits(3 * GRID, flat_steps=6, spike=5.0), "valve": RoleLimits(22 * GRID)}, {"Mode": 4 * GRID}
)


def recorded(seed: int, trouble: float, values: tuple[float, ...], stuck: float) -> TagHistory:
    """80 minutes with a sample each 40 s or so: some missing, Bad, Uncertain, twice, NaN; in random order.

    For one time it is stuck, for another it is silent.
    """
    rng = np.random.default_rng(seed)
    seconds = np.arange(-20 * 60, 60 * 60, 40) + rng.integers(-15, 15, 120)
    numbers = rng.choice(values, 120)
    starts, lengths = rng.integers(0, 120, 2), rng.integers(0, 20, 2)
    numbers[starts[0] : starts[0] + lengths[0]] = stuck
    kept = rng.random(120) >= trouble
    kept[starts[1] : starts[1] + lengths[1] // 2] = False
    twice = np.concatenate([np.flatnonzero(kept), np.flatnonzero(kept & (rng.random(120) < trouble))])
    rng.shuffle(twice)
    count = len(twice)
    status = np.where(rng.random(count) < trouble, rng.choice([UNCERTAIN, BAD], count), GOOD)
    wrong = rng.random(count) < trouble
    return history(seconds[twice], np.where(wrong, rng.choice([np.nan, 99.0], count), numbers[twice]), status)


@settings(max_examples=300, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    trouble=st.sampled_from([0.0, 0.01, 0.05]),
    minute=st.integers(15, 60),
    buffer=st.sampled_from([0, 2, 14]),
)
def test_a_live_window_equals_that_of_a_clean_offline_run(
    *, seed: int, trouble: float, minute: int, buffer: int
) -> None:
    """Live reads only as far back as it must and knows nothing later; offline has everything, sorted or not."""
    valve = recorded(seed + 1, trouble, (1.0, 2.0), 2.0)
    seldom = np.sort(valve.times)[::30]
    stored = np.isin(valve.times, seldom)
    everything = {
        "flow": recorded(seed, trouble, (0.0, 0.1, 1.0, 1.5), 0.1),
        "valve": TagHistory(valve.times[stored], valve.values[stored], valve.status[stored]),
        "Mode": recorded(seed + 2, trouble / 5, (1.0,), 99.0),
    }
    due, steps, running = T0 + minute * GRID, 5, parse("[Mode] < 50")
    common = {"limits": LIMITS, "running": running, "running_buffer_ns": buffer * GRID}
    offline = build_frame(everything, everything, ROLES, GRID, (T0 - 30 * GRID, T0 + 60 * GRID), **common)

    span = live_span(due, steps, GRID, LIMITS, buffer * GRID)
    starts = reading_starts(span[0], GRID, LIMITS)
    read = {}
    for name, tag in everything.items():
        known = np.flatnonzero((tag.times >= starts[name]) & (tag.times <= due))
        known = known[np.argsort(tag.times[known], kind="stable")]
        read[name] = TagHistory(tag.times[known], tag.values[known], tag.status[known])
    live = build_frame(read, read, ROLES, GRID, span, live=True, **common)

    ends = np.array([due])
    then, now = windows(offline.frame, steps, ends), windows(live.frame, steps, ends)
    assert digest(now, 0) == digest(then, 0)
    assert now.usable == then.usable
    assert now.uncertain == then.uncertain

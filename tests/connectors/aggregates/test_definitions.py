"""Every aggregate against the definitions of OPC 10000-13, said once more: slowly, value by value."""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_connectors.aggregates import Aggregate, AggregateConfiguration, compute, compute_at
from tagsight_connectors.aggregates.rows import interval_starts
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.history import Span, TagHistory

MS = 1_000_000
NO_DATA, SUBNORMAL, BAD = 0x809B0000, 0x40A40000, 0x80000000
CALCULATED, INTERPOLATED, PARTIAL, MULTIPLE = 0x401, 0x402, 0x404, 0x410
NAN = float("nan")

Result = tuple[float, int]
NOTHING: Result = (NAN, NO_DATA)


@dataclass(frozen=True)
class Point:
    """A stored value; `kind` is good, uncertain or bad."""

    time: int
    value: float
    status: int

    @property
    def kind(self) -> str:
        if math.isnan(self.value):
            return "bad"
        return ("good", "uncertain", "bad", "bad")[self.status >> 30]


@dataclass(frozen=True)
class Question:
    """One interval of one tag."""

    points: list[Point]
    start: int
    end: int
    cut: bool
    search: int
    how: AggregateConfiguration

    def usable(self, point: Point) -> bool:
        return point.kind == "good" or (point.kind == "uncertain" and not self.how.treat_uncertain_as_bad)

    @property
    def inside(self) -> list[Point]:
        return [point for point in self.points if self.start <= point.time < self.end]

    @property
    def preceded(self) -> bool:
        return any(self.start - self.search <= point.time < self.start for point in self.points)

    @property
    def followed(self) -> bool:
        return any(self.end <= point.time <= self.end + self.search for point in self.points)

    @property
    def outside(self) -> bool:
        return not self.inside and not (self.preceded and self.followed)

    @property
    def partial(self) -> int:
        begins = bool(self.inside) and not self.preceded and self.inside[0].time > self.start
        ends = bool(self.inside) and not self.followed
        return PARTIAL if begins or ends or self.cut else 0

    def near(self, time: int) -> tuple[list[Point], list[Point]]:
        """Usable values before and behind a time, nearest first."""
        usable = [point for point in self.points if self.usable(point) and abs(point.time - time) <= self.search]
        before = [point for point in usable if point.time < time]
        return before[::-1], [point for point in usable if point.time > time]

    def bound(self, time: int, *, stepped: bool) -> Result:
        """The interpolated bounding value (3.1.8)."""
        at = [point for point in self.points if point.time == time and self.usable(point)]
        if at:
            return at[-1].value, at[-1].status
        before, after = self.near(time)
        if not before:
            return NOTHING
        one = before[0]
        if not after:
            earlier = [point for point in before if point.time < one.time]
            sloped = self.how.sloped_extrapolation and bool(earlier)
            return (line(earlier[0], one, time) if sloped else one.value), SUBNORMAL | INTERPOLATED
        other = after[0]
        behind = time if stepped else other.time
        first, last = self.points.index(one), self.points.index(other)
        passed = [point for point in self.points[first + 1 : last] if point.time <= behind and not self.usable(point)]
        doubtful = bool(passed) or one.kind == "uncertain" or (not stepped and other.kind == "uncertain")
        value = one.value if stepped else line(one, other, time)
        return value, (SUBNORMAL if doubtful else 0) | INTERPOLATED

    def share(self) -> int:
        """Status by the number of values (5.4.3.2)."""
        kinds = [point.kind for point in self.inside]
        if all(kind == "good" for kind in kinds):
            return 0
        bad = kinds.count("bad") + (kinds.count("uncertain") if self.how.treat_uncertain_as_bad else 0)
        if bad and 100 * bad / len(kinds) >= self.how.percent_data_bad:
            return BAD
        doubtful = "uncertain" in kinds and not self.how.treat_uncertain_as_bad
        if 100 * (len(kinds) - bad) / len(kinds) >= self.how.percent_data_good and not doubtful:
            return 0
        return SUBNORMAL


def line(one: Point, other: Point, time: int) -> float:
    return one.value + (other.value - one.value) * (time - one.time) / (other.time - one.time)


def average(asked: Question) -> Result:
    good = [point.value for point in asked.inside if point.kind == "good"]
    if not good:
        return NOTHING
    status = asked.share()
    return (NAN, BAD) if status == BAD else (math.fsum(good) / len(good), status | CALCULATED)


def count(asked: Question) -> Result:
    if asked.outside:
        return NOTHING
    status = asked.share()
    if status == BAD:
        return NAN, BAD
    return sum(point.kind == "good" for point in asked.inside), status | CALCULATED | asked.partial


def extreme(asked: Question, best: Callable[[list[float]], float]) -> Result:
    good = [point.value for point in asked.inside if point.kind == "good"]
    if not good:
        return NOTHING
    found = best(good)
    doubtful = any(not asked.usable(point) for point in asked.inside)
    if not asked.how.treat_uncertain_as_bad:
        uncertain = [point.value for point in asked.inside if point.kind == "uncertain"]
        doubtful |= any(value != found and best([value, found]) == value for value in uncertain)
    at_start = any(
        point.time == asked.start and point.kind == "good" and point.value == found for point in asked.inside
    )
    status = SUBNORMAL | CALCULATED if doubtful else 0 if at_start else CALCULATED
    return found, status | asked.partial | (MULTIPLE if good.count(found) > 1 else 0)


def interpolative(asked: Question) -> Result:
    return asked.bound(asked.start, stepped=asked.how.stepped)


def time_average(asked: Question) -> Result:
    opening, opened = asked.bound(asked.start, stepped=False)
    closing, closed = asked.bound(asked.end, stepped=False)
    corners = [(point.time, point.value) for point in asked.inside if asked.usable(point)]
    if math.isnan(opening) and not corners:
        return NOTHING
    late = math.isnan(opening)
    corners = corners if late else [(asked.start, opening), *corners]
    corners.append((asked.end, corners[-1][1] if math.isnan(closing) else closing))
    area = math.fsum((b - a) * (v + w) / 2 for (a, v), (b, w) in itertools.pairwise(corners))
    doubtful = opened >> 30 or closed >> 30 or any(point.kind != "good" for point in asked.inside)
    status = (SUBNORMAL if doubtful else 0) | CALCULATED | (PARTIAL if late or asked.cut else 0)
    return area / (asked.end - corners[0][0]), status


def good_time(asked: Question) -> tuple[float, int]:
    """Good ns, and where the interval effectively ends."""
    end = asked.end if asked.followed or not asked.inside else min(asked.end, asked.inside[-1].time + MS)
    good = 0
    starts = asked.inside
    if not starts or starts[0].time > asked.start:
        until = starts[0].time if starts else end
        before = [point for point in asked.points if asked.start - asked.search <= point.time < asked.start]
        behind = [point for point in asked.points if asked.start < point.time <= asked.end + asked.search]
        if before and behind and before[-1].kind == "good" and (asked.how.stepped or behind[0].kind == "good"):
            good += until - asked.start
    for at, point in enumerate(starts):
        until = starts[at + 1].time if at + 1 < len(starts) else end
        good += until - point.time if point.kind == "good" else 0
    return good, end


def duration_good(asked: Question) -> Result:
    return NOTHING if asked.outside else (good_time(asked)[0] / MS, CALCULATED | asked.partial)


def percent_good(asked: Question) -> Result:
    if asked.outside:
        return NOTHING
    good, end = good_time(asked)
    return 100 * good / max(end - asked.start, 1), CALCULATED | asked.partial


DEFINITIONS: dict[Aggregate, Callable[[Question], Result]] = {
    Aggregate.AVERAGE: average,
    Aggregate.TIME_AVERAGE: time_average,
    Aggregate.INTERPOLATIVE: interpolative,
    Aggregate.MINIMUM: lambda asked: extreme(asked, min),
    Aggregate.MAXIMUM: lambda asked: extreme(asked, max),
    Aggregate.COUNT: count,
    Aggregate.DURATION_GOOD: duration_good,
    Aggregate.PERCENT_GOOD: percent_good,
}

CODES = [0, 0, 0, 0x40000000, 0x40900000, 0x80000000, 0x808C0000]


@st.composite
def histories(draw: st.DrawFn) -> TagHistory:
    values = st.sampled_from([0.0, 1.0, 1.5, -7.25, 1e6, NAN]) | st.floats(-1e9, 1e9)
    rows = draw(st.lists(st.tuples(st.integers(0, 60), values, st.sampled_from(CODES)), max_size=40))
    rows.sort(key=lambda row: row[0])
    return TagHistory(
        np.array([row[0] for row in rows], dtype=np.int64) * MS,
        np.array([row[1] for row in rows], dtype=np.float64),
        np.array([row[2] for row in rows], dtype=np.uint32),
    )


configurations = st.builds(
    AggregateConfiguration,
    st.booleans(),
    st.sampled_from([0, 30, 50, 100]),
    st.sampled_from([0, 50, 70, 100]),
    st.booleans(),
    st.booleans(),
)
spans = st.tuples(st.integers(-10, 60), st.integers(1, 80)).map(lambda at: Span(at[0] * MS, (at[0] + at[1]) * MS))
searches = st.sampled_from([2 * MS, 15 * MS, 2**62])


@pytest.mark.parametrize("aggregate", list(Aggregate), ids=lambda each: each.value)
@settings(max_examples=80, deadline=None)
@given(histories(), configurations, st.tuples(spans, st.integers(1, 25)), searches)
def test_each_aggregate_is_what_its_definition_says(
    aggregate: Aggregate, history: TagHistory, how: AggregateConfiguration, grid: tuple[Span, int], search: int
) -> None:
    span, length = grid
    found = compute(history, span, length * MS, aggregate, how, search)
    points = [Point(*row) for row in zip(history.times.tolist(), history.values.tolist(), history.status.tolist())]  # noqa: B905
    for start, value, status in zip(found.times.tolist(), found.values.tolist(), found.status.tolist(), strict=True):
        end = min(start + length * MS, span.end_ns)
        expected = DEFINITIONS[aggregate](Question(points, start, end, end - start < length * MS, search, how))
        assert value == pytest.approx(expected[0], rel=1e-9, abs=1e-3, nan_ok=True)
        assert hex(status) == hex(expected[1])
    assert found.times.tolist() == list(range(span.start_ns, span.end_ns, length * MS))


@pytest.mark.parametrize("aggregate", list(Aggregate), ids=lambda each: each.value)
@settings(max_examples=30, deadline=None)
@given(histories(), configurations, st.tuples(st.integers(0, 40), st.integers(1, 9), st.integers(0, 6)))
def test_a_long_span_gives_the_same_in_parts(
    aggregate: Aggregate, history: TagHistory, how: AggregateConfiguration, grid: tuple[int, int, int]
) -> None:
    """If each part sees as much before and behind it as is searched, so that memory can be bounded."""
    start, length, parts = grid
    search, interval = 12 * MS, length * MS
    whole = Span(start * MS, start * MS + 7 * interval)
    middle = whole.start_ns + parts * interval
    together = compute(history, whole, interval, aggregate, how, search)
    apart = []
    for part in (Span(whole.start_ns, middle), Span(middle, whole.end_ns)):
        seen = (history.times >= part.start_ns - search) & (history.times <= part.end_ns + search)
        visible = TagHistory(history.times[seen], history.values[seen], history.status[seen])
        apart.append(compute(visible, part, interval, aggregate, how, search))
    for name in ("times", "status"):
        assert np.concatenate([getattr(each, name) for each in apart]).tolist() == getattr(together, name).tolist()
    assert np.allclose(np.concatenate([each.values for each in apart]), together.values, equal_nan=True, rtol=1e-12)


@given(st.floats(-1e15, 1e15, allow_subnormal=False), st.integers(1, 40))
def test_a_stuck_value_stays_exactly_what_it_is(value: float, count: int) -> None:
    """So that a flat line is flat in its averages too."""
    history = TagHistory(np.arange(count) * MS, np.full(count, value), np.zeros(count, dtype=np.uint32))
    for aggregate in (Aggregate.AVERAGE, Aggregate.TIME_AVERAGE, Aggregate.MINIMUM, Aggregate.INTERPOLATIVE):
        assert set(compute(history, Span(0, count * MS), 7 * MS, aggregate).values.tolist()) == {value}


def test_text_has_no_average_but_can_be_counted() -> None:
    text = TagHistory(np.arange(3) * MS, np.array(["AUTO", None, "MAN"], dtype=object), np.zeros(3, dtype=np.uint32))
    assert compute(text, Span(0, 3 * MS), 3 * MS, Aggregate.COUNT).values.tolist() == [2.0]
    with pytest.raises(Unsupported):
        compute(text, Span(0, 3 * MS), 3 * MS, Aggregate.AVERAGE)
    with pytest.raises(Unsupported):
        compute_at(text, np.array([MS]))


def test_an_interval_must_have_a_length() -> None:
    with pytest.raises(ValueError, match="longer than 0 ns"):
        interval_starts(Span(0, 10), 0)

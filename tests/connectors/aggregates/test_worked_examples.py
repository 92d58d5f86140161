"""The worked examples of OPC 10000-13, Annex A: the same figures and the same status."""

import numpy as np
import pytest

from tagsight_connectors.aggregates import Aggregate, AggregateConfiguration, compute, compute_at
from tagsight_connectors.history import Span, TagHistory

S = 1_000_000_000
NO_DATA = 0x809B0000
NAN = float("nan")

REGULAR: list[tuple[float, float, int]] = [
    (0, NAN, NO_DATA), (10, 10, 0), (20, 20, 0), (30, 30, 0), (40, 40, 0x80000000), (50, 50, 0), (60, 60, 0),
    (70, 70, 0x40000000), (80, 80, 0), (90, 90, 0),
]  # fmt: skip
IRREGULAR: list[tuple[float, float, int]] = [
    (0, NAN, NO_DATA), (2, 10, 0), (25, 20, 0), (28, 25, 0), (39, 30, 0), (42, NAN, 0x80000000), (48, 40, 0),
    (52, 50, 0), (72, 60, 0), (77, 70, 0x40000000), (83, 70, 0), (86, 80, 0), (90, 90, 0),
]  # fmt: skip

HISTORIAN_1 = (REGULAR, AggregateConfiguration(treat_uncertain_as_bad=False))
HISTORIAN_2 = (IRREGULAR, AggregateConfiguration())
HISTORIAN_3 = (IRREGULAR, AggregateConfiguration(percent_data_bad=50, percent_data_good=50, stepped=True))

Example = tuple[list[tuple[float, float, int]], AggregateConfiguration]

GOOD, UNCERTAIN, BAD, NONE = "good", "uncertain", "bad", "no data"
SUBNORMAL = 0x40A40000


def told(status: int) -> str:
    """As the examples say it."""
    words = {0: GOOD, SUBNORMAL: "subnormal", 0x40000000: UNCERTAIN, 0x80000000: BAD, NO_DATA: NONE}
    bits = ["", "calculated", "interpolated"][status & 0x03] if status & 0x400 else ""
    flags = [name for bit, name in ((0x04, "partial"), (0x10, "multiple")) if status & 0x400 and status & bit]
    return " ".join(word for word in [words[status & 0xFFFF0000], bits, *flags] if word)


def history(rows: list[tuple[float, float, int]]) -> TagHistory:
    times, values, status = zip(*rows, strict=True)
    return TagHistory(
        (np.array(times) * S).astype(np.int64), np.array(values, dtype=np.float64), np.array(status, dtype=np.uint32)
    )


def rounded(found: TagHistory) -> list[tuple[float | None, str]]:
    return [
        (None if np.isnan(value) else round(value, 3), told(status))
        for value, status in zip(found.values.tolist(), found.status.tolist(), strict=True)
    ]


def computed(example: Example, aggregate: Aggregate, seconds: int) -> list[tuple[float | None, str]]:
    rows, configuration = example
    return rounded(compute(history(rows), Span(0, 100 * S), seconds * S, aggregate, configuration))


EMPTY = (None, NONE)
GI, UI = "good interpolated", "subnormal interpolated"
GC, UC = "good calculated", "subnormal calculated"
GCP, UCP = "good calculated partial", "subnormal calculated partial"


@pytest.mark.parametrize(
    ("example", "expected"),
    [
        pytest.param(
            HISTORIAN_1,
            [EMPTY, EMPTY, (10, GOOD), (15, GI), (20, GOOD), (25, GI), (30, GOOD), (35, UI), (40, UI), (45, UI),
             (50, GOOD), (55, GI), (60, GOOD), (65, UI), (70, UNCERTAIN), (75, UI), (80, GOOD), (85, GI), (90, GOOD),
             (90, UI)],
            id="historian-1",
        ),
        pytest.param(
            HISTORIAN_2,
            [EMPTY, (11.304, GI), (13.478, GI), (15.652, GI), (17.826, GI), (20, GOOD), (25.909, GI), (28.182, GI),
             (31.111, UI), (36.667, UI), (45, GI), (51.5, GI), (54, GI), (56.5, GI), (59, GI), (62.727, UI),
             (67.273, UI), (76.667, GI), (90, GOOD), (90, UI)],
            id="historian-2",
        ),
        pytest.param(
            HISTORIAN_3,
            [EMPTY, (10, GI), (10, GI), (10, GI), (10, GI), (20, GOOD), (25, GI), (25, GI), (30, GI), (30, UI),
             (40, GI), (50, GI), (50, GI), (50, GI), (50, GI), (60, GI)],
            id="historian-3-stepped",
        ),
    ],
)  # fmt: skip
def test_interpolative_values_are_those_of_the_standard(
    example: Example, expected: list[tuple[float | None, str]]
) -> None:
    assert computed(example, Aggregate.INTERPOLATIVE, 5)[: len(expected)] == expected


def test_values_at_given_times_are_interpolated_like_those_at_the_starts_of_intervals() -> None:
    rows, configuration = HISTORIAN_2
    at = np.array([35, 5, 30, 25]) * S
    found = rounded(compute_at(history(rows), at, configuration))
    assert found == [(28.182, GI), (11.304, GI), (25.909, GI), (20, GOOD)]


def test_time_averages_are_those_of_the_standard() -> None:
    assert computed(HISTORIAN_1, Aggregate.TIME_AVERAGE, 5) == [
        EMPTY, EMPTY, (12.5, GC), (17.5, GC), (22.5, GC), (27.5, GC), (32.5, UC), (37.5, UC), (42.5, UC), (47.5, UC),
        (52.5, GC), (57.5, GC), (62.5, UC), (67.5, UC), (72.5, UC), (77.5, UC), (82.5, GC), (87.5, GC), (90, UC),
        (90, UC),
    ]  # fmt: skip


def test_a_time_average_without_a_value_before_it_counts_from_the_first_one() -> None:
    found = computed(HISTORIAN_2, Aggregate.TIME_AVERAGE, 5)
    assert found[1:5] == [(12.391, GC), (14.565, GC), (16.739, GC), (18.913, GC)]
    assert found[0][0] == 10.652
    assert found[0][1].endswith("calculated partial")


AVERAGES_1 = {10: 10, 20: 20, 30: 30, 50: 50, 60: 60, 80: 80, 90: 90}
AVERAGES_2 = {0: 10, 25: 22.5, 35: 30, 45: 40, 50: 50, 70: 60, 80: 70, 85: 80, 90: 90}


@pytest.mark.parametrize(
    ("example", "there"),
    [
        pytest.param(HISTORIAN_1, AVERAGES_1, id="historian-1"),
        pytest.param(HISTORIAN_2, AVERAGES_2, id="historian-2"),
        pytest.param(HISTORIAN_3, AVERAGES_2, id="historian-3"),
    ],
)
def test_averages_are_those_of_the_standard(example: Example, there: dict[int, float]) -> None:
    expected = [(there[second], GC) if second in there else EMPTY for second in range(0, 100, 5)]
    assert computed(example, Aggregate.AVERAGE, 5) == expected


def test_minima_and_maxima_are_those_of_the_standard() -> None:
    assert computed(HISTORIAN_1, Aggregate.MAXIMUM, 16) == [
        (10, GCP), (30, GC), EMPTY, (60, GC), EMPTY, (90, GCP), EMPTY,
    ]  # fmt: skip
    assert computed(HISTORIAN_2, Aggregate.MAXIMUM, 16) == [
        (10, GCP), (25, GC), (30, UC), (50, GC), (60, UC), (90, GCP), EMPTY,
    ]  # fmt: skip
    assert computed(HISTORIAN_2, Aggregate.MINIMUM, 16) == [
        (10, GCP), (20, GC), (30, UC), (40, GOOD), (60, UC), (70, GCP), EMPTY,
    ]  # fmt: skip


def test_durations_of_good_data_are_those_of_the_standard() -> None:
    assert computed(HISTORIAN_1, Aggregate.DURATION_GOOD, 16) == [
        (6_000, GCP), (16_000, GC), (0, GC), (14_000, GC), (0, GC), (10_001, GCP), EMPTY,
    ]  # fmt: skip
    for example in (HISTORIAN_2, HISTORIAN_3):
        assert computed(example, Aggregate.DURATION_GOOD, 16) == [
            (14_000, GCP), (16_000, GC), (10_000, GC), (16_000, GC), (13_000, GC), (7_001, GCP), EMPTY,
        ]  # fmt: skip


def test_per_cent_of_good_data_are_those_of_the_standard() -> None:
    assert computed(HISTORIAN_2, Aggregate.PERCENT_GOOD, 16) == [
        (87.5, GCP), (100, GC), (62.5, GC), (100, GC), (81.25, GC), (70.003, GCP), EMPTY,
    ]  # fmt: skip


def test_counts_are_those_of_the_standard() -> None:
    assert computed(HISTORIAN_1, Aggregate.COUNT, 16) == [
        (1, GCP), (2, GC), (None, BAD), (2, GC), (0, UC), (2, GCP), EMPTY,
    ]  # fmt: skip
    assert computed(HISTORIAN_2, Aggregate.COUNT, 16) == [
        (1, GCP), (2, GC), (1, UC), (2, GC), (1, UC), (3, GCP), EMPTY,
    ]  # fmt: skip

"""One aggregate of one tag's history."""

from collections.abc import Callable, Mapping
from typing import Final

from tagsight_connectors.aggregates import counted, timed
from tagsight_connectors.aggregates.bounds import interpolated_bounds
from tagsight_connectors.aggregates.kinds import NO_LIMIT, STANDARD, Aggregate, AggregateConfiguration
from tagsight_connectors.aggregates.rows import Codes, Intervals, Numbers, Rows
from tagsight_connectors.errors import Unsupported
from tagsight_connectors.history import Span, TagHistory, Times


def compute(  # noqa: PLR0917 - what the standard's own request holds, in its order
    history: TagHistory,
    span: Span,
    interval_ns: int,
    aggregate: Aggregate,
    configuration: AggregateConfiguration = STANDARD,
    search_ns: int = NO_LIMIT,
) -> TagHistory:
    """One value for each interval of `span`, at its start.

    Args:
        history: ascending; what lies before and behind the span gives the bounding values.
        span: of the intervals; the last one may be shorter.
        interval_ns: length of an interval.
        aggregate: see `Aggregate`.
        configuration: see `AggregateConfiguration`.
        search_ns: how far before and behind an interval its bounding values are looked for. A history that reaches
            so far gives the same result however a long span is cut into parts.

    Raises:
        Unsupported: the values are text.
    """
    rows = _rows(history, aggregate)
    intervals = Intervals.of(rows, span, interval_ns, search_ns)
    values, status = _computed(rows, intervals, aggregate, configuration, search_ns)
    return TagHistory(intervals.starts, values, status)


def compute_at(
    history: TagHistory, at: Times, configuration: AggregateConfiguration = STANDARD, search_ns: int = NO_LIMIT
) -> TagHistory:
    """The interpolated value at each of `at`, in their order (OPC 10000-11, 6.5.5). Raises Unsupported for text."""
    values, status = interpolated_bounds(_rows(history, Aggregate.INTERPOLATIVE), at, configuration, search_ns)
    return TagHistory(at, values, status)


def _rows(history: TagHistory, aggregate: Aggregate) -> Rows:
    if aggregate.of_values and history.values.dtype == object:
        raise Unsupported(what=f"{aggregate.value} of text")
    return Rows.of(history)


def _computed(
    rows: Rows, intervals: Intervals, aggregate: Aggregate, configuration: AggregateConfiguration, search_ns: int
) -> tuple[Numbers, Codes]:
    if aggregate is Aggregate.INTERPOLATIVE:
        return interpolated_bounds(rows, intervals.starts, configuration, search_ns)
    if aggregate is Aggregate.TIME_AVERAGE:
        return timed.time_average(rows, intervals, configuration, search_ns)
    return _FUNCTIONS[aggregate](rows, intervals, configuration)


_FUNCTIONS: Final[Mapping[Aggregate, Callable[[Rows, Intervals, AggregateConfiguration], tuple[Numbers, Codes]]]] = {
    Aggregate.AVERAGE: counted.average,
    Aggregate.MINIMUM: counted.minimum,
    Aggregate.MAXIMUM: counted.maximum,
    Aggregate.COUNT: counted.count,
    Aggregate.DURATION_GOOD: timed.duration_good,
    Aggregate.PERCENT_GOOD: timed.percent_good,
}

"""How much of a period a model was scored in."""

from hypothesis import given
from hypothesis import strategies as st

from tagsight.reports.availability import Tally, availability, due_times
from tagsight_connectors.history import Span

TALLIES = st.lists(
    st.builds(
        Tally,
        st.just("P101/Health"),
        st.integers(0, 3),
        st.sampled_from(["", "no fresh value", "took too long"]),
        st.booleans(),
        st.booleans(),
        st.integers(1, 500),
        st.just(0),
    ),
    max_size=8,
)


@given(TALLIES, st.integers(0, 5_000))
def test_every_due_time_is_counted_once(tallies: list[Tally], due: int) -> None:
    found = availability(tallies, due)
    runs = sum(one.count for one in tallies)
    assert found.due == max(due, runs)
    assert sum(count for _, count in found.reasons) == found.not_scored
    assert found.share is None or 0.0 <= found.share <= 1.0


@given(st.integers(0, 10_000), st.integers(0, 10_000), st.integers(1, 700))
def test_due_times_are_the_multiples_of_the_interval_in_the_period(start: int, length: int, every: int) -> None:
    span = Span(start, start + length)
    assert due_times(span, every) == sum(time % every == 0 for time in range(span.start_ns, span.end_ns))


def test_a_machine_that_stands_still_takes_nothing_from_the_availability() -> None:
    running = Tally("P101/Health", 1, "", scored=True, stopped=False, count=50, first_ns=0)
    standing = Tally("P101/Health", 1, "not running", scored=False, stopped=True, count=50, first_ns=0)
    assert availability([running, standing], 100).share == 1.0
    assert availability([running], 100).share == 0.5

"""Through the store one reads exactly what the historian has, whatever happened before."""

import random
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tagsight_connectors.errors import IncompleteRead, NotConnected, UnknownTag
from tagsight_connectors.history import Page, Sample, Span
from tagsight_connectors.quality import GOOD
from tagsight_connectors.reading import read_history
from tagsight_connectors.store.days import DAY_NS
from tagsight_connectors.store.gaps import GapState
from tagsight_connectors.tag import Access, Tag
from tests.connectors.store.stored_plant import HOSTILE, HOUR, LATE, MODE, SPEED, START, TAGS, StoredPlant

WHOLE = Span(START, START + 6 * DAY_NS)


@pytest_asyncio.fixture
async def plant(tmp_path: Path) -> AsyncIterator[StoredPlant]:
    made = await StoredPlant(tmp_path / "store").connect()
    yield made
    made.store.close()


spans = st.tuples(st.integers(-30, 170), st.integers(0, 200)).map(
    lambda one: Span(START + one[0] * HOUR, START + (one[0] + one[1]) * HOUR)
)
steps = st.one_of(
    st.tuples(st.just("read"), spans, st.sets(st.sampled_from(TAGS), min_size=1)),
    st.tuples(st.just("leave"), spans, st.integers(0, 4)),
    st.tuples(st.just("lose"), spans, st.integers(1, 6)),
    st.tuples(st.just("damage"), st.integers(0, 2**30), st.integers(0, 2)),
    st.tuples(st.just("reopen"), st.none(), st.none()),
    st.tuples(st.just("later"), st.integers(1, 40), st.none()),
    st.tuples(st.just("late"), st.integers(0, 10**15), st.floats(-10, 10)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=2, max_size=9))
async def test_after_any_reads_losses_damages_and_restarts_the_store_gives_what_the_historian_has(
    story: list[tuple[str, object, object]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        plant = await StoredPlant(Path(folder) / "store").connect()
        for what, first, second in story:
            await happen(plant, what, first, second)
        given_by_store, held = await plant.both(Span(START - DAY_NS, START + 9 * DAY_NS))
        assert given_by_store == held
        plant.store.close()


async def happen(plant: StoredPlant, what: str, first: object, second: object) -> None:
    match what, first, second:
        case "read", Span() as span, set() as addresses:
            given_by_store, held = await plant.both(span, sorted(addresses))
            assert given_by_store == held
        case "leave", Span() as span, int(count):
            pages = plant.stored.read_raw(TAGS, span)
            for _ in range(count):
                await anext(pages, None)
            await pages.aclose()  # type: ignore[attr-defined] # the law says aclose
        case "lose", Span() as span, int(pages_left):
            plant.memory.faults.lose_after_pages = pages_left
            try:
                await read_history(plant.stored, TAGS, span)
            except NotConnected:
                await plant.stored.connect()
            plant.memory.faults.lose_after_pages = None
        case "damage", int(seed), int(how):
            damage_one(plant, random.Random(seed), how)
        case "reopen", _, _:
            plant.reopen()
        case "later", int(hours), _:
            plant.fill(plant.now_ns, plant.now_ns + hours * HOUR)
            plant.now_ns += hours * HOUR
        case "late", int(place), float(value):  # anywhere in the time that is not final yet
            final_ns = (plant.now_ns - LATE) // DAY_NS * DAY_NS
            plant.memory.append(SPEED, [final_ns + place % (plant.now_ns - final_ns)], [value])


def damage_one(plant: StoredPlant, chance: random.Random, how: int) -> None:
    """A flipped byte, a torn end, or no file."""
    files = plant.files()
    if not files:
        return
    path = chance.choice(files)
    data = bytearray(path.read_bytes())
    if how == 0:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    elif how == 1:
        path.write_bytes(data[: chance.randrange(len(data))])
    else:
        path.unlink()


async def test_what_was_read_once_is_not_asked_again(plant: StoredPlant) -> None:
    await read_history(plant.stored, TAGS, WHOLE)
    plant.historian.asked.clear()
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held
    assert plant.historian.asked == []


async def test_the_day_that_is_not_over_is_asked_every_time(plant: StoredPlant) -> None:
    span = Span(START, plant.now_ns)
    await read_history(plant.stored, [SPEED], span)
    plant.historian.asked.clear()
    await read_history(plant.stored, [SPEED], span)
    assert plant.historian.asked == [(SPEED, Span(START + 6 * DAY_NS, plant.now_ns))]


async def test_late_values_inside_the_window_are_read_because_their_day_is_not_final(plant: StoredPlant) -> None:
    plant.now_ns = START + 6 * DAY_NS + LATE - 1  # the sixth day is over, but not for `late` yet
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.memory.append(SPEED, [START + 6 * DAY_NS - 5], [4711.0])
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held
    assert plant.store.gaps.changes() == []


async def test_a_part_of_a_stored_day_is_given_from_the_whole(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], Span(START + 5 * HOUR, START + 6 * HOUR))
    assert plant.historian.asked == [(SPEED, Span(START, START + DAY_NS))]
    given_by_store, held = await plant.both(Span(START + 3 * HOUR, START + 20 * HOUR), [SPEED])
    assert given_by_store == held
    assert len(plant.historian.asked) == 1


async def test_values_that_came_after_the_window_are_recorded_and_replace_what_was_stored(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.memory.append(SPEED, [START + 5 * DAY_NS + 1], [4711.0])
    assert len((await plant.both(WHOLE, [SPEED]))[0][0]) == 72  # type: ignore[arg-type]
    plant.now_ns += 2 * DAY_NS  # the newest stored day is now twice as old as when it was read
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    (change,) = plant.store.gaps.changes()
    assert (change.tag, change.day, change.kept) == (plant.key(SPEED), START // DAY_NS + 5, "new")
    assert (change.stored, change.found) == (12, 13)
    assert plant.store.gaps.totals().changed_days == 1


async def test_what_a_historian_has_dropped_stays_and_is_recorded(plant: StoredPlant) -> None:
    before, _ = await plant.both(WHOLE, [SPEED])
    plant.memory._series.pop(SPEED)
    plant.memory.add(Tag(SPEED, SPEED))
    plant.now_ns += 2 * DAY_NS
    after = [(await plant.both(WHOLE, [SPEED]))[0]]
    assert after == [before]
    assert [(one.found, one.kept) for one in plant.store.gaps.changes()] == [(0, "old")]


async def test_comparing_reads_at_most_a_twentieth_and_grows_seldom(plant: StoredPlant) -> None:
    plant.now_ns = START + 60 * DAY_NS + 2 * HOUR
    span = Span(START, START + 60 * DAY_NS)
    await read_history(plant.stored, [SPEED], span)
    counts = []
    for _ in range(8):
        plant.now_ns += 7 * DAY_NS
        plant.historian.asked.clear()
        await read_history(plant.stored, [SPEED], span)
        counts.append(plant.historian.days_asked)
    assert max(counts) <= 3
    assert sum(counts) <= 24


async def test_a_comparison_that_fails_leaves_what_is_stored(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.now_ns += 2 * DAY_NS
    plant.historian.refuse[SPEED] = IncompleteRead(SPEED, START, START + DAY_NS, "archived")
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    assert plant.store.gaps.open_gaps("plant") == []
    assert "could not be compared" in plant.told[0]


async def test_a_read_that_fails_raises_keeps_its_complete_days_and_leaves_a_gap(plant: StoredPlant) -> None:
    plant.memory.faults.lose_after_pages = 4
    with pytest.raises(NotConnected):
        await read_history(plant.stored, [SPEED], WHOLE)
    plant.memory.faults.lose_after_pages = None
    (gap,) = plant.store.gaps.open_gaps("plant")
    assert (gap.tag.address, gap.state) == (SPEED, GapState.OPEN)
    assert (gap.start_ns, gap.end_ns) == (START + 2 * DAY_NS, WHOLE.end_ns)
    await plant.stored.connect()
    plant.historian.asked.clear()
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    assert plant.historian.days_asked == 4


async def test_days_that_an_error_calls_incomplete_are_not_stored(plant: StoredPlant) -> None:
    class CutShort(type(plant.historian)):  # type: ignore[misc]
        async def read_raw(self, addresses: object, span: Span) -> AsyncIterator[Page]:
            async for page in super().read_raw(addresses, span):
                yield page
            raise IncompleteRead(SPEED, START + 3 * DAY_NS + 1, span.end_ns, "the server lost its place")

    plant.stored.historian = cut = CutShort(plant.memory)
    await cut.connect()
    with pytest.raises(IncompleteRead):
        await read_history(plant.stored, [SPEED], WHOLE)
    held = plant.store.held([plant.key(SPEED)], range(START // DAY_NS, START // DAY_NS + 6))
    assert sorted(held[plant.key(SPEED)]) == [START // DAY_NS + day for day in range(3)]


async def test_an_unknown_tag_is_an_error_and_no_gap(plant: StoredPlant) -> None:
    with pytest.raises(UnknownTag):
        await read_history(plant.stored, [SPEED, "Nowhere"], WHOLE)
    assert plant.store.gaps.open_gaps("plant") == []


async def test_a_day_that_was_written_to_is_read_again(plant: StoredPlant) -> None:
    plant.memory.add(Tag("Score", "Score", access=Access.READ | Access.WRITE))
    plant.historian._accepted = frozenset({"Score"})
    for value in (1.0, 2.0):
        await plant.stored.write([Sample("Score", START + HOUR, value, GOOD)])
        given_by_store, held = await plant.both(WHOLE, ["Score"])
        assert given_by_store == held == [[(START + HOUR, value, GOOD)]]


async def test_a_tag_that_turns_from_numbers_to_text_keeps_both(plant: StoredPlant) -> None:
    class Turned(type(plant.historian)):  # type: ignore[misc]
        async def read_raw(self, _addresses: object, span: Span) -> AsyncIterator[Page]:
            async for page in super().read_raw([SPEED, MODE], span):
                yield Page("Turned", page.history)

    plant.stored.historian = turned = Turned(plant.memory)
    await turned.connect()
    day = Span(START, START + DAY_NS)
    plant.memory.append(MODE, [START + DAY_NS - 1], ["AUTO"])
    first = await read_history(plant.stored, ["Turned"], day)
    again = await read_history(plant.stored, ["Turned"], day)
    assert again.tags["Turned"].values.dtype == object
    assert first.tags["Turned"].values.tolist() == again.tags["Turned"].values.tolist()
    assert again.tags["Turned"].values.tolist()[-1] == "AUTO"


async def test_a_dense_day_takes_several_files_and_memory_for_few(
    plant: StoredPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.store.limits.PART_VALUES", 1_000)
    monkeypatch.setattr("tagsight_connectors.store.limits.BUFFERED_VALUES", 1_500)
    plant.memory.page_values = 400
    times = START + np.arange(10_000) * 1_000_000
    plant.memory.append(SPEED, times, np.arange(10_000.0))
    plant.memory.append(HOSTILE, times, np.arange(10_000.0))
    for _ in range(2):
        given_by_store, held = await plant.both(Span(START, START + DAY_NS), [SPEED, HOSTILE])
        assert given_by_store == held
    assert len(plant.files()) > 10
    plant.files()[-1].write_bytes(b"torn")
    given_by_store, held = await plant.both(Span(START, START + DAY_NS), [SPEED, HOSTILE])
    assert given_by_store == held


async def test_the_oldest_days_of_a_very_long_read_are_asked_of_the_historian(
    plant: StoredPlant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagsight_connectors.store.limits.DAYS", 4)
    for _ in range(2):
        given_by_store, held = await plant.both(WHOLE)
        assert given_by_store == held
    assert plant.store.usage().days == 4 * len(TAGS)

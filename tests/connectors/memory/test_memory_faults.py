import asyncio

import pytest

from tagsight_connectors.errors import AccessRefused, HistorianError, NotConnected, WriteNotAllowed
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.memory import MemoryHistorian, MemoryStore
from tagsight_connectors.quality import BAD_OUT_OF_SERVICE, GOOD
from tagsight_connectors.reading import read_history
from tagsight_connectors.tag import Tag


@pytest.fixture
async def plant() -> MemoryHistorian:
    store = MemoryStore("plant", page_values=2, now_ns=lambda: 99)
    store.add(Tag("speed", "Plant/Speed"))
    store.append("speed", [1, 2, 3, 4, 5], [1.0, 2.0, 3.0, 4.0, 5.0])
    store.add_result("score")
    store.add_result("limit")
    historian = MemoryHistorian(store, accepted=frozenset({"score", "limit"}), timeout_s=0.01)
    await historian.connect()
    return historian


async def test_a_historian_that_is_down_refuses_connections_and_loses_sessions(plant: MemoryHistorian) -> None:
    plant.store.faults.down = True
    with pytest.raises(NotConnected):
        await plant.describe()
    with pytest.raises(NotConnected):
        await plant.connect()
    plant.store.faults.down = False
    with pytest.raises(NotConnected, match="no session"):
        await plant.describe()
    await plant.connect()
    assert (await plant.describe()).server_time_ns == 99


async def test_a_connection_lost_between_two_pages_is_an_error_and_the_next_read_is_whole(
    plant: MemoryHistorian,
) -> None:
    plant.store.faults.lose_after_pages = 1
    pages = plant.read_raw(["speed"], Span(0, 10))
    assert (await anext(pages)).history.times.tolist() == [1, 2]
    with pytest.raises(NotConnected):
        await anext(pages)
    await plant.connect()
    assert len((await read_history(plant, ["speed"], Span(0, 10))).tags["speed"]) == 5


async def test_a_write_whose_answer_is_lost_was_stored_and_can_be_repeated(plant: MemoryHistorian) -> None:
    plant.store.faults.lost_responses = 1
    with pytest.raises(NotConnected):
        await plant.write([Sample("score", 7, 0.5, GOOD)])
    await plant.connect()
    await plant.write([Sample("score", 7, 0.5, GOOD)])
    assert plant.store.history("score").times.tolist() == [7]
    assert len(plant.store.writes) == 2


async def test_one_refused_tag_does_not_stop_the_others(plant: MemoryHistorian) -> None:
    plant.store.faults.refused_writes["score"] = BAD_OUT_OF_SERVICE
    outcomes = await plant.write([Sample("score", 7, 0.5, GOOD), Sample("limit", 7, 1.0, GOOD)])
    assert [outcome.status for outcome in outcomes] == [BAD_OUT_OF_SERVICE, GOOD]
    assert len(plant.store.history("limit")) == 1


async def test_a_server_that_refuses_source_times_stores_under_its_own_and_says_so(plant: MemoryHistorian) -> None:
    plant.store.faults.no_source_times = True
    (outcome,) = await plant.write([Sample("score", 7, 0.5, GOOD)])
    assert outcome.status == GOOD
    assert not outcome.time_kept
    assert plant.store.history("score").times.tolist() == [99]


async def test_a_historian_that_does_not_answer_is_given_up_after_the_timeout(plant: MemoryHistorian) -> None:
    plant.store.faults.answer_when = asyncio.Event().wait
    with pytest.raises(NotConnected, match=r"0\.01 s"):
        await plant.read_current(["speed"])


async def test_history_that_may_not_be_read_is_an_error(plant: MemoryHistorian) -> None:
    plant.store.faults.unreadable.add("speed")
    with pytest.raises(AccessRefused):
        await read_history(plant, ["speed"], Span(0, 10))


async def test_nothing_arrives_when_one_address_of_a_write_was_not_accepted(plant: MemoryHistorian) -> None:
    with pytest.raises(WriteNotAllowed):
        await plant.write([Sample("score", 7, 0.5, GOOD), Sample("speed", 7, 0.5, GOOD)])
    assert plant.store.writes == []


async def test_a_closed_session_answers_nothing(plant: MemoryHistorian) -> None:
    await plant.close()
    await plant.close()
    with pytest.raises(HistorianError):
        await plant.read_current(["speed"])

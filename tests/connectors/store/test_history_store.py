"""The folder of the store: damage is seen, size and age are bounded, and names from outside do no harm."""

import asyncio
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import deque
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tagsight_connectors.history import Span, TagHistory
from tagsight_connectors.reading import read_history
from tagsight_connectors.store.catalogue import StoredDay
from tagsight_connectors.store.database import StoreFailure
from tagsight_connectors.store.day_file import checksum_of, decode, encode
from tagsight_connectors.store.day_writer import DayWriter
from tagsight_connectors.store.days import DAY_NS, TagKey
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
from tagsight_connectors.store.limits import TEXTS_AT_ONCE
from tests.connectors.store.stored_plant import HOSTILE, HOUR, MODE, SPEED, START, TAGS, StoredPlant, make_old

WHOLE = Span(START, START + 6 * DAY_NS)
DAY = START // DAY_NS
BLOCK = 4_096


@pytest_asyncio.fixture
async def plant(tmp_path: Path) -> AsyncIterator[StoredPlant]:
    made = await StoredPlant(tmp_path / "store").connect()
    yield made
    made.store.close()


def test_texts_with_and_without_values_come_back_whatever_their_number() -> None:
    tag = TagKey("plant", MODE)
    for count in (1, 7, 8, 9, TEXTS_AT_ONCE - 1, TEXTS_AT_ONCE, TEXTS_AT_ONCE + 1, 3 * TEXTS_AT_ONCE):
        texts = np.full(count, None, dtype=object)
        texts[:] = [None if at % 5 == 3 else f"Zustand ä{at}" * (at % 3) for at in range(count)]
        history = TagHistory(np.arange(count) + START, texts, np.zeros(count, np.uint32))
        data = encode(history, tag, DAY)
        assert decode(data, checksum_of(data), tag, DAY).values.tolist() == texts.tolist()


def test_an_open_store_imports_nothing_more_for_numbers_and_texts_and_never_pandas(tmp_path: Path) -> None:
    """Importing holds the interpreter, and with it the event loop."""
    work = """
import sys, numpy as np
from pathlib import Path
from tagsight_connectors.history import TagHistory
from tagsight_connectors.store.days import TagKey
from tagsight_connectors.store.history_store import HistoryStore, StoreBounds
store = HistoryStore.open(Path(sys.argv[1]), StoreBounds())
before = set(sys.modules)
for values in (np.ones(2), np.array(["a", None], dtype=object)):
    part = store.write_part(TagKey("plant", "T"), 0, TagHistory(np.arange(2), values, np.zeros(2, np.uint32)), 0)
    store._part(TagKey("plant", "T"), 0, part)
heavy = ("pandas", "pyarrow")
print(len([name for name in sys.modules if name.startswith(heavy) and name not in before]), "pandas" in sys.modules)
"""
    command = [sys.executable, "-c", work, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.split() == ["0", "False"], done.stderr


async def test_every_file_of_the_store_may_be_damaged_at_once_and_reads_stay_true(plant: StoredPlant) -> None:
    chance = random.Random(7)
    await read_history(plant.stored, TAGS, WHOLE)
    plant.store.close()
    for path in [one for one in plant.folder.rglob("*") if one.is_file()]:
        data = bytearray(path.read_bytes())
        for _ in range(max(1, len(data) // 200)):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
    plant.reopen()
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held
    assert plant.told
    plant.historian.asked.clear()
    await plant.both(WHOLE)
    assert plant.historian.asked == []


@pytest.mark.parametrize("seed", range(12))
async def test_single_damages_of_the_catalogue_never_give_wrong_values(plant: StoredPlant, seed: int) -> None:
    chance = random.Random(seed)
    await read_history(plant.stored, TAGS, WHOLE)
    plant.store.close()
    catalogue = plant.folder / "catalogue.sqlite"
    data = bytearray(catalogue.read_bytes())
    for _ in range(5):
        data[chance.randrange(100, len(data))] ^= 1 << chance.randrange(8)
    catalogue.write_bytes(data)
    plant.reopen()
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held


async def test_a_damaged_day_is_told_counted_and_replaced(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.files()[2].write_bytes(b"PAR1")
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    cause = "stored history is damaged (its checksum is another); the historian is asked again"
    assert plant.told == [f"{SPEED}, 2024-10-06: {cause}"]
    assert plant.store.usage().damaged == 1
    assert len(plant.files()) == 6


async def test_a_row_that_wrongly_says_that_there_were_no_values_is_not_believed(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    with sqlite3.connect(plant.folder / "catalogue.sqlite") as catalogue:
        catalogue.execute("UPDATE days SET count = 0, parts = '[]', content = '' WHERE day = ?", (DAY + 1,))
    catalogue.close()
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    assert "its row in the catalogue is damaged" in plant.told[0]


async def test_files_in_each_others_place_are_seen(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    first, second = plant.files()[:2]
    one, other = first.read_bytes(), second.read_bytes()
    first.write_bytes(other)
    second.write_bytes(one)
    given_by_store, held = await plant.both(WHOLE, [SPEED])
    assert given_by_store == held
    assert len(plant.told) == 2


async def test_names_from_outside_never_become_paths(plant: StoredPlant) -> None:
    await read_history(plant.stored, TAGS, WHOLE)
    files = plant.files()
    assert len({path.parent for path in files}) == 3
    for path in files:
        assert path.is_relative_to(plant.folder / "files")
        assert all(len(part) <= 64 and part.isascii() for part in path.relative_to(plant.folder).parts)
    assert TagKey("a", "bc").folder != TagKey("ab", "c").folder


async def test_the_size_is_bounded_and_what_was_longest_unused_goes_first(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path, bounds=StoreBounds(at_most_bytes=8 * BLOCK)).connect()
    await read_history(plant.stored, [HOSTILE], WHOLE)
    plant.now_ns += HOUR
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.now_ns += HOUR
    assert plant.store.usage().room <= 8 * BLOCK
    await read_history(plant.stored, [MODE], WHOLE)
    usage = plant.store.usage()
    assert usage.room <= 8 * BLOCK
    held = plant.store.held([plant.key(one) for one in TAGS], range(DAY, DAY + 6))
    assert not any(one.count for one in held[plant.key(HOSTILE)].values())
    assert any(one.count for one in held[plant.key(MODE)].values())
    assert usage.at_most == 8 * BLOCK
    plant.store.close()


async def test_a_read_larger_than_the_store_is_complete_and_does_not_throw_out_what_it_stored(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path, bounds=StoreBounds(at_most_bytes=3 * BLOCK)).connect()
    for _ in range(3):
        given_by_store, held = await plant.both(WHOLE)
        assert given_by_store == held
        plant.now_ns += HOUR
    assert any("is not stored" in told for told in plant.told)
    plant.historian.asked.clear()
    await plant.both(WHOLE, [SPEED])
    assert plant.historian.days_asked <= 5
    plant.store.close()


async def test_nothing_is_stored_while_the_disk_is_nearly_full(tmp_path: Path) -> None:
    least = shutil.disk_usage(tmp_path).total
    plant = await StoredPlant(tmp_path / "store", bounds=StoreBounds(least_free_bytes=least)).connect()
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held
    assert plant.files() == []
    assert "has less than" in plant.told[0]
    plant.store.close()


async def test_what_nothing_asked_for_any_more_goes_with_what_was_left_behind(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    left = plant.files()[0].with_name("2024-10-04-abc.new")
    left.write_bytes(b"an end in the middle")
    young = left.with_name("2024-10-04-def.parquet")
    young.write_bytes(b"somebody writes it at the moment")
    make_old(left, hours=2)
    wall_ns = young.stat().st_mtime_ns + 1
    plant.store.tidy(plant.now_ns, wall_ns)
    assert (left.exists(), young.exists(), len(plant.files())) == (False, True, 7)
    plant.store.tidy(plant.now_ns + 91 * DAY_NS, wall_ns)
    assert plant.files() == [young]
    assert plant.store.usage().room == 0


async def test_two_processes_may_use_one_folder(plant: StoredPlant) -> None:
    other = StoredPlant(plant.folder)
    await other.connect()
    await asyncio.gather(read_history(plant.stored, TAGS, WHOLE), read_history(other.stored, TAGS, WHOLE))
    plant.store.forget(plant.key(SPEED), range(DAY, DAY + 3))
    given_by_store, held = await other.both(WHOLE)
    assert given_by_store == held
    other.store.close()


async def test_a_day_that_another_process_removed_meanwhile_is_asked_of_the_historian(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    pages = plant.stored.read_raw([SPEED], WHOLE)
    times = (await anext(pages)).history.times.tolist()
    plant.store.forget_all()
    async for page in pages:
        times += page.history.times.tolist()
    assert times == [row[0] for row in (await plant.both(WHOLE, [SPEED]))[1][0]]  # type: ignore[index]


async def test_a_store_that_cannot_be_used_costs_speed_and_nothing_else(plant: StoredPlant) -> None:
    await read_history(plant.stored, [SPEED], WHOLE)
    plant.store.close()
    given_by_store, held = await plant.both(WHOLE)
    assert given_by_store == held
    assert plant.told


async def test_a_cancelled_read_stores_no_half_day(plant: StoredPlant) -> None:
    for pages in range(1, 8):
        waiting = asyncio.Event()
        answers = iter(range(100))

        async def answer(at_most: int = pages, answers: object = answers, waiting: asyncio.Event = waiting) -> None:
            if next(answers) >= at_most:  # type: ignore[call-overload]
                waiting.set()
                await asyncio.Event().wait()

        plant.memory.faults.answer_when = answer
        reading = asyncio.create_task(read_history(plant.stored, [SPEED], WHOLE))
        await waiting.wait()
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        plant.memory.faults.answer_when = None
        given_by_store, held = await plant.both(WHOLE, [SPEED])
        assert given_by_store == held
        plant.store.forget_all()


async def test_a_page_that_arrives_after_the_read_was_left_is_not_taken(plant: StoredPlant) -> None:
    writer = DayWriter(plant.store, [plant.key(SPEED)], range(DAY, DAY + 6), plant.now_ns)
    pages = [page async for page in plant.historian.read_raw([SPEED], WHOLE)]
    writer.take(pages[0])
    writer.abandon()
    with pytest.raises(StoreFailure):
        writer.take(pages[3])
    with pytest.raises(StoreFailure):
        writer.finish()
    assert plant.store.usage().days == 0
    assert plant.files() == []


def test_a_folder_that_cannot_be_made_is_a_failure_of_the_store(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreFailure):
        HistoryStore.open(tmp_path / "file" / "store", StoreBounds())


def test_days_without_values_take_no_file(tmp_path: Path) -> None:
    tag = TagKey("plant", SPEED)
    with HistoryStore.open(tmp_path, StoreBounds()) as store:
        store.add(tag, [StoredDay(day, 0, "", (), 0) for day in range(10)])
        assert (store.usage().days, store.usage().room, store.usage().values) == (10, 0, 0)
        assert list(store.load(tag, deque(store.held([tag], range(10))[tag].values()))) == []

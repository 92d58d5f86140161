"""Aggregates through the store: what TagSight computes in any case is computed from stored days."""

from pathlib import Path

import numpy as np

from tagsight_connectors.aggregates import Aggregate, Computer, compute
from tagsight_connectors.history import Span
from tagsight_connectors.store.days import DAY_NS
from tests.connectors.store.stored_plant import HOUR, SPEED, START, StoredPlant

WHOLE = Span(START, START + 4 * DAY_NS)


async def test_own_averages_of_stored_days_ask_the_historian_for_nothing(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path / "store").connect()
    for _ in range(2):
        plant.historian.asked.clear()
        found = await plant.stored.read_processed([SPEED], WHOLE, Aggregate.AVERAGE, 6 * HOUR, own=[SPEED])
    expected = compute(plant.memory.history(SPEED), WHOLE, 6 * HOUR, Aggregate.AVERAGE)
    plant.store.close()
    assert np.array_equal(found.tags[SPEED].values, expected.values, equal_nan=True)
    assert found.computed_by == {SPEED: Computer.TAGSIGHT}
    assert plant.historian.days_asked == 0


async def test_other_aggregates_are_the_historians(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path / "store").connect()
    await plant.stored.read_processed([SPEED], WHOLE, Aggregate.AVERAGE, 6 * HOUR)
    found = await plant.stored.read_at_times([SPEED], np.array([START + HOUR, START]))
    plant.store.close()
    assert plant.historian.days_asked > 0
    assert found.tags[SPEED].times.tolist() == [START + HOUR, START]

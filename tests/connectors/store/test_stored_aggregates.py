"""Aggregates through the store: what TagSight computes in any case is computed from stored days."""

from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.aggregates import Aggregate, Computer, compute
from tagsight_connectors.history import Span
from tagsight_connectors.store.days import DAY_NS
from tests.connectors.store.stored_plant import HOUR, SPEED, START, StoredPlant

WHOLE = Span(START, START + 4 * DAY_NS)


@pytest.mark.parametrize("own", [[SPEED], []], ids=["as-asked", "because-the-historian-does-not"])
async def test_averages_of_stored_days_that_tagsight_computes_ask_the_historian_for_no_day(
    tmp_path: Path, own: list[str]
) -> None:
    plant = await StoredPlant(tmp_path / "store").connect()
    for _ in range(2):
        plant.historian.asked.clear()
        found = await plant.stored.read_processed([SPEED], WHOLE, Aggregate.AVERAGE, 6 * HOUR, own=own)
    expected = compute(plant.memory.history(SPEED), WHOLE, 6 * HOUR, Aggregate.AVERAGE)
    plant.store.close()
    assert np.array_equal(found.tags[SPEED].values, expected.values, equal_nan=True)
    assert found.computed_by == {SPEED: Computer.TAGSIGHT}
    assert plant.historian.days_asked == 0


async def test_values_at_given_times_are_the_historians_answer(tmp_path: Path) -> None:
    plant = await StoredPlant(tmp_path / "store").connect()
    found = await plant.stored.read_at_times([SPEED], np.array([START + HOUR, START]))
    plant.store.close()
    assert len(plant.historian.asked) == 1
    assert found.tags[SPEED].times.tolist() == [START + HOUR, START]

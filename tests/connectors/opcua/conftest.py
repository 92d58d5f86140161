"""One served plant for each module of tests."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tagsight_connectors.opcua.memory_source import MemorySource
from tests.connectors.opcua.served_plant import Plant


@pytest.fixture(scope="module")
def source() -> MemorySource | None:
    """What the plant serves; None: its own. A module may say otherwise."""
    return None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plant(tmp_path_factory: pytest.TempPathFactory, source: MemorySource | None) -> AsyncIterator[Plant]:
    folder = tmp_path_factory.mktemp("plant")
    plant = Plant(folder) if source is None else Plant(folder, source)
    plant.trust(plant.own())
    async with plant.make_server():
        yield plant

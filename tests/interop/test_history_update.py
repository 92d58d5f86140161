"""Results stored by HistoryUpdate in a historian by o6 (open62541), the only one of those at hand that takes it.

o6 is proprietary and no dependency: without it (`pip install o6==2.2.0`) these tests are skipped.
"""

import importlib.util
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight_connectors.connection import Connection, MessageSecurity, WriteService
from tagsight_connectors.history import Sample, Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.quality import Quality, quality_of
from tagsight_connectors.reading import read_history
from tests.interop.foreign import free_port

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("o6") is None, reason="o6 is not installed (proprietary, optional: pip install o6==2.2.0)"
)

SECOND = 10**9
START_NS = 1_760_000_000 * SECOND
URI = "urn:open62541.unconfigured.application"
SCORE, ALARM, REASON, LOCKED = (f"nsu={URI};s=Results/{name}" for name in ("Score", "Alarm", "Reason", "Locked"))
INSERTED, REPLACED = 0x00A20000, 0x00A30000


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    port = free_port()
    command = [sys.executable, str(Path(__file__).parent / "o6_historian.py"), str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        if not any(line.strip() == "ready" for line in process.stdout):
            pytest.fail("the historian by o6 did not start")
        yield Connection(
            f"opc.tcp://127.0.0.1:{port}",
            security=MessageSecurity.NONE,
            anonymous=True,
            accepted=frozenset({SCORE, ALARM, REASON, LOCKED}),
            writes_by=WriteService.HISTORY_UPDATE,
        )
        process.kill()


@pytest.fixture
async def historian(connection: Connection) -> AsyncIterator[OpcUaHistorian]:
    opened = open_opcua(connection)
    await opened.connect()
    yield opened
    await opened.close()


async def test_results_are_inserted_and_the_same_ones_again_replace_them(historian: OpcUaHistorian) -> None:
    samples = [
        Sample(SCORE, START_NS, 0.5, 0),
        Sample(ALARM, START_NS, 1, 0),
        Sample(REASON, START_NS, "within the on-delay", 0),
        Sample(SCORE, START_NS + SECOND, None, 0x80000000),
    ]
    assert [one.status for one in await historian.write(samples)] == [INSERTED] * 4
    assert [one.status for one in await historian.write(samples)] == [REPLACED] * 4
    found = await read_history(historian, [SCORE, ALARM, REASON], Span(START_NS, START_NS + 2 * SECOND))
    score = found.tags[SCORE]
    assert score.times.tolist() == [START_NS, START_NS + SECOND]
    assert (score.values[0], np.isnan(score.values[1])) == (0.5, True)
    assert quality_of(int(score.status[1])) is Quality.BAD
    assert found.tags[ALARM].values.tolist() == [1.0]
    assert found.tags[REASON].values.tolist() == ["within the on-delay"]


async def test_a_backlog_of_an_hour_arrives_whole_and_is_read_back_over_many_pages(historian: OpcUaHistorian) -> None:
    begin = START_NS + 10_000 * SECOND
    values = np.random.default_rng(7).random(3_600)
    samples = [Sample(SCORE, begin + at * SECOND, float(value), 0) for at, value in enumerate(values)]
    outcomes = await historian.write(samples[::-1])
    assert {one.status for one in outcomes} == {INSERTED}
    found = (await read_history(historian, [SCORE], Span(begin, begin + 3_600 * SECOND))).tags[SCORE]
    assert found.values.tolist() == values.tolist()


async def test_a_tag_without_history_is_refused_and_the_others_are_stored(historian: OpcUaHistorian) -> None:
    at = START_NS + 20_000 * SECOND
    locked, score = await historian.write([Sample(LOCKED, at, 1.0, 0), Sample(SCORE, at, 1.0, 0)])
    assert quality_of(locked.status) is Quality.BAD
    assert score.status == INSERTED


async def test_the_write_service_of_this_server_takes_no_source_time_and_that_is_told(connection: Connection) -> None:
    writer = open_opcua(replace(connection, writes_by=WriteService.WRITE))
    await writer.connect()
    (outcome,) = await writer.write([Sample(LOCKED, START_NS, 2.0, 0)])
    assert (quality_of(outcome.status), outcome.time_kept) == (Quality.GOOD, False)
    await writer.close()

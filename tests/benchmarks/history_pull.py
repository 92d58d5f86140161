"""Values per second of a history pull: our decoder alone, our pull, and asyncua's own reader on the same server.

Ours and asyncua's take turns; a speed is the median of its turns, a ratio that of neighbouring turns.

    python -m tests.benchmarks.history_pull [VALUES]

The server is node-opcua where it is installed (TAGSIGHT_INTEROP_CACHE, see tests/interop), over SignAndEncrypt. It is
what takes the time of our pulls; `pull_clients` compares the clients on a faster one. asyncua reads the one tag
in both cases.
"""

import asyncio
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from asyncua import ua
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary
from platformdirs import user_cache_path

from tagsight_connectors.history import Span
from tagsight_connectors.opcua.client import OpcUaHistorian, open_opcua
from tagsight_connectors.opcua.decoding import decode_history_response
from tests.interop.foreign import NODE_URI, ForeignTag, node_historian

START_MS = 1_700_000_000_000
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
REPEATS = 5
TURNS = 3


def rate(count: int, work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Values per second, median of the repeats."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return count / statistics.median(seconds)


def response(values: list[ua.DataValue]) -> bytes:
    """A HistoryRead answer as asyncua encodes it."""
    data = ua.HistoryData(DataValues=values)
    return bytes(struct_to_binary(ua.HistoryReadResponse(Results=[ua.HistoryReadResult(HistoryData=data)])))


def decoders(count: int = 100_000) -> None:
    """Decoding alone."""

    def value(at: int, status: int = 0) -> ua.DataValue:
        time_ = EPOCH + dt.timedelta(seconds=at)
        return ua.DataValue(Value=ua.Variant(float(at)), StatusCode=ua.StatusCode(status), SourceTimestamp=time_)

    plain = response([value(at) for at in range(count)])
    bad = response([value(at) if at % 100 else ua.DataValue(SourceTimestamp=EPOCH) for at in range(count)])
    alternating = response([value(at) if at % 2 else ua.DataValue(SourceTimestamp=EPOCH) for at in range(count)])
    for name, body in (("one layout", plain), ("1 % other layout", bad), ("alternating", alternating)):
        turns = [
            (
                rate(count, partial(decode_history_response, body, 1)),
                rate(count, partial(asyncuas_decoder, body), 1),
            )
            for _ in range(TURNS)
        ]
        print(f"decoding, {name:17} {compared(turns)}")


def compared(turns: Sequence[tuple[float, float]]) -> str:
    """Speeds of ours and asyncua's, and how many times as fast ours is."""
    ours, theirs = (statistics.median(speeds) for speeds in zip(*turns, strict=True))
    ratio = statistics.median(ours / theirs for ours, theirs in turns)
    return f"ours {ours:12,.0f}/s, asyncua's {theirs:8,.0f}/s: {ratio:.1f} times as fast"


def asyncuas_decoder(body: bytes) -> object:
    """asyncua's own decoding of an answer."""
    answer = struct_from_binary(ua.HistoryReadResponse, ua.utils.Buffer(body))
    return answer.Results[0].HistoryData


async def pulls(count: int) -> None:
    """Whole pulls of one tag and of ten."""
    modules = user_cache_path("tagsight-interop") / "node" / "node_modules"
    tags = [ForeignTag(f"Plant/T{at}", [float(value) for value in range(count // 10)]) for at in range(10)]
    tags.append(ForeignTag("Plant/Long", [float(value) for value in range(count)]))
    with tempfile.TemporaryDirectory() as folder, node_historian(modules, Path(folder), tags) as foreign:
        historian = open_opcua(foreign.connection)
        await historian.connect()
        span = Span(START_MS * 1_000_000, (START_MS + count * 1_000) * 1_000_000)
        for name, wanted in (("1 tag", tags[-1:]), ("10 tags", tags[:-1])):
            addresses = [f"nsu={NODE_URI};s={tag.path}" for tag in wanted]
            await our_pull(historian, addresses, span)  # the first warms the server up
            turns = [
                (await our_pull(historian, addresses, span), await asyncuas_reader(historian, count))
                for _ in range(TURNS)
            ]
            print(f"pulling {name:8} {compared(turns)}")
        await historian.close()


async def our_pull(historian: OpcUaHistorian, addresses: Sequence[str], span: Span) -> float:
    """Values per second."""
    started, found = time.perf_counter(), 0
    async for page in historian.read_raw(addresses, span):
        found += len(page.history)
    return found / (time.perf_counter() - started)


async def asyncuas_reader(historian: OpcUaHistorian, count: int) -> float:
    """asyncua's `read_raw_history`; it stops silently after two pages of this server, so it is asked for one."""
    client = historian._client
    assert client is not None
    node = client.get_node(ua.NodeId("Plant/Long", await client.get_namespace_index(NODE_URI)))
    begin = EPOCH + dt.timedelta(milliseconds=START_MS)
    few = min(count, 100_000)
    started = time.perf_counter()
    values = await node.read_raw_history(begin, begin + dt.timedelta(seconds=few - 1), 0)
    return len(values) / (time.perf_counter() - started)


if __name__ == "__main__":
    decoders()
    asyncio.run(pulls(int(sys.argv[1]) if len(sys.argv) > 1 else 500_000))

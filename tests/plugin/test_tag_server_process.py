"""The tag server's process: what it tells the service, and that it does not outlive it."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from asyncua import Client

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.ledger.ledger import Ledger
from tagsight.plan import Security
from tagsight.tag_server_process import TagServerProcess

SERVER = """
import asyncio, sys
from tagsight import tag_server
tag_server.ORPHAN_SERVES_S = 0.0
sys.exit(asyncio.run(tag_server._main(sys.argv[1:])))
"""


@pytest.fixture
def data(tmp_path: Path) -> Iterator[DataFolder]:
    folder = DataFolder(tmp_path / "data")
    folder.create()
    with Ledger.open(folder.ledger, SystemClock()):
        yield folder


def test_a_server_whose_service_is_gone_ends(data: DataFolder) -> None:
    command = [sys.executable, "-c", SERVER, str(data.root), "127.0.0.1", "0"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        assert server.stdout.readline().startswith("serving opc.tcp://127.0.0.1:")
        assert server.poll() is None
        server.stdin.close()
        assert server.wait(60) == 0


@pytest.mark.parametrize(("security", "modes"), [(Security.SIGN_AND_ENCRYPT, {3}), (Security.SIGN, {2, 3})])
async def test_the_server_signs_only_where_that_is_set(data: DataFolder, security: Security, modes: set[int]) -> None:
    urls: asyncio.Queue[str] = asyncio.Queue()
    process = TagServerProcess(data, "127.0.0.1", 0, SystemClock(), print, urls.put_nowait, security)
    server = asyncio.create_task(process.run())
    async with asyncio.timeout(60.0):
        endpoints = await Client(await urls.get()).connect_and_get_server_endpoints()
    server.cancel()
    await asyncio.gather(server, return_exceptions=True)
    assert {int(endpoint.SecurityMode) for endpoint in endpoints} == modes


async def test_the_service_hears_where_the_server_is_and_why_another_one_ended(data: DataFolder) -> None:
    urls: asyncio.Queue[str] = asyncio.Queue()
    troubles: asyncio.Queue[str] = asyncio.Queue()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ports = (0, taken.getsockname()[1])
        servers = [
            asyncio.create_task(
                TagServerProcess(
                    data, "127.0.0.1", port, SystemClock(), lambda _, why: troubles.put_nowait(why), urls.put_nowait
                ).run()
            )
            for port in ports
        ]
        async with asyncio.timeout(60.0):
            assert (await urls.get()).startswith("opc.tcp://127.0.0.1:")
            why = await troubles.get()
        for server in servers:
            server.cancel()
        await asyncio.gather(*servers, return_exceptions=True)
    assert "started again" in why
    assert why.partition(";")[0].removeprefix("ended: ") in (data.logs / "tag-server.log").read_text(encoding="utf-8")

"""The tag server's process: serves the ledger over OPC UA and appends what operators write to the inbox.

It is started and replaced by the service; its death stops nothing. It never imports torch.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile
from tagsight.inbox import Inbox
from tagsight.ledger.ledger import Ledger
from tagsight.platform import install_stop_signals
from tagsight.served_alarms import LedgerAlarms
from tagsight.served_results import LedgerSource
from tagsight.users import Users
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings

APPLICATION_URI: Final = "urn:tagsight:server"
_PARENT_LOOK_S: Final = 2.0


async def serve(data: DataFolder, host: str, port: int, stop: asyncio.Event) -> None:
    """Serve until `stop`. Raises StorageError where there is no ledger yet, OSError where the port is taken."""
    clock = SystemClock()
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open_reader(data.ledger, clock))
        inbox = stack.enter_context(Inbox.open(data.inbox))
        source = LedgerSource(ledger, HeartbeatFile(data.heartbeat), inbox, clock)
        alarms = LedgerAlarms(ledger, HeartbeatFile(data.heartbeat), inbox, clock)
        settings = ServerSettings(host, port, data.certificates, APPLICATION_URI)
        users = Users(data.users, clock)
        async with TagServer(source, settings, users.authenticate, clock, alarms) as server:
            print(f"serving {server.url}", flush=True)  # noqa: T201 - the service waits for this line
            await stop.wait()


async def _main(arguments: Sequence[str]) -> None:
    data, host, port = DataFolder(Path(arguments[0])), arguments[1], int(arguments[2])
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    watch = asyncio.create_task(_end_with_parent(os.getppid(), stop))
    try:
        await serve(data, host, port, stop)
    finally:
        watch.cancel()


async def _end_with_parent(parent: int, stop: asyncio.Event) -> None:
    """A service that was killed leaves no server behind that nobody would replace: after staleness has shown."""
    orphaned = 0
    while not stop.is_set():
        await asyncio.sleep(_PARENT_LOOK_S)
        orphaned = orphaned + 1 if os.getppid() != parent else 0
        if orphaned * _PARENT_LOOK_S > 60.0:
            stop.set()


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1:]))

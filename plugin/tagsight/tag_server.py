"""The tag server's process: serves the ledger over OPC UA and appends what operators write to the inbox.

It is started and replaced by the service; its death stops nothing. It never imports torch.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.errors import TagSightError
from tagsight.heartbeat import HeartbeatFile
from tagsight.inbox import Inbox
from tagsight.kept_process import FAILED, SERVING
from tagsight.ledger.ledger import Ledger
from tagsight.logs import open_log
from tagsight.plan import Security
from tagsight.platform import install_stop_signals, wait_for_end_of_input
from tagsight.served_alarms import LedgerAlarms
from tagsight.served_results import LedgerSource
from tagsight.served_types import served_types
from tagsight.users import Users
from tagsight_connectors.opcua.server import TagServer
from tagsight_connectors.opcua.server_settings import ServerSettings
from tagsight_explain.language import ENGLISH

APPLICATION_URI: Final = "urn:tagsight:server"
ORPHAN_SERVES_S: Final = 60.0
"""So long after the service's end the outputs are still there, and say that they are stale."""


async def serve(
    data: DataFolder, host: str, port: int, stop: asyncio.Event, *, sign: bool = False, code: str = ENGLISH
) -> None:
    """Serve until `stop`. Raises StorageError where there is no ledger yet, OSError where the port is taken."""
    clock = SystemClock()
    with ExitStack() as stack:
        ledger = stack.enter_context(Ledger.open_reader(data.ledger, clock))
        inbox = stack.enter_context(Inbox.open(data.inbox))
        source = LedgerSource(ledger, HeartbeatFile(data.heartbeat), inbox, clock)
        alarms = LedgerAlarms(ledger, HeartbeatFile(data.heartbeat), inbox, clock, language=code)
        settings = ServerSettings(host, port, data.certificates, APPLICATION_URI, sign=sign, types=served_types())
        users = Users(data.users, clock)
        server = TagServer(
            source,
            settings,
            users.authenticate,
            clock,
            alarms,
            level=source.service_level,
            by_certificate=users.by_certificate,
        )
        async with server:
            _keep_for_good()
            print(f"{SERVING}{server.url}", flush=True)  # noqa: T201 - the service waits for this line
            await stop.wait()


def _keep_for_good() -> None:
    """The address space stays as long as the process: looking through it for garbage held clients for half a second."""
    gc.collect()
    gc.freeze()


async def _main(arguments: Sequence[str]) -> int:
    data, host, port = DataFolder(Path(arguments[0])), arguments[1], int(arguments[2])
    sign = Security.SIGN.value in arguments[3:4]
    code = "".join(arguments[4:5]) or ENGLISH
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    watch = asyncio.create_task(_end_with_service(stop))
    with open_log(data.logs, "tag-server") as log:
        try:
            await serve(data, host, port, stop, sign=sign, code=code)
        except (TagSightError, OSError) as error:
            log.exception("ended", message=str(error))
            print(f"{FAILED}{' '.join(str(error).splitlines())}", flush=True)  # noqa: T201 - the service tells it
            return 1
        except Exception:
            log.exception("ended unexpectedly")
            raise
        finally:
            watch.cancel()
    return 0


async def _end_with_service(stop: asyncio.Event) -> None:
    """A service that was killed leaves no server behind that nobody would replace: it ends when staleness has shown."""
    loop, gone = asyncio.get_running_loop(), asyncio.Event()

    def wait() -> None:
        wait_for_end_of_input()
        if not loop.is_closed():
            loop.call_soon_threadsafe(gone.set)

    threading.Thread(target=wait, daemon=True).start()  # not of a pool: nothing may wait for its end
    await gone.wait()
    await asyncio.sleep(ORPHAN_SERVES_S)
    stop.set()


if __name__ == "__main__":
    sys.exit(asyncio.run(_main(sys.argv[1:])))

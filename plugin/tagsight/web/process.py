"""The pages' process: serves browsers until it is stopped. Started by the service, or alone by `tagsight web`."""

import asyncio
import ssl
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import uvicorn

from tagsight.clocks import SystemClock
from tagsight.data_folder import DataFolder
from tagsight.errors import NotReady, TagSightError
from tagsight.inbox import Inbox
from tagsight.kept_process import FAILED, SERVING
from tagsight.logs import open_log
from tagsight.plan import WebPlan
from tagsight.platform import install_stop_signals, wait_for_end_of_input, write_private
from tagsight.web.application import application
from tagsight.web.certificate import tls_files
from tagsight.web.site import Site
from tagsight.web.start import Start

CONNECTIONS: Final = 1_000
HEAD_BYTES: Final = 16 * 1_024
MESSAGE_BYTES: Final = 1_024 * 1_024
STOP_S: Final = 5
LOG: Final = "pages"


class Server(uvicorn.Server):
    """uvicorn's, told to stop by us: signals have one place."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals alone."""
        yield


async def serve(start: Start, stop: asyncio.Event, ready: Callable[[str, str], None]) -> None:
    """Serve until `stop`; `ready` is told the address, and the link for the first user or "".

    Raises:
        NotReady: the address or the certificate cannot be used.
        StorageError: the inbox or the users cannot be read.
    """
    clock, data = SystemClock(), DataFolder(start.data)
    data.create()
    with ExitStack() as stack:
        inbox = stack.enter_context(Inbox.open(data.inbox))
        site = Site(data, start.settings, clock, inbox, start.file, start.language)
        stack.callback(site.close)
        tls = tls_files(start.settings, data, clock)
        server = Server(_config(site, tls))
        running = asyncio.create_task(_run(server, start.settings))
        stopping = asyncio.create_task(stop.wait())
        try:
            await _wait_until_started(server, running)
            address = address_of(start.settings, server)
            ready(address, _first_link(site, address))
            await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
            server.should_exit = True
            await running


def _config(site: Site, tls: tuple[Path, Path] | None) -> uvicorn.Config:
    config = uvicorn.Config(
        application(site, secure=tls is not None),
        host=site.settings.listen_host,
        port=site.settings.listen_port,
        http="h11",
        ws="websockets-sansio",
        loop="asyncio",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        ws_max_size=MESSAGE_BYTES,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=STOP_S,
    )
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(*tls)
        config.load()
        config.ssl = context
    return config


async def _run(server: Server, settings: WebPlan) -> None:
    """Uvicorn ends the process where the port is taken; ours says it."""
    try:
        await server.serve()
    except SystemExit as end:
        what = f"the pages cannot listen at {settings.listen_host}:{settings.listen_port}"
        mend = "Another program has the port, or the host is not this machine's: `listen` below `web`."
        raise NotReady(what, mend) from end


async def _wait_until_started(server: Server, running: "asyncio.Task[None]") -> None:
    while not server.started:
        if running.done():
            await running
            raise NotReady("the pages ended while they started", "The log of the pages may say more.")
        await asyncio.sleep(0.02)


def address_of(settings: WebPlan, server: Server) -> str:
    """For a browser on this machine."""
    port = settings.listen_port
    for one in server.servers:
        for listener in one.sockets:
            port = listener.getsockname()[1]
    host = settings.listen_host
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if settings.certificate else 'http'}://{host}:{port}"


def _first_link(site: Site, address: str) -> str:
    """Kept in a private file too: started by the service, there is no console to print it on."""
    code = site.first.make()
    if not code:
        site.data.first_link.unlink(missing_ok=True)
        return ""
    link = f"{address}/first?code={code}"
    write_private(site.data.first_link, f"{link}\n".encode())
    return link


async def _main(arguments: Sequence[str]) -> int:
    start = Start.of(arguments[0], arguments[1])
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    _end_with_service(asyncio.get_running_loop(), stop)
    with open_log(DataFolder(start.data).logs, LOG) as log:
        try:
            await serve(start, stop, _tell)
        except (TagSightError, OSError) as error:
            log.exception("ended", message=str(error))
            print(f"{FAILED}{' '.join(str(error).splitlines())}", flush=True)  # noqa: T201 - the service tells it
            return 1
        except Exception:
            log.exception("ended unexpectedly")
            raise
    return 0


def _tell(address: str, link: str) -> None:
    first = " (no admin yet: the link for the first one is in first-link.txt in the data folder)" if link else ""
    print(f"{SERVING}{address}{first}", flush=True)  # noqa: T201 - the service waits for this line


def _end_with_service(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """A service that was killed leaves no pages behind that nobody would replace."""

    def wait() -> None:
        wait_for_end_of_input()
        if not loop.is_closed():
            loop.call_soon_threadsafe(stop.set)

    threading.Thread(target=wait, daemon=True).start()  # not of a pool: nothing may wait for its end


def main(arguments: Sequence[str]) -> Any:
    """Of `python -m tagsight.web.process DATA START`."""
    return asyncio.run(_main(arguments))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""`tagsight run`: the service."""

import asyncio
import os
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.plan import Plan
    from tagsight.service import Service
    from tagsight.tag_server_process import TagServerProcess


@click.command()
@file_argument
@data_option
def command(file: Path, data: DataFolder) -> None:
    """Score, explain and deliver, until it is stopped."""
    from tagsight.configuration import load
    from tagsight.errors import AlreadyRunning
    from tagsight.platform import InstanceLock

    plan = load(file)
    data.create()
    lock = InstanceLock(data.lock)
    if not lock.acquire(plan.digest):
        holder = lock.holder()
        who = f" (process {holder.pid})" if holder is not None else ""
        raise AlreadyRunning(what=f"another TagSight service{who} already uses the data folder {data.root}")
    try:
        asyncio.run(_run(plan, data))
    finally:
        lock.release()


async def _run(plan: "Plan", data: DataFolder) -> None:
    from tagsight.clocks import SystemClock
    from tagsight.history_keeping import keep_histories, opened_store
    from tagsight.inbox import Inbox
    from tagsight.ledger.ledger import Ledger
    from tagsight.logs import Echo, open_log
    from tagsight.opening import open_links
    from tagsight.platform import install_stop_signals
    from tagsight.secrets import Secrets
    from tagsight.service import Service
    from tagsight.worker_tasks import service_workers

    clock = SystemClock()
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    with ExitStack() as stack:
        echo = Echo(partial(click.echo, err=True), plan.timezone)
        log = stack.enter_context(open_log(data.logs, "service", clock=clock, echo=echo))
        ledger = stack.enter_context(Ledger.open(data.ledger, clock))
        inbox = stack.enter_context(Inbox.open(data.inbox))
        store = stack.enter_context(opened_store(plan, data, lambda why: log.warning("history store", message=why)))
        links = open_links(plan, data, Secrets(data, os.environ), clock, ledger)
        keep_histories(plan, links, store)
        service = Service(
            plan=plan,
            data=data,
            links=links,
            ledger=ledger,
            inbox=inbox,
            workers=service_workers(clock, data.logs),
            clock=clock,
            log=lambda what, why: log.warning(what, message=why),
            note=lambda what, message: log.info(what, message=message),
        )
        serving = [asyncio.create_task(one.run()) for one in _tag_servers(service)]
        models = "1 model" if len(plan.models) == 1 else f"{len(plan.models)} models"
        click.echo(f"running {models}, data in {data.root.absolute()}; stop with Ctrl-C")
        try:
            await service.run(stop)
        finally:
            for one in serving:
                one.cancel()
            await asyncio.gather(*serving, return_exceptions=True)


def _tag_servers(service: "Service") -> "list[TagServerProcess]":
    """One for each address that results are served at."""
    from tagsight.plan import Destination
    from tagsight.tag_server_process import TagServerProcess

    plan = service.plan
    addresses = {
        (one.listen_host, one.listen_port, one.listen_security)
        for one in plan.results.values()
        if one.to is Destination.SERVER
    }
    ready = partial(service.note, "serving")
    return [
        TagServerProcess(service.data, host, port, service.clock, service.log, ready, security, plan.language)
        for host, port, security in sorted(addresses, key=str)
    ]

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
    from tagsight.platform import InstanceLock


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
        asyncio.run(_run(file, plan, data, lock))
    finally:
        lock.release()


async def _run(file: Path, plan: "Plan", data: DataFolder, lock: "InstanceLock") -> None:
    from tagsight.clocks import SystemClock
    from tagsight.history_keeping import opened_store
    from tagsight.inbox import Inbox
    from tagsight.ledger.ledger import Ledger
    from tagsight.logs import Echo, open_log
    from tagsight.platform import install_stop_signals
    from tagsight.running import Running
    from tagsight.secrets import Secrets
    from tagsight.worker_tasks import service_workers

    clock = SystemClock()
    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)
    with ExitStack() as stack:
        echo = Echo(partial(click.echo, err=True), plan.timezone)
        log = stack.enter_context(open_log(data.logs, "service", clock=clock, echo=echo))
        running = Running(
            file=file,
            data=data,
            lock=lock,
            ledger=stack.enter_context(Ledger.open(data.ledger, clock)),
            inbox=stack.enter_context(Inbox.open(data.inbox)),
            workers=service_workers(clock, data.logs),
            secrets=Secrets(data, os.environ),
            store=stack.enter_context(opened_store(plan, data, lambda why: log.warning("history store", message=why))),
            clock=clock,
            log=lambda what, why: log.warning(what, message=why),
            note=lambda what, message: log.info(what, message=message),
        )
        models = "1 model" if len(plan.models) == 1 else f"{len(plan.models)} models"
        click.echo(f"running {models}, data in {data.root.absolute()}; stop with Ctrl-C")
        await running.run(plan, stop)

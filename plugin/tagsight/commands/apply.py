"""`tagsight apply`: let the running service take over the configuration, between two ticks."""

import getpass
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.applied import Answer, Applied, AppliedFolder

LOOK_S = 0.2


@click.command()
@file_argument
@data_option
@click.option("--list", "listing", is_flag=True, help="List what was applied before: when, by whom.")
@click.option("--show", metavar="TIME", default="", help="Print a configuration as it was applied at a listed time.")
@click.option("--wait", metavar="SECONDS", type=click.IntRange(1), default=120, show_default=True,
              help="Wait so long for the service: it ends a training that runs first.")  # fmt: skip
def command(file: Path, data: DataFolder, show: str, wait: int, *, listing: bool) -> int | None:
    """Check the file, keep a dated copy of it with your name, and let the running service take it over.

    Scoring goes on: the service changes between two ticks, and models that did not change run on. Without a running
    service the copy is kept, and the file takes effect at the next start.
    """
    from tagsight.applied import AppliedFolder
    from tagsight.applying import apply_file
    from tagsight.clocks import SystemClock
    from tagsight.platform import InstanceLock

    folder = AppliedFolder(data.applied)
    if listing:
        for one in folder.copies():
            click.echo(f"{one.name}  {one.who}  {one.digest[:16]}  {one.file}")
        return None
    if show:
        click.echo(folder.text(show), nl=False)
        return None
    data.create()
    request = apply_file(file, folder, getpass.getuser(), SystemClock().now_ns())
    click.echo(f"kept as {request.name}, by {request.who}")
    if InstanceLock(data.lock).holder() is None:
        click.echo("no service runs with this data folder: it takes effect at the next start")
        return None
    answer = _answer(folder, request, wait)
    if answer is None:
        click.echo(
            f"not taken over within {wait} s: a training runs, or the service is busy; it goes on trying", err=True
        )
        return 1
    click.echo(
        f"taken over: {answer.words}" if answer.taken else f"error: not taken over: {answer.words}",
        err=not answer.taken,
    )
    return None if answer.taken else 1


def _answer(folder: "AppliedFolder", request: "Applied", seconds: int) -> "Answer | None":
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = folder.answer()
        if found is not None and found.name == request.name:
            return found
        time.sleep(LOOK_S)
    return None

"""`tagsight init`: a first configuration file."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import file_argument

if TYPE_CHECKING:
    from tagsight.plan import Plan
    from tagsight_connectors.history import Span


@click.command(help="Write a first configuration file.")
@file_argument
@click.option(
    "--url", prompt="Address of the historian (opc.tcp://host:4840 or file:export.csv)", help="The historian."
)
@click.option("--user", default="", help="User name at the historian.")
@click.option("--anonymous", is_flag=True, help="Connect without a user; only where the server takes none.")
@click.option("--asset", prompt="Name of the machine or unit", help="The machine or unit.")
@click.option("--inputs", multiple=True, help="Path or pattern of tags; may be given more than once.")
@click.option("--running", default="", help="Condition: scores only while it holds.")
@click.option("--timezone", default="", help="Time zone of dates and schedules; default: this machine's.")
def command(
    file: Path,
    *,
    url: str,
    user: str,
    anonymous: bool,
    asset: str,
    inputs: tuple[str, ...],
    running: str,
    timezone: str,
) -> None:
    """Never overwrites a file, and writes none that `check` would refuse."""
    from tagsight.configuration import check_text
    from tagsight.errors import ConfigurationError, NotAllowed, StorageError
    from tagsight.first_file import first_file
    from tagsight.platform import local_timezone

    if url.startswith("opc.tcp:") and not user and not anonymous:
        user = click.prompt("User name at the historian (its password comes later)")
    if not inputs:
        inputs = (click.prompt("Tags (path or pattern)", default=f"**/{asset}/*"),)
    write = partial(
        first_file,
        url,
        asset,
        inputs,
        user=user,
        anonymous=anonymous,
        running=running,
        timezone=timezone or local_timezone(),
    )
    text = write()
    checked = check_text(text, file)
    if checked.plan is None:
        raise ConfigurationError(str(file), checked.faults)
    if url.startswith("file:"):  # what an export holds does not come nearer to now
        text = write(train=_period(checked.plan))
    try:
        with file.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise NotAllowed(what=f"{file} exists already", mend="Give another name: `tagsight init FILE`.") from None
    except OSError as error:
        raise StorageError(what=f"{file} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {file}; next: `tagsight check {file}`, `tagsight probe {file}`, `tagsight train {file}`")


def _period(plan: "Plan") -> str:
    """The `train` period of an export: all that it has. Where it cannot be read that is told, and `probe` says more."""
    from tagsight.extent import as_setting
    from tagsight.first_file import LAST
    from tagsight_connectors.errors import HistorianError

    try:
        span = asyncio.run(_extent(plan))
    except HistorianError as error:
        click.echo(f"warning: {error}\n         {error.mend}", err=True)
        return LAST
    if span is None:
        click.echo("warning: the export has no values for these inputs; `tagsight browse` shows its tags", err=True)
        return LAST
    return as_setting(span, plan.timezone)


async def _extent(plan: "Plan") -> "Span | None":
    from tagsight.binding import patterns_of
    from tagsight.extent import extent
    from tagsight_connectors.connection import Connection
    from tagsight_connectors.registry import open_historian

    (planned,), (model,) = plan.historians.values(), plan.models
    historian = open_historian(Connection(url=planned.url, timezone=plan.timezone.key))
    try:
        await historian.connect()
        tags = {tag.address for pattern in patterns_of(model) async for tag in historian.browse(pattern)}
        return await extent(historian, sorted(tags))
    finally:
        await historian.close()

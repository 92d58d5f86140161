"""`tagsight status`: what the service is doing, read from its data folder."""

from pathlib import Path

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@data_option
def command(file: Path | None, data: DataFolder) -> None:
    """Show the heartbeat, the models' newest scores, the outbox and the newest alarms.

    With FILE also whether that configuration is the one that runs.
    """
    from rich.console import Console

    from tagsight.clocks import SystemClock
    from tagsight.configuration import check_file
    from tagsight.errors import NotReady
    from tagsight.ledger.ledger import Ledger
    from tagsight.status import status_lines

    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight run FILE --data DIR` makes it; is DIR the right folder?")
    clock, checked = SystemClock(), check_file(file) if file else None
    console = Console()
    with Ledger.open_reader(data.ledger, clock) as ledger:
        for line in status_lines(ledger, data, clock, checked):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

"""`tagsight status`: what the service is doing, read from its data folder."""

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder


@click.command()
@data_option
def command(data: DataFolder) -> None:
    """Show the heartbeat, the models' newest scores, the outbox and the newest alarms."""
    from rich.console import Console

    from tagsight.clocks import SystemClock
    from tagsight.errors import NotReady
    from tagsight.ledger.ledger import Ledger
    from tagsight.status import status_lines

    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight run FILE --data DIR` makes it; is DIR the right folder?")
    clock = SystemClock()
    console = Console()
    with Ledger.open_reader(data.ledger, clock) as ledger:
        for line in status_lines(ledger, data, clock):
            console.print(line, markup=False, highlight=False, soft_wrap=True)

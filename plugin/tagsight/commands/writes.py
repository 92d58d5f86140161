"""`tagsight writes`: the list of tags that TagSight may write to, shown and accepted."""

import getpass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.fence import Target
    from tagsight.ledger.ledger import Ledger
    from tagsight.plan import Plan


@click.group(help="Show and accept the tags that TagSight may write to.")
def command() -> None:
    """Nothing is written before its list was accepted; a changed list must be accepted again."""


@command.command(help="Show what would be written, and whether it was accepted; connects to nothing.")
@file_argument
@data_option
@click.option("--values", is_flag=True, help="Show the values that wait to be written, too.")
def show(file: Path, data: DataFolder, *, values: bool) -> None:
    """The dry run."""
    lists = _lists(file, data)
    if not lists:
        click.echo("Nothing is written to a historian: results go to TagSight's own server (`results: to`).")
    for historian, targets in lists.items():
        _show_list(data, historian, targets)
        if values:
            _show_values(data, file, historian)


@command.command(help="Accept the list that `show` shows: TagSight may write to these tags from its next start.")
@file_argument
@data_option
@click.option("--yes", is_flag=True, help="Do not ask.")
def accept(file: Path, data: DataFolder, *, yes: bool) -> None:
    """Stores the list with its digest, who accepted it and when."""
    from tagsight.clocks import SystemClock
    from tagsight.fence import list_digest
    from tagsight.ledger.ledger import Ledger

    data.create()
    for historian, targets in _lists(file, data).items():
        _show_list(data, historian, targets)
        if not yes:
            click.confirm(f"May TagSight write to these {len(targets)} tags of {historian}?", abort=True)
        with Ledger.open(data.ledger, SystemClock()) as ledger:
            addresses = [target.address for target in targets]
            ledger.accept_targets(historian, list_digest(historian, targets), addresses, getpass.getuser())
        click.echo(f"{historian}: {len(targets)} tags accepted; a service that runs now takes them at its next start")


@command.command(help="Show what the historians refused for good, and with --resend put it back into the outbox.")
@file_argument
@data_option
@click.option("--resend", is_flag=True, help="Send it again, for instance after the missing tags were made.")
def refused(file: Path, data: DataFolder, *, resend: bool) -> None:
    """The quarantine."""
    from tagsight.clocks import SystemClock
    from tagsight.configuration import load
    from tagsight.errors import NotReady
    from tagsight.ledger.ledger import Ledger
    from tagsight.ledger.records import historian_destination

    plan: Plan = load(file)
    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight run FILE --data DIR` makes it; is DIR the right folder?")
    with Ledger.open(data.ledger, SystemClock()) as ledger:
        for address, (status, count) in _refused_tags(ledger).items():
            click.echo(f"{address}  refused {count} times, status 0x{status:08X}")
        for historian, results in plan.results.items():
            if results.in_historian and resend:
                sent = ledger.resend(historian_destination(historian), getpass.getuser())
                click.echo(f"{historian}: {sent} results are sent again")
        click.echo(f"quarantined: {ledger.counters().quarantined} results")


def _refused_tags(ledger: "Ledger") -> dict[str, tuple[int, int]]:
    """Address -> the newest answer, and how many rows have it."""
    found: dict[str, tuple[int, int]] = {}
    for row in ledger.quarantined():
        for tag in row.refused:
            status, count = found.get(tag.address, (tag.status, 0))
            found[tag.address] = status, count + 1
    return found


def _lists(file: Path, data: DataFolder) -> "dict[str, tuple[Target, ...]]":
    from tagsight.configuration import load
    from tagsight.fence import checked_targets
    from tagsight.tag_list import known_addresses, known_outputs, known_roles

    plan = load(file)
    roles, reads = known_roles(data.ledger), known_addresses(data.ledger)
    outputs = known_outputs(data.ledger)
    found = {historian: checked_targets(plan, historian, roles, reads, outputs) for historian in plan.results}
    return {historian: targets for historian, targets in found.items() if targets}


def _show_list(data: DataFolder, historian: str, targets: "tuple[Target, ...]") -> None:
    from tagsight.clocks import SystemClock
    from tagsight.fence import list_digest
    from tagsight.ledger.ledger import Ledger

    accepted = None
    if data.ledger.exists():
        with Ledger.open_reader(data.ledger, SystemClock()) as ledger:
            accepted = ledger.accepted_targets(historian)
    for target in targets:
        click.echo(f"{target.address}  {target.tag.description}")
    click.echo(f"{historian}: {len(targets)} tags, list {list_digest(historian, targets)[:16]}")
    if accepted is None:
        click.echo("not accepted yet: nothing is written")
    elif accepted.digest != list_digest(historian, targets):
        before = frozenset(accepted.addresses)
        now = frozenset(target.address for target in targets)
        click.echo(f"changed since it was accepted by {accepted.accepted_by}: nothing is written until accepted again")
        for sign, changed in (("+", now - before), ("-", before - now)):
            for address in sorted(changed):
                click.echo(f"  {sign} {address}")
    else:
        click.echo(f"accepted by {accepted.accepted_by}")


def _show_values(data: DataFolder, file: Path, historian: str) -> None:
    from tagsight.clocks import SystemClock
    from tagsight.configuration import load
    from tagsight.delivery import samples_of
    from tagsight.ledger.ledger import Ledger
    from tagsight.ledger.records import historian_destination

    plan: Plan = load(file)
    if not data.ledger.exists():
        return
    with Ledger.open_reader(data.ledger, SystemClock()) as ledger:
        pending = ledger.pending(historian_destination(historian), 20)
    for one in pending:
        for sample in samples_of(one.row, plan.results[historian].address):
            click.echo(f"{sample.address} = {sample.value!r} at {sample.time_ns} ns, status 0x{sample.status:08X}")

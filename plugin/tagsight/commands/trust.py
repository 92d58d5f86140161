"""`tagsight trust`: which certificates of servers and clients are accepted."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.clocks import SECOND
from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight_connectors.opcua.trust import TrustEntry, TrustList


@click.group(name="trust", short_help="Show, add and remove trusted certificates.")
def command() -> None:
    """Certificates of servers and clients: only those listed as trusted may connect.

    An unknown certificate is refused and kept under `rejected`. Compare its thumbprint with the one that the other
    side shows, then add it.
    """


@command.command(name="list")
@data_option
def list_certificates(data: DataFolder) -> None:
    """List every known certificate."""
    from rich.console import Console
    from rich.table import Table

    entries = _trust(data).list()
    if not entries:
        click.echo("No certificates yet. A server's appears here, rejected, after the first attempt to connect.")
        return
    table = Table("Place", "Thumbprint", "Application", "Subject", "Valid until")
    for entry in entries:
        table.add_row(entry.place, entry.thumbprint, entry.application_uri, entry.subject, _date(entry.expires_ns))
    Console().print(table)


@command.command()
@click.argument("thumbprint")
@data_option
def show(thumbprint: str, data: DataFolder) -> None:
    """Show one certificate, by the first digits of its THUMBPRINT."""
    click.echo(_described(_trust(data).show(thumbprint)))


@command.command()
@click.argument("certificate")
@click.option("--issuer", is_flag=True, help="An authority that only completes chains and vouches for nothing.")
@click.option("--revocations", is_flag=True, help="CERTIFICATE is the file of an authority's revocation list.")
@data_option
def add(certificate: str, data: DataFolder, *, issuer: bool, revocations: bool) -> None:
    """Trust CERTIFICATE: the thumbprint of a rejected one, or a file (DER or PEM)."""
    data.create()
    if revocations:
        click.echo(f"revocation list kept as {_trust(data).add_revocations(Path(certificate))}")
        return
    click.echo(f"trusted:\n{_described(_trust(data).add(certificate, issuer=issuer))}")


@command.command()
@click.argument("thumbprint")
@data_option
def remove(thumbprint: str, data: DataFolder) -> None:
    """Forget the certificate with THUMBPRINT: its owner is refused from the next connection on."""
    click.echo(f"removed:\n{_described(_trust(data).remove(thumbprint))}")


def _trust(data: DataFolder) -> "TrustList":
    from tagsight_connectors.opcua.trust import TrustList

    return TrustList(data.certificates)


def _described(entry: "TrustEntry") -> str:
    return "\n".join(
        [
            f"  thumbprint   {entry.thumbprint}",
            f"  place        {entry.place}",
            f"  subject      {entry.subject}",
            f"  issuer       {entry.issuer}",
            f"  application  {entry.application_uri or '-'}",
            f"  hosts        {', '.join(entry.hosts) or '-'}",
            f"  valid        {_date(entry.starts_ns)} to {_date(entry.expires_ns)}",
        ]
    )


def _date(ns: int) -> str:
    return f"{dt.datetime.fromtimestamp(ns // SECOND, dt.UTC):%Y-%m-%d}"

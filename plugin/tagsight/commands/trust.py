"""`tagsight trust`: which certificates of servers and clients are accepted."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.clocks import SECOND
from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight_connectors.opcua.certificates import OwnCertificate
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


@command.command()
@data_option
def own(data: DataFolder) -> None:
    """Show TagSight's own certificates: what the other side must trust."""
    for one in _own(data):
        click.echo(_described_own(one))


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--days", type=click.IntRange(1, 7_300), default=5 * 365, show_default=True, help="How long it is valid.")
@data_option
def renew(names: tuple[str, ...], data: DataFolder, days: int) -> None:
    """Make new certificates for TagSight itself, all or those NAMEd, each with a new key.

    The old pair is kept in `certificates/own/replaced`; copy it back to return to it. TagSight need not be stopped:
    the new one is used at the next connection to the historian, and by the OPC UA server for the next client.
    """
    from tagsight.errors import NotAllowed, NotReady
    from tagsight_connectors.opcua.certificates import renew_certificate

    found = {one.certificate.stem: one for one in _own(data)}
    unknown = [name for name in names if name not in found]
    if unknown:
        raise NotReady(what=f"there is no own certificate {unknown[0]!r}", mend=f"Choose of: {', '.join(found)}.")
    for name in names or tuple(found):
        try:
            new = renew_certificate(found[name], valid_days=days)
        except ValueError as error:
            raise NotAllowed(
                what=f"{name} was issued by the authority {error}",
                mend="Have it renewed there, and replace both files in certificates/own.",
            ) from error
        click.echo(f"renewed:\n{_described_own(new)}")
    click.echo("Now trust it on the other side: until then the historian refuses TagSight, and HMIs its server.")


def _own(data: DataFolder) -> "list[OwnCertificate]":
    from tagsight.errors import NotReady
    from tagsight_connectors.opcua.certificates import read_certificate

    files = sorted((data.certificates / "own").glob("*.der"))
    if not files:
        raise NotReady(
            what="TagSight has no certificate of its own yet", mend="It makes one when it first connects or serves."
        )
    return [read_certificate(file, file.with_suffix(".pem")) for file in files]


def _described_own(one: "OwnCertificate") -> str:
    return "\n".join(
        [
            f"  name         {one.certificate.stem}",
            f"  thumbprint   {one.thumbprint}",
            f"  application  {one.application_uri}",
            f"  valid until  {_date(one.expires_ns)}",
            f"  file         {one.certificate}",
        ]
    )


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

"""`tagsight user`: users of the tag server and the pages."""

import sys
from pathlib import Path

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder


@click.group(help="Add, list and remove users of the tag server and the pages.")
def command() -> None:
    """The group."""


@command.command()
@click.argument("name")
@click.option("--role", type=click.Choice(["operator", "engineer", "admin"]), required=True,
              help="operator acknowledges and comments, engineer also switches off, admin also manages.")  # fmt: skip
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
@click.option("--certificate", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              help="DER or PEM file of a certificate, with which the user signs in at the tag server instead of a "
                   "password; with --password-stdin the user has both.")  # fmt: skip
@data_option
def add(name: str, role: str, *, password_stdin: bool, certificate: Path | None, data: DataFolder) -> None:
    """Add a user, or give one a new password or certificate and role."""
    from tagsight.users import Users
    from tagsight_connectors.serving import UserRole

    der = None if certificate is None else _certificate(certificate)
    password = read_password(from_stdin=password_stdin) if der is None or password_stdin else None
    data.create()
    if der is not None:
        fingerprint = Users(data.users).add_certificate(name, der, UserRole[role.upper()], password)
        click.echo(f"user {name}: {role}, certificate {fingerprint[:16]}...")
    elif password is not None:
        Users(data.users).add(name, password, UserRole[role.upper()])
        click.echo(f"user {name}: {role}")


@command.command("list")
@data_option
def list_users(data: DataFolder) -> None:
    """List the users with their roles."""
    from tagsight.users import Users

    roles, certified = Users(data.users).roles(), Users(data.users).certified()
    if not roles:
        click.echo("no users yet: `tagsight user add NAME --role operator`")
    for name, role in roles.items():
        click.echo(f"{name}\t{role.name.lower()}{', certificate' if name in certified else ''}")


@command.command()
@click.argument("name")
@data_option
def remove(name: str, data: DataFolder) -> None:
    """Remove a user."""
    from tagsight.users import Users

    Users(data.users).remove(name)
    click.echo(f"removed {name}")


def _certificate(file: Path) -> bytes:
    """DER. Raises UnusableUser where it is none that a user may have."""
    from tagsight.users import UnusableUser
    from tagsight_connectors.errors import CertificateNotTrusted
    from tagsight_connectors.opcua.user_certificates import der_of

    try:
        return der_of(file.read_bytes())
    except CertificateNotTrusted as refusal:
        raise UnusableUser(
            what=f"{file}: {refusal.cause}", mend="Give a DER or PEM file, RSA, 2,048 to 4,096 bits."
        ) from refusal


def read_password(*, from_stdin: bool) -> str:
    """A password from the first line of standard input, or asked for twice without echo."""
    if from_stdin:
        return sys.stdin.readline(1_000).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))

"""`tagsight user`: users of the tag server and the pages."""

import sys

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
@data_option
def add(name: str, role: str, *, password_stdin: bool, data: DataFolder) -> None:
    """Add a user, or give one a new password and role."""
    from tagsight.users import Users
    from tagsight_connectors.serving import UserRole

    password = read_password(from_stdin=password_stdin)
    data.create()
    Users(data.users).add(name, password, UserRole[role.upper()])
    click.echo(f"user {name}: {role}")


@command.command("list")
@data_option
def list_users(data: DataFolder) -> None:
    """List the users with their roles."""
    from tagsight.users import Users

    roles = Users(data.users).roles()
    if not roles:
        click.echo("no users yet: `tagsight user add NAME --role operator`")
    for name, role in roles.items():
        click.echo(f"{name}\t{role.name.lower()}")


@command.command()
@click.argument("name")
@data_option
def remove(name: str, data: DataFolder) -> None:
    """Remove a user."""
    from tagsight.users import Users

    Users(data.users).remove(name)
    click.echo(f"removed {name}")


def read_password(*, from_stdin: bool) -> str:
    """A password from the first line of standard input, or asked for twice without echo."""
    if from_stdin:
        return sys.stdin.readline(1_000).rstrip("\r\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))

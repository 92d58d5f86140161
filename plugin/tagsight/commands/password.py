"""`tagsight password`: passwords of historians."""

import click

from tagsight.commands.options import data_option
from tagsight.commands.user import read_password
from tagsight.data_folder import DataFolder


@click.group(help="Store the password of a historian in the key store.")
def command() -> None:
    """The group."""


@command.command("set")
@click.argument("name", default="default")
@click.option("--file", "to_file", is_flag=True, help="Keep it in a private file of the data folder instead.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input, for scripts.")
@data_option
def set_password(name: str, *, to_file: bool, password_stdin: bool, data: DataFolder) -> None:
    """Store the password of historian NAME (as in the configuration; `default` where there is only one)."""
    from tagsight.secrets import Secrets

    secrets, password = Secrets(data), read_password(from_stdin=password_stdin)
    if to_file:
        secrets.store_in_file(name, password)
        click.echo(f"stored in {data.passwords}")
    else:
        secrets.store_in_key_store(name, password)
        click.echo("stored in the key store of this system")

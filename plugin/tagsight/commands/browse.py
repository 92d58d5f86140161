"""`tagsight browse`: the tags of a historian."""

import asyncio
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight_connectors.connection import Connection
    from tagsight_connectors.tag import Tag


@click.command(name="browse", short_help="List the tags of a historian.")
@click.argument("url")
@click.argument("pattern", default="*")
@click.option("--user", default="", help="User name; without it the server is asked as anonymous.")
@click.option("--password", envvar="TAGSIGHT_PASSWORD", default="", help="Better in TAGSIGHT_PASSWORD, or when asked.")
@click.option("--unencrypted", is_flag=True, help="Allow a connection that anybody on the network can read.")
@click.option("--addresses", is_flag=True, help="Print only the addresses, one a line.")
@data_option
def command(
    url: str, pattern: str, user: str, password: str, data: DataFolder, *, unencrypted: bool, addresses: bool
) -> None:
    """List the tags at URL whose path or address matches PATTERN.

    `*` stands for anything within one level, `**` for any number of levels, `?` for one character:
    `tagsight browse opc.tcp://scada01:4840 "Plant/P101/*" --user tagsight`
    """
    from tagsight_connectors.connection import Connection, MessageSecurity

    if user and not password:
        password = click.prompt(f"Password of {user}", hide_input=True, err=True)
    data.create()
    connection = Connection(
        url=url,
        user=user,
        password=password,
        security=MessageSecurity.NONE if unencrypted else MessageSecurity.SIGN_AND_ENCRYPT,
        certificates=data.certificates,
    )
    tags = asyncio.run(_browse(connection, pattern))
    if addresses:
        click.echo("\n".join(tag.address for tag in tags))
    else:
        _print(tags)


async def _browse(connection: "Connection", pattern: str) -> "list[Tag]":
    from tagsight_connectors.registry import open_historian

    historian = open_historian(connection)
    try:
        await historian.connect()
        return [tag async for tag in historian.browse(pattern)]
    finally:
        await historian.close()


def _print(tags: "list[Tag]") -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table("Path", "Type", "Unit", "Range", "History", "Description", "Address")
    for tag in tags:
        table.add_row(*(escape(cell) for cell in _row(tag)))
    console = Console()
    console.print(table)
    console.print(f"{len(tags)} tag{'' if len(tags) == 1 else 's'}")


def _row(tag: "Tag") -> tuple[str, ...]:
    limits = "" if tag.eu_range is None else f"{tag.eu_range.low:g} to {tag.eu_range.high:g}"
    history = "yes" if tag.historizing else "no"
    return (tag.path, tag.data_type.value, tag.unit, limits, history, tag.description, tag.address)

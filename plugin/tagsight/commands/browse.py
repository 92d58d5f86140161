"""`tagsight browse`: the tags of a historian."""

import asyncio
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tagsight_connectors.connection import Connection
    from tagsight_connectors.tag import Tag


_COLUMNS = ("Path", "Type", "Unit", "Range", "History", "Description", "Address")
_ANY_WIDTH = 100_000


@click.command(name="browse", short_help="List the tags of a historian.")
@click.argument("url")
@click.argument("pattern", default="*")
@click.option("--user", default="", help="User name.")
@click.option("--anonymous", is_flag=True, help="Without a user; only where the server takes none.")
@click.option("--password", envvar="TAGSIGHT_PASSWORD", default="", help="Better in TAGSIGHT_PASSWORD, or when asked.")
@click.option("--unencrypted", is_flag=True, help="Allow a connection that anybody on the network can read.")
@click.option("--addresses", is_flag=True, help="Print only the addresses, one a line.")
@data_option
def command(
    url: str,
    pattern: str,
    user: str,
    password: str,
    data: DataFolder,
    *,
    anonymous: bool,
    unencrypted: bool,
    addresses: bool,
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
        anonymous=anonymous,
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
    """A table where it fits, else a few lines for each tag: paths and addresses are there to be copied."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(*_COLUMNS)
    for tag in tags:
        table.add_row(*(escape(cell) for cell in _row(tag)))
    console = Console()
    if console.measure(table, options=console.options.update(max_width=_ANY_WIDTH)).maximum <= console.width:
        console.print(table)
    else:
        click.echo("\n".join(line for tag in tags for line in _lines(tag)))
    click.echo(f"{len(tags)} tag{'' if len(tags) == 1 else 's'}")


def _lines(tag: "Tag") -> "Iterator[str]":
    path, *between, address = _row(tag)
    yield path
    if address != path:
        yield f"    {address}"
    told = (f"{name.lower()} {cell}" for name, cell in zip(_COLUMNS[1:-1], between, strict=True) if cell)
    yield f"    {', '.join(told)}"


def _printable(text: str) -> str:
    """Names come from a server: a terminal gets no control characters from there."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)


def _row(tag: "Tag") -> tuple[str, ...]:
    limits = "" if tag.eu_range is None else f"{tag.eu_range.low:g} to {tag.eu_range.high:g}"
    history = "yes" if tag.historizing else "no"
    cells = (tag.path, tag.data_type.value, tag.unit, limits, history, tag.description, tag.address)
    return tuple(_printable(cell) for cell in cells)

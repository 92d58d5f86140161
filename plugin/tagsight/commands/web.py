"""`tagsight web`: the pages, alone; and the tokens of HMIs."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.plan import WebPlan


class ServesByDefault(click.Group):
    """`tagsight web FILE` is `tagsight web serve FILE`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:  # noqa: D102 - click's
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(
    cls=ServesByDefault,
    help="Serve the pages without the service (`tagsight web [FILE]`), and manage the tokens of HMIs.",
)
def command() -> None:
    """The group."""


@command.command()
@file_argument
@data_option
def serve(file: Path, data: DataFolder) -> None:
    """Serve the pages until it is stopped. `tagsight run` does so by itself where FILE has `web`."""
    import asyncio

    from tagsight.plan import WebPlan

    settings, language = _settings(file)
    asyncio.run(_serve(data, settings or WebPlan(), file if file.exists() else None, language))


async def _serve(data: DataFolder, settings: "WebPlan", file: Path | None, language: str) -> None:
    import asyncio

    from tagsight.logs import open_log
    from tagsight.platform import install_stop_signals
    from tagsight.web.process import LOG, serve
    from tagsight.web.start import Start

    stop = asyncio.Event()
    install_stop_signals(asyncio.get_running_loop(), stop.set)

    def ready(address: str, link: str) -> None:
        click.echo(f"pages at {address}; stop with Ctrl-C")
        if link:
            click.echo(f"no admin yet; this link works once: {link}")

    with open_log(data.logs, LOG):
        await serve(Start(data.root, settings, file, language), stop, ready)


def _settings(file: Path) -> "tuple[WebPlan | None, str]":
    """From the configuration; without a file, or without `web` in it, the defaults."""
    from tagsight.configuration import load

    if not file.exists():
        return None, "en"
    plan = load(file)
    return plan.web, plan.language


@command.group()
def token() -> None:
    """Tokens with which an HMI shows faceplates without a password: reading only."""


@token.command()
@click.argument("origin", default="")
@data_option
def add(origin: str, data: DataFolder) -> None:
    """Make one for the HMI whose pages come from ORIGIN (`https://hmi01:8043`, as below `web: {frames: ...}`).

    Without ORIGIN: for an HMI that opens faceplates as pages of their own, not in a frame.
    """
    import re

    from tagsight.clocks import SystemClock
    from tagsight.web.tokens import FaceplateTokens

    if origin and not re.fullmatch(r"https?://[^/\s]{1,260}", origin):
        msg = "ORIGIN is scheme, host and port as the browser shows them: https://hmi01:8043"
        raise click.BadParameter(msg)
    data.create()
    made = FaceplateTokens(data.web_tokens).add(origin.lower(), SystemClock().now_ns())
    click.echo(f"token for {origin or 'pages of their own'}, shown only now: {made}")
    click.echo(f"open /faceplate/ASSET?token={made}")


@token.command("list")
@data_option
def list_tokens(data: DataFolder) -> None:
    """List them; never the tokens themselves."""
    from tagsight.clocks import SECOND
    from tagsight.web.tokens import FaceplateTokens

    found = FaceplateTokens(data.web_tokens).all()
    if not found:
        click.echo("no tokens: `tagsight web token add ORIGIN` makes one")
    for one in found:
        made = datetime.fromtimestamp(one.made_ns / SECOND, tz=UTC)
        click.echo(f"{one.number}\t{one.origin or '(no frame)'}\tmade {made:%Y-%m-%d %H:%M}Z")


@token.command()
@click.argument("number", type=int)
@data_option
def revoke(number: int, data: DataFolder) -> None:
    """Revoke one: faceplates that use it say so within seconds."""
    from tagsight.web.tokens import FaceplateTokens

    gone = FaceplateTokens(data.web_tokens).revoke(number)
    click.echo(f"revoked {number} ({gone.origin or 'no frame'})")

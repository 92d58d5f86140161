"""`tagsight probe`: connects to every historian of a configuration and says what would not work, and its mend."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.clocks import Clock
    from tagsight.plan import Plan
    from tagsight.probing import Finding, ModelFacts


@click.command()
@file_argument
@data_option
@click.option("--watch", "seconds", type=click.IntRange(0, 3600), default=10, show_default=True,
              help="Seconds to watch new values arrive; the arrival delay comes from them.")  # fmt: skip
@click.option("--values", type=click.IntRange(1_000, 1_000_000_000), default=1_000_000, show_default=True,
              help="Values of each tag to look at; of a longer history the newest part.")  # fmt: skip
def command(file: Path, data: DataFolder, seconds: int, values: int) -> None:
    """Connect and examine: certificate, clock, rights, history of each tag. Writes nothing to any historian."""
    from tagsight.clocks import SystemClock
    from tagsight.configuration import load
    from tagsight.errors import CheckFailed
    from tagsight.probing import Weight

    plan = load(file)
    data.create()

    async def second() -> None:
        await asyncio.sleep(1.0)

    blocking = asyncio.run(probe(plan, data, SystemClock(), pause=second, looks=seconds, values=values))
    if blocking:
        msg = f"{blocking} finding{'s' if blocking != 1 else ''} marked {Weight.BLOCKS.value!r}"
        raise CheckFailed(msg, "Each stands above with its mend.")


async def probe(
    plan: "Plan", data: DataFolder, clock: "Clock", *, pause: Callable[[], Awaitable[None]], looks: int, values: int
) -> int:
    """Examine and print; how many findings prevent running."""
    from tagsight.probe_plan import PlanProbe
    from tagsight.probing import Finding, Weight

    blocking = 0
    async for one in PlanProbe(plan, data, clock, pause, looks, values, _progress).found():
        if isinstance(one, Finding):
            blocking += one.weight is Weight.BLOCKS
            _show(one)
        else:
            _table(one)
    return blocking


def _show(finding: "Finding") -> None:
    click.echo(f"{finding.weight.value}: {finding.where}: {finding.what}")
    if finding.mend:
        click.echo(f"    {finding.mend}")


def _table(facts: "ModelFacts") -> None:
    from tagsight.probing import tag_line

    if facts.tags:
        click.echo("  tag | values | usual gap | 99.9 % of gaps | bad | newest | arrives after")
    for tag in facts.tags:
        click.echo("  " + " | ".join(tag_line(tag, facts.now_ns)))


def _progress(line: str) -> None:
    """One line that is overwritten, and only on a terminal."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{line}\r", err=True, nl=False)

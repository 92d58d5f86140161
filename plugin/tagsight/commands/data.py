"""`tagsight data`: what a training would see of each input, and what it would leave out."""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.data_look import DataLook
    from tagsight.plan import ModelPlan, Plan

WIDE = 220
"""Columns of what goes into a file or a pipe."""


@click.command()
@file_argument
@data_option
@click.option("--model", "names", multiple=True, help="Only this model, `ASSET/NAME`; may be given more than once.")
def command(*, file: Path, data: DataFolder, names: tuple[str, ...]) -> None:
    """Read what a training of FILE's models would read, and tell how good it is; nothing is trained or written.

    Per input: values, coverage of the grid, usual and longest gap, quality, range. Then what is left out, and why.
    """
    from tagsight.configuration import load
    from tagsight.selection import chosen_models

    plan = load(file)
    data.create()
    asyncio.run(_look(plan, data, chosen_models(plan, names)))


async def _look(plan: "Plan", data: DataFolder, models: "list[ModelPlan]") -> None:
    from tagsight.clocks import SystemClock
    from tagsight.data_look import looked_at, read_data
    from tagsight.ledger.ledger import Ledger
    from tagsight.linking import linked
    from tagsight.scoring_task import StorePlace

    clock, place = SystemClock(), StorePlace(data.models, data.signing_key)
    with Ledger.open(data.ledger, clock) as ledger:
        async with linked(plan, data, clock, ledger, tell=click.echo) as links:
            for model in models:
                results = plan.results.get(model.historian)
                read = await read_data(model, links[model.historian], place, results=results, ledger=ledger)
                _print(looked_at(*read), plan)


def _print(look: "DataLook", plan: "Plan") -> None:
    from rich.console import Console
    from rich.table import Table

    from tagsight.data_words import HEAD, left_out_lines, tag_cells

    console = Console(soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)
    shown = Table(box=None, pad_edge=False)
    for number, column in enumerate(HEAD):
        shown.add_column(column, justify="right" if 0 < number < len(HEAD) - 1 else "left", no_wrap=True)
    for one in look.health.tags:
        shown.add_row(*(cell.replace("[", r"\[") for cell in tag_cells(one)))
    lines = left_out_lines(look, plan.timezone)
    console.print(lines[0], markup=False, highlight=False)
    console.print(shown)
    for line in lines[1:]:
        console.print(line, markup=False, highlight=False)
    console.print()

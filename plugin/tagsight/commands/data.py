"""`tagsight data`: what a training would see of each input, and what it would leave out."""

import asyncio
import os
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
    from tagsight.history_keeping import keep_histories, opened_store
    from tagsight.ledger.ledger import Ledger
    from tagsight.opening import open_links
    from tagsight.scoring_task import StorePlace
    from tagsight.secrets import Secrets

    clock = SystemClock()
    with Ledger.open(data.ledger, clock) as ledger, opened_store(plan, data, click.echo) as store:
        links = open_links(plan, data, Secrets(data, os.environ), clock, ledger)
        keep_histories(plan, links, store)
        try:
            for model in models:
                link, results = links[model.historian], plan.results.get(model.historian)
                place = StorePlace(data.models, data.signing_key)
                _print(looked_at(*await read_data(model, link, place, results=results, ledger=ledger)), plan)
        finally:
            for link in links.values():
                await link.close()


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

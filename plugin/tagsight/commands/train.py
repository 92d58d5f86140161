"""`tagsight train`: read history, train, compare, and store a version of each model."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from tagsight.plan import ModelPlan, Plan
    from tagsight.training import TrainOutcome


@click.command()
@file_argument
@data_option
@click.option("--model", "names", multiple=True, help="Only this model, `ASSET/NAME`; may be given more than once.")
def command(file: Path, data: DataFolder, names: tuple[str, ...]) -> None:
    """Train the models of FILE on their history; the first version that passes runs, later ones wait for approval."""
    from tagsight.configuration import load
    from tagsight.errors import CheckFailed
    from tagsight.selection import chosen_models

    plan = load(file)
    data.create()
    failed = asyncio.run(_train(plan, data, chosen_models(plan, names)))
    if failed:
        msg = f"{failed} of the models could not be trained"
        raise CheckFailed(msg, "The reasons stand above.")


async def _train(plan: "Plan", data: DataFolder, models: "list[ModelPlan]") -> int:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tagsight.clocks import SystemClock
    from tagsight.ledger.ledger import Ledger
    from tagsight.opening import open_links
    from tagsight.secrets import Secrets

    console = Console()
    clock = SystemClock()
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Ledger.open(data.ledger, clock) as ledger, Progress(*columns, console=console) as progress:
        links = open_links(plan, data, Secrets(data, os.environ), clock, ledger)
        try:
            for model in models:
                bar = progress.add_task(model.key, total=1.0, what="reading")
                if not await _train_one(plan, data, model, links, ledger, progress, bar):
                    failed += 1
        finally:
            for link in links.values():
                await link.close()
    return failed


async def _train_one(plan, data, model, links, ledger, progress, bar) -> bool:  # type: ignore[no-untyped-def]  # noqa: ANN001, PLR0917
    from tagsight.errors import TagSightError
    from tagsight.fitting import compute
    from tagsight.ledger.bindings import BoundModel
    from tagsight.scoring_task import StorePlace
    from tagsight.training import gather
    from tagsight_connectors.errors import HistorianError
    from tagsight_models.errors import ModelError

    count = [0]

    def read(values: int) -> None:
        count[0] += values
        progress.update(bar, what=f"{count[0]:,} values read")

    def report(fraction: float, text: str) -> None:
        progress.update(bar, completed=fraction, what=text)

    place = StorePlace(data.models, data.signing_key)
    try:
        binding, task = await gather(
            model,
            links[model.historian],
            place,
            plan.digest,
            progress=read,
            results=plan.results.get(model.historian),
        )
        outcome: TrainOutcome = await asyncio.to_thread(compute, task, report)
    except (TagSightError, HistorianError, ModelError) as error:
        progress.update(bar, what="failed")
        progress.console.print(f"{model.key}: {error}\n  {error.mend}", markup=False, highlight=False, soft_wrap=True)
        return False
    ledger.bind(BoundModel(model.key, binding, detail=model.outputs.value == "detail"))
    ledger.audit("command line", "trained", f"{outcome.model} version {outcome.version}")
    progress.update(bar, completed=1.0, what=f"version {outcome.version}, {_standing(outcome)}")
    progress.console.print(outcome.words, markup=False, highlight=False, soft_wrap=True)
    for path, why in binding.skipped:
        progress.console.print(f"  left out: {path}: {why}", markup=False, highlight=False, soft_wrap=True)
    return True


def _standing(outcome: "TrainOutcome") -> str:
    if outcome.trial:
        return "on trial: it does not alarm"
    return "approved" if outcome.approved else "waits for `tagsight model approve`"

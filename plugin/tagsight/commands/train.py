"""`tagsight train`: read history, train, compare, and store a version of each model."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from tagsight.connections import Link
    from tagsight.ledger.ledger import Ledger
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
    from tagsight.history_keeping import keep_histories, opened_store
    from tagsight.ledger.ledger import Ledger
    from tagsight.opening import open_links
    from tagsight.secrets import Secrets

    clock = SystemClock()
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with (
        Ledger.open(data.ledger, clock) as ledger,
        Progress(*columns, console=Console()) as progress,
        opened_store(plan, data, progress.console.print) as store,
    ):
        links = open_links(plan, data, Secrets(data, os.environ), clock, ledger)
        keep_histories(plan, links, store)
        try:
            for model in models:
                shown = _Shown(progress, progress.add_task(model.key, total=1.0, what="reading"))
                failed += not await _train_one(plan, data, model, links[model.historian], ledger, shown=shown)
        finally:
            for link in links.values():
                await link.close()
    return failed


@dataclass
class _Shown:
    """The line of one model on the terminal."""

    progress: "Progress"
    bar: "TaskID"
    values: int = 0

    def read(self, count: int) -> None:
        self.values += count
        self.progress.update(self.bar, what=f"{self.values:,} values read")

    def computed(self, fraction: float, text: str) -> None:
        self.progress.update(self.bar, completed=fraction, what=text)

    def say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


async def _train_one(
    plan: "Plan", data: DataFolder, model: "ModelPlan", link: "Link", ledger: "Ledger", *, shown: _Shown
) -> bool:
    from tagsight.errors import TagSightError
    from tagsight.fitting import compute
    from tagsight.scoring_task import StorePlace
    from tagsight.training import gather, keep_binding, watched_while
    from tagsight_connectors.errors import HistorianError
    from tagsight_models.errors import ModelError

    place, results = StorePlace(data.models, data.signing_key), plan.results.get(model.historian)
    try:
        binding, task = await gather(
            model, link, place, plan.digest, progress=shown.read, results=results, ledger=ledger, language=plan.language
        )
        computing = asyncio.to_thread(compute, task, shown.computed)
        outcome, binding = await watched_while(computing, model, link, binding)
    except (TagSightError, HistorianError, ModelError) as error:
        shown.computed(0.0, "failed")
        shown.say(f"{model.key}: {error}\n  {error.mend}")
        return False
    keep_binding(ledger, model, binding, outcome.outputs)
    ledger.audit("command line", "trained", f"{outcome.model} version {outcome.version}")
    shown.computed(1.0, f"version {outcome.version}, {_standing(outcome)}")
    shown.say(f"{model.key}, version {outcome.version}: {_standing(outcome)}\n{outcome.short}")
    for path, why in binding.skipped:
        shown.say(f"  left out: {path}: {why}")
    shown.say(f"  its page: {outcome.page}")
    shown.say(f"  all about it: `tagsight model show {outcome.model} --version {outcome.version}`")
    return True


def _standing(outcome: "TrainOutcome") -> str:
    if outcome.trial:
        return "on trial: it does not alarm"
    return "approved" if outcome.approved else "waits for `tagsight model approve`"

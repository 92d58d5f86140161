"""`tagsight train`: read history, train, compare, and store a version of each model."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.progress import Progress, TaskID

    from tagsight.binding import Binding
    from tagsight.connections import Link
    from tagsight.errors import TagSightError
    from tagsight.ledger.ledger import Ledger
    from tagsight.plan import ModelPlan, Plan
    from tagsight.training import TrainOutcome, TrainTask
    from tagsight_connectors.errors import HistorianError
    from tagsight_models.errors import ModelError


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
    from tagsight.linking import linked
    from tagsight.training import alike

    clock = SystemClock()
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[what]}"), TimeElapsedColumn())
    with Ledger.open(data.ledger, clock) as ledger, Progress(*columns, console=Console()) as progress:
        async with linked(plan, data, clock, ledger, tell=progress.console.print) as links:
            for group in alike(models):
                failed += await _train_group(plan, data, group, links[group[0].historian], ledger, progress=progress)
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

    def failed(self, model: str, error: "TagSightError | HistorianError | ModelError") -> None:
        self.computed(0.0, "failed")
        self.say(f"{model}: {error}\n  {error.mend}")

    def trained(self, outcome: "TrainOutcome", binding: "Binding") -> None:
        self.computed(1.0, f"version {outcome.version}, {_standing(outcome)}")
        self.say(f"{outcome.model}, version {outcome.version}: {_standing(outcome)}\n{outcome.short}")
        for path, why in binding.skipped:
            self.say(f"  left out: {path}: {why}")
        self.say(f"  its page: {outcome.page}")
        self.say(f"  all about it: `tagsight model show {outcome.model} --version {outcome.version}`")

    def say(self, text: str) -> None:
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


@dataclass
class _Gathered:
    """A model with what was read for it."""

    model: "ModelPlan"
    binding: "Binding"
    task: "TrainTask"
    shown: _Shown


async def _train_group(
    plan: "Plan",
    data: DataFolder,
    models: "Sequence[ModelPlan]",
    link: "Link",
    ledger: "Ledger",
    *,
    progress: "Progress",
) -> int:
    """Models that are alike, as many at a time as memory takes; how many could not be trained."""
    from tagsight.errors import TagSightError
    from tagsight.scoring_task import StorePlace
    from tagsight.training import enough, gather
    from tagsight_connectors.errors import HistorianError
    from tagsight_models.errors import ModelError

    place, failed, gathered = StorePlace(data.models, data.signing_key), 0, list[_Gathered]()
    for number, model in enumerate(models):
        shown = _Shown(progress, progress.add_task(model.key, total=1.0, what="reading"))
        try:
            binding, task = await gather(
                model,
                link,
                place,
                plan.digest,
                progress=shown.read,
                results=plan.results.get(model.historian),
                ledger=ledger,
                language=plan.language,
            )
            gathered.append(_Gathered(model, binding, task, shown))
        except (TagSightError, HistorianError, ModelError) as error:
            failed += 1
            shown.failed(model.key, error)
        if gathered and (number == len(models) - 1 or enough([one.task for one in gathered])):
            failed += await _train_gathered(gathered, link, ledger)
            gathered = []
    return failed


async def _train_gathered(gathered: "Sequence[_Gathered]", link: "Link", ledger: "Ledger") -> int:
    from tagsight.errors import TagSightError
    from tagsight.fitting import compute_together
    from tagsight.training import keep_binding, watched_while
    from tagsight_connectors.errors import HistorianError
    from tagsight_models.errors import ModelError

    def computed(number: int, share: float, words: str) -> None:
        gathered[number].shown.computed(share, words)

    computing = asyncio.to_thread(compute_together, [one.task for one in gathered], computed)
    try:
        outcomes, bindings = await watched_while(computing, link, [(one.model, one.binding) for one in gathered])
    except (TagSightError, HistorianError, ModelError) as error:
        for one in gathered:
            one.shown.failed(one.model.key, error)
        return len(gathered)
    for one, binding, outcome in zip(gathered, bindings, outcomes, strict=True):
        if isinstance(outcome, ModelError):
            one.shown.failed(one.model.key, outcome)
            continue
        keep_binding(ledger, one.model, binding, outcome.outputs)
        ledger.audit("command line", "trained", f"{outcome.model} version {outcome.version}")
        one.shown.trained(outcome, binding)
    return sum(isinstance(outcome, ModelError) for outcome in outcomes)


def _standing(outcome: "TrainOutcome") -> str:
    if outcome.trial:
        return "on trial: it does not alarm"
    return "approved" if outcome.approved else "waits for `tagsight model approve`"

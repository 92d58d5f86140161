"""`tagsight rehearse`: replay history and tell which alarms it would have raised."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from rich.progress import Progress

    from tagsight.binding import Binding
    from tagsight.connections import Link
    from tagsight.plan import ModelPlan, Plan
    from tagsight.rehearsal import Rehearsal
    from tagsight.scoring import Scorer
    from tagsight.tick import Participant
    from tagsight_connectors.history import History, Span


@click.command()
@file_argument
@data_option
@click.option("--model", "names", multiple=True, help="Only this model, `ASSET/NAME`; may be given more than once.")
@click.option("--last", "last", default="14d", show_default=True, help="How far back from now, such as `14d`, `6h`.")
@click.option("--from", "start", help="Begin of the replay, such as `2026-01-31 06:30`, instead of --last.")
@click.option("--to", "end", help="End of the replay; default: now. Times are in the time zone of FILE.")
def command(
    *, file: Path, data: DataFolder, names: tuple[str, ...], last: str, start: str | None, end: str | None
) -> None:
    """Replay the history of FILE's models with the scoring of the service, and tell which alarms came out, and why.

    Nothing is recorded and nothing is written back. An alarm that came out is a finding, not a failure: exit code 0.
    """
    from tagsight.configuration import load
    from tagsight.errors import CheckFailed, NotReady
    from tagsight.selection import chosen_models

    plan = load(file)
    models = chosen_models(plan, names)
    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight train FILE --data DIR` makes it; is DIR the right folder?")
    period = _Period(last, start, end, plan.timezone)
    failed = asyncio.run(_rehearse(plan, data, models, period))
    if failed:
        msg = f"{failed} of the models could not be rehearsed"
        raise CheckFailed(msg, "The reasons stand above.")


class _Period:
    """`--last`, `--from` and `--to`, checked before anything is connected."""

    def __init__(self, last: str, start: str | None, end: str | None, timezone: "ZoneInfo") -> None:
        from tagsight.duration import parse_duration

        try:
            self.last_ns = parse_duration(last)
        except ValueError as error:
            msg = f"--last {last}: {error}; write for example 14d"
            raise click.UsageError(msg) from error
        self.start_ns = _moment("--from", start, timezone) if start else None
        self.end_ns = _moment("--to", end, timezone) if end else None

    def span(self, now_ns: int) -> "Span":
        """The period, now that the historian's time is known."""
        from tagsight_connectors.history import Span

        end_ns = now_ns if self.end_ns is None else self.end_ns
        start_ns = end_ns - self.last_ns if self.start_ns is None else self.start_ns
        if start_ns >= end_ns:
            raise click.UsageError("the period ends before it begins")
        return Span(start_ns, end_ns)


def _moment(option: str, text: str, timezone: "ZoneInfo") -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f'{option} {text}: not a date; write for example "2026-01-31 06:30"'
        raise click.UsageError(msg) from error
    return int(moment.replace(tzinfo=moment.tzinfo or timezone).timestamp()) * 1_000_000_000


async def _rehearse(plan: "Plan", data: DataFolder, models: "list[ModelPlan]", period: _Period) -> int:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tagsight.clocks import SystemClock
    from tagsight.ledger.ledger import Ledger
    from tagsight.linking import linked
    from tagsight.scoring import Scorer
    from tagsight.scoring_task import StorePlace

    clock = SystemClock()
    failed = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    scorer = Scorer(StorePlace(data.models, data.signing_key))
    with Ledger.open_reader(data.ledger, clock) as ledger, Progress(*columns, console=Console()) as progress:
        replays = _Replays(plan, period, scorer, progress)
        bound = {one.model: one.binding for one in ledger.bindings()}
        async with linked(plan, data, clock, ledger, tell=progress.console.print) as links:
            for model in models:
                failed += not await replays.rehearse(model, bound.get(model.key), links[model.historian])
    return failed


@dataclass
class _Replays:
    """Rehearses one model after another; each has its bar and its report."""

    plan: "Plan"
    period: _Period
    scorer: "Scorer"
    progress: "Progress"

    async def rehearse(self, model: "ModelPlan", binding: "Binding | None", link: "Link") -> bool:
        """Print the report, or why there is none."""
        from tagsight.errors import TagSightError
        from tagsight.rehearsal_report import report_lines
        from tagsight_connectors.errors import HistorianError
        from tagsight_models.errors import ModelError

        try:
            found = await self._replay(_participant(model, binding, self.scorer), link)
        except (TagSightError, HistorianError, ModelError) as error:
            self._print(f"{model.key}: {error}\n  {error.mend}")
            return False
        for line in report_lines(found, self.plan.timezone):
            self._print(line)
        return True

    async def _replay(self, participant: "Participant", link: "Link") -> "Rehearsal":
        from tagsight.averages import read_sources
        from tagsight.rehearsal import rehearse

        await link.use(_connected)
        span = self.period.span(link.now_ns())
        bar = self.progress.add_task(participant.plan.key, total=None)

        async def read(sources: "Sequence[str]", part: "Span") -> "History":
            return await link.use_stored(lambda historian: read_sources(sources, part, historian))

        def report(done: int, of: int) -> None:
            self.progress.update(bar, completed=done, total=of)

        return await rehearse(participant, span, read, self.scorer, self.plan.timezone, report, self.plan.language)

    def _print(self, line: str) -> None:
        self.progress.console.print(line, markup=False, highlight=False, soft_wrap=True)


async def _connected(_historian: object) -> None:
    """The historian's time is known once it is connected."""


def _participant(model: "ModelPlan", binding: "Binding | None", scorer: "Scorer") -> "Participant":
    from tagsight.errors import NotReady
    from tagsight.scoring_task import Unloadable
    from tagsight.tick import Participant

    facts = scorer.facts([model.key])
    if binding is None or not facts:
        msg = "no approved version to rehearse"
        raise NotReady(msg, "`tagsight train FILE` trains one; `tagsight model approve` approves one.")
    if isinstance(facts[0], Unloadable):
        msg = f"no version of {model.key} can be loaded: {facts[0].why}"
        raise NotReady(msg, "`tagsight train FILE` trains a new one; `tagsight model list` shows the versions.")
    return Participant.of(model, binding, facts[0])

"""`tagsight explain`: what a model says of any moment of the past, or of a period, and why."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tagsight.explanation_report import Line
    from tagsight.looking_back import Looking
    from tagsight.plan import ModelPlan, Plan
    from tagsight.tick import Participant
    from tagsight_connectors.history import History, Span
    from tagsight_explain.pictures.canvas import Look


@click.command()
@file_argument
@data_option
@click.option("--model", "name", help="Which model, `ASSET/NAME`; needed where FILE has more than one.")
@click.option("--at", "at", help="The moment, such as `2026-01-31 06:30`, in the time zone of FILE.")
@click.option("--from", "start", help="Instead of --at: begin of a period.")
@click.option("--to", "end", help="End of the period.")
@click.option("--version", "version", type=click.IntRange(min=1), help="Of the model; default: the one that runs.")
@click.option("--language", "code", help="Of texts and pictures; default: that of FILE.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for the page and the pictures; default: one below `explained` that names model and moment.",
)
def command(
    *,
    file: Path,
    data: DataFolder,
    name: str | None,
    at: str | None,
    start: str | None,
    end: str | None,
    version: int | None,
    code: str | None,
    out: Path | None,
) -> None:
    """Score a moment of the past as the service does, and tell why it scored so; or a period.

    Prints the sentence, the inputs with what was expected of them and their contributions, and writes a page with the
    pictures, which are there as SVG and PNG too. Nothing is recorded and nothing is written back.
    """
    from tagsight.configuration import load

    plan = load(file)
    asked = _Asked(_one_model(plan, name), _spans(at, start, end, plan.timezone), version, _language(code, plan), out)
    asyncio.run(_explain(plan, data, asked))


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for; `span` ends where it begins for a moment."""

    model: "ModelPlan"
    span: tuple[int, int]
    version: int | None
    language: str
    out: Path | None

    def folder(self, look: "Look") -> Path:
        if self.out is not None:
            return self.out
        times = [datetime.fromtimestamp(one / 1e9, tz=look.timezone).strftime("%Y%m%d-%H%M") for one in self.span]
        moments = "_".join(dict.fromkeys(times))
        return Path("explained") / f"{self.model.key.replace('/', '_')}_{moments}"


def _one_model(plan: "Plan", name: str | None) -> "ModelPlan":
    from tagsight.selection import chosen_models

    if name is None and len(plan.models) > 1:
        known = ", ".join(model.key for model in plan.models[:10])
        msg = f"which model? --model takes one of {known}"
        raise click.UsageError(msg)
    return chosen_models(plan, () if name is None else (name,))[0]


def _language(code: str | None, plan: "Plan") -> str:
    from tagsight_explain.language import languages

    if code is not None and code not in languages():
        msg = f"--language {code}: there are {', '.join(languages())}"
        raise click.UsageError(msg)
    return code or plan.language


def _spans(at: str | None, start: str | None, end: str | None, timezone: "ZoneInfo") -> tuple[int, int]:
    if at is not None and start is None and end is None:
        moment = _moment("--at", at, timezone)
        return moment, moment
    if at is None and start is not None and end is not None:
        span = _moment("--from", start, timezone), _moment("--to", end, timezone)
        if span[0] >= span[1]:
            raise click.UsageError("the period ends before it begins")
        return span
    raise click.UsageError("give either --at, or --from and --to")


def _moment(option: str, text: str, timezone: "ZoneInfo") -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f'{option} {text}: not a date; write for example "2026-01-31 06:30"'
        raise click.UsageError(msg) from error
    return int(moment.replace(tzinfo=moment.tzinfo or timezone).timestamp()) * 1_000_000_000


async def _explain(plan: "Plan", data: DataFolder, asked: _Asked) -> None:
    from tagsight.averages import read_sources
    from tagsight.clocks import SystemClock
    from tagsight.errors import NotReady
    from tagsight.extent import extent
    from tagsight.ledger.ledger import Ledger
    from tagsight.linking import linked
    from tagsight.looking_back import Looking
    from tagsight.scoring import Scorer
    from tagsight.scoring_task import StorePlace
    from tagsight_explain.pictures.canvas import Look

    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight train FILE --data DIR` makes it; is DIR the right folder?")
    clock, model = SystemClock(), asked.model
    scorer = Scorer(StorePlace(data.models, data.signing_key), {model.key: asked.version} if asked.version else None)
    with Ledger.open_reader(data.ledger, clock) as ledger:
        bound = next((one.binding for one in ledger.bindings() if one.model == model.key), None)
        async with linked(plan, data, clock, ledger, tell=click.echo) as links:
            link = links[model.historian]

            async def read(sources: "Sequence[str]", part: "Span") -> "History":
                return await link.use_stored(lambda historian: read_sources(sources, part, historian))

            async def known(addresses: Sequence[str]) -> "Span | None":
                return await link.use(lambda historian: extent(historian, addresses))

            looking = Looking(read, scorer, plan.timezone, asked.language, known)
            participant = _participant(model, bound, scorer, asked.version)
            look = Look(asked.language, timezone=plan.timezone)
            await (_moment_of if asked.span[0] == asked.span[1] else _period_of)(participant, asked, looking, look)


def _participant(model: "ModelPlan", binding: object, scorer: object, version: int | None) -> "Participant":
    from tagsight.binding import Binding
    from tagsight.errors import NotReady
    from tagsight.scoring import Scorer
    from tagsight.scoring_task import Unloadable
    from tagsight.tick import Participant

    assert isinstance(scorer, Scorer)
    facts = scorer.facts([model.key])
    if not isinstance(binding, Binding) or not facts:
        what = "is not trained yet" if version is None else f"has no version {version}"
        msg = f"{model.key} {what}"
        raise NotReady(msg, "`tagsight train FILE` trains one; `tagsight model list` shows the versions.")
    if isinstance(facts[0], Unloadable):
        msg = f"no version of {model.key} can be loaded: {facts[0].why}"
        raise NotReady(msg, "`tagsight train FILE` trains a new one; `tagsight model list` shows the versions.")
    return Participant.of(model, binding, facts[0])


async def _moment_of(participant: "Participant", asked: _Asked, looking: "Looking", look: "Look") -> None:
    from tagsight import explanation_report as report
    from tagsight.looking_back import look_at
    from tagsight_explain.pictures import page as html

    moment = await look_at(participant, asked.span[0], looking)
    title, lines = report.moment_words(moment, look)
    head, rows = report.moment_head(asked.language), report.moment_lines(moment, asked.language)
    _print(title, moment.message, lines, head, rows)
    parts = [html.paragraph(moment.message, "message")] if moment.message else []
    parts += [html.paragraph(line, "small") for line in lines] + [_as_table(head, rows)]
    _wrote(report.write(asked.folder(look), title, parts, report.moment_pictures(moment), look))


async def _period_of(participant: "Participant", asked: _Asked, looking: "Looking", look: "Look") -> None:
    from tagsight import explanation_report as report
    from tagsight.looking_back import look_over
    from tagsight_connectors.history import Span
    from tagsight_explain.pictures import page as html

    period = await look_over(participant, Span(*asked.span), looking)
    title, lines = report.period_words(period, look)
    head, rows = report.period_head(asked.language), report.period_lines(period, asked.language)
    _print(title, "", lines, head, rows)
    parts = [*(html.paragraph(line) for line in lines), _as_table(head, rows)]
    _wrote(report.write(asked.folder(look), title, parts, report.period_pictures(period), look))


def _as_table(head: Sequence[str], rows: "Sequence[Line]") -> str:
    from tagsight_explain.pictures import page as html

    return html.table(head, [html.Row(row.cells, row.abnormal) for row in rows])


def _print(title: str, message: str, lines: Sequence[str], head: Sequence[str], rows: "Sequence[Line]") -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(soft_wrap=True)
    for text in filter(None, (title, message, *lines)):
        console.print(text, markup=False, highlight=False)
    shown = Table(box=None, pad_edge=False)
    for number, column in enumerate(head):
        shown.add_column(column, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown.add_row(*(cell.replace("[", r"\[") for cell in row.cells), style="bold" if row.abnormal else None)
    console.print(shown)


def _wrote(page: Path) -> None:
    click.echo(f"pictures in {page.parent}, all on one page: {page}")

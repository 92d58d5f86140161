"""`tagsight report`: the shift report of a period, as one HTML file."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tagsight.commands.options import data_option, file_argument
from tagsight.data_folder import DataFolder

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from tagsight_connectors.history import Span


@click.command()
@file_argument
@data_option
@click.option("--last", "last", default="8h", show_default=True, help="How far back from its end, such as `8h`, `7d`.")
@click.option("--from", "start", help="Begin of the period, such as `2026-01-31 06:00`, instead of --last.")
@click.option("--to", "end", help="End of the period; default: now. Times are in the time zone of FILE.")
@click.option("--language", "code", help="Of the report; default: that of FILE.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"), show_default=True,
    help="The file; one that exists is replaced.",
)  # fmt: skip
def command(
    *, file: Path, data: DataFolder, last: str, start: str | None, end: str | None, code: str | None, out: Path
) -> None:
    """Tell of a shift, or of any period, what alarms there were and how TagSight did, in one HTML file.

    Alarms with times, messages and feedback; the alarm figures of ISA-18.2; how much was scored; drift; versions that
    changed; the state of TagSight. Reads the ledger alone: the service may run or not. Print it from a browser for PDF.
    """
    from tagsight.clocks import SystemClock
    from tagsight.configuration import load
    from tagsight.errors import NotReady
    from tagsight.reports.sections import period_line
    from tagsight.reports.shift_page import shift_page
    from tagsight.reports.words import catalogues
    from tagsight.reports.writing import gathered, wording_of, write_report

    plan = load(file)
    if code is not None and code not in catalogues():
        msg = f"--language {code}: there are {', '.join(catalogues())}"
        raise click.UsageError(msg)
    if not data.ledger.exists():
        msg = f"no ledger in {data.root}"
        raise NotReady(msg, "`tagsight train FILE --data DIR` makes it; is DIR the right folder?")
    clock = SystemClock()
    report = gathered(plan, data, clock, _span(last, start, end, plan.timezone, clock.now_ns()))
    wording = wording_of(plan, code or "")
    write_report(out, shift_page(report, wording))
    click.echo(f"{period_line(report, wording)}: alarms announced: {report.kpis.announced}")
    click.echo(f"wrote {out}")


def _span(last: str, start: str | None, end: str | None, timezone: "ZoneInfo", now_ns: int) -> "Span":
    from tagsight.duration import parse_duration
    from tagsight_connectors.history import Span

    try:
        last_ns = parse_duration(last)
    except ValueError as error:
        msg = f"--last {last}: {error}; write for example 8h"
        raise click.UsageError(msg) from error
    end_ns = _moment("--to", end, timezone) if end else now_ns
    start_ns = _moment("--from", start, timezone) if start else end_ns - last_ns
    if not 0 <= start_ns < end_ns:
        msg = "the period ends before it begins"
        raise click.UsageError(msg)
    return Span(start_ns, end_ns)


def _moment(option: str, text: str, timezone: "ZoneInfo") -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        msg = f'{option} {text}: not a date; write for example "2026-01-31 06:00"'
        raise click.UsageError(msg) from error
    return int(moment.replace(tzinfo=moment.tzinfo or timezone).timestamp()) * 1_000_000_000

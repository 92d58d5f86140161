"""Report: the shift report of any period, as `tagsight report` makes it; shown here, and as a file."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nicegui import ui

from tagsight.clocks import SECOND
from tagsight.duration import UNITS_NS
from tagsight.plan import Plan
from tagsight.reports.gathering import ShiftReport
from tagsight.reports.sections import Section, Wording, period_line, sections
from tagsight.reports.shift_page import shift_page
from tagsight.reports.writing import gathered, wording_of
from tagsight.web.looking import plan_of
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight_connectors.history import Span
from tagsight_explain.language import ENGLISH

SHIFT_NS: Final = 8 * UNITS_NS["h"]
ROWS: Final = 20
_SHORT: Final = "%Y-%m-%d %H:%M"


async def build(site: Site, _visitor: Visitor) -> None:
    """Draw the period to choose; nothing is read before it is asked for."""
    plan = await asyncio.to_thread(plan_of, site)
    _Page(site, plan).draw()


@dataclass
class _Page:
    """One visitor's reports."""

    site: Site
    plan: Plan
    _result: Any = field(init=False, default=None)

    def draw(self) -> None:
        """The period and the button."""
        zone = self.plan.timezone
        now_ns = self.site.clock.now_ns()
        begin, end = (datetime.fromtimestamp(ns / SECOND, tz=zone) for ns in (now_ns - SHIFT_NS, now_ns))
        ui.label(
            "Alarms with their feedback, alarm figures of ISA-18.2, availability of scores, drift, versions that "
            f"changed, and TagSight itself. Times are those of {zone.key}."
        ).classes("text-body2 text-grey-8")
        with ui.row().classes("items-end gap-4 w-full"):
            start = ui.input("From", value=begin.strftime(_SHORT))
            until = ui.input("To", value=end.strftime(_SHORT))
            button = ui.button("Make report", icon="summarize").props("no-caps unelevated")
        self._result = ui.column().classes("w-full gap-3")

        async def make() -> None:
            button.disable()
            try:
                await self._make(str(start.value or ""), str(until.value or ""))
            finally:
                button.enable()

        button.on_click(make)

    async def _make(self, start: str, end: str) -> None:
        self._result.clear()
        try:
            span = self._span(start, end)
            report = await asyncio.to_thread(gathered, self.plan, self.site.data, self.site.clock, span)
        except (*EXPECTED, ValueError) as error:
            with self._result:
                trouble(error)
            return
        with self._result:
            self._show(report)

    def _span(self, start: str, end: str) -> Span:
        first, last = self._moment("From", start), self._moment("To", end)
        if not 0 <= first < last:
            msg = "the period ends before it begins"
            raise ValueError(msg)
        return Span(first, last)

    def _moment(self, name: str, text: str) -> int:
        try:
            moment = datetime.fromisoformat(text.strip())
        except ValueError as error:
            msg = f"{name} {text!r} is not a date; write for example 2026-01-31 06:00"
            raise ValueError(msg) from error
        return int(moment.replace(tzinfo=moment.tzinfo or self.plan.timezone).timestamp()) * SECOND

    def _show(self, report: ShiftReport) -> None:
        wording = Wording.of(self.plan.timezone, ENGLISH)

        async def save() -> None:
            text = await asyncio.to_thread(shift_page, report, wording_of(self.plan))
            moment = datetime.fromtimestamp(report.span.end_ns / SECOND, tz=self.plan.timezone)
            ui.download.content(text, f"tagsight-{moment:%Y%m%d-%H%M}.html", "text/html")

        with ui.row().classes("items-center gap-4"):
            ui.label(period_line(report, wording)).classes("text-subtitle1")
            ui.button("Save as a file", icon="download", on_click=save).props("flat no-caps")
        for section in sections(report, wording):
            _draw(section)


def _draw(section: Section) -> None:
    ui.label(section.heading).classes("text-subtitle1 text-weight-bold q-mt-md")
    if section.lines:
        columns = [
            {"name": str(number), "label": label, "field": str(number),
             "align": "left" if number < section.words else "right",
             "style": "white-space: normal; overflow-wrap: anywhere"}
            for number, label in enumerate(section.head)
        ]  # fmt: skip
        rows = [
            {"key": place, "0": f"⚠ {line.cells[0]}" if line.abnormal else line.cells[0]}
            | {str(number): cell for number, cell in enumerate(line.cells) if number}
            for place, line in enumerate(section.lines)
        ]
        table = ui.table(columns=columns, rows=rows, row_key="key", pagination=ROWS if len(rows) > ROWS else None)
        table.props("dense flat wrap-cells").classes("w-full")
    for note in section.notes:
        ui.label(note).classes("text-body2 text-grey-8" if section.lines else "text-body2")

"""Data: what a training would learn from, tag by tag; what is left out and why; periods marked by dragging."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nicegui import events, ui

from tagsight.data_look import DataLook
from tagsight.data_words import HEAD, left_out_lines, tag_cells
from tagsight.duration import format_duration
from tagsight.plan import ModelPlan, Plan
from tagsight.web import marking
from tagsight.web.data_chart import COLOURS, USED, chart, height, reasons_shown
from tagsight.web.looking import look_at_data, plan_of
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight.web.wall_time import of_wall

AT_ONCE: Final = 20
"""Trends of one chart; more inputs are shown page by page."""

LEAVE_OUT: Final = "leave it out of training"
LABEL: Final = "label it for the diagnosis"


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it: a model and a period are chosen, then read."""
    plan = await asyncio.to_thread(plan_of, site)
    _Page(site, visitor, plan).draw()


@dataclass
class _Page:
    """One visitor's look at the data of one model after the other."""

    site: Site
    visitor: Visitor
    plan: Plan
    look: DataLook | None = None
    first: int = 0
    _result: Any = field(init=False, default=None)
    _models: dict[str, ModelPlan] = field(init=False)

    def __post_init__(self) -> None:
        self._models = {model.key: model for model in self.plan.models}

    def draw(self) -> None:
        ui.label(
            "What a training of this model would read now. Nothing is trained; times are those of "
            f"{self.plan.timezone.key}."
        ).classes("text-body2 text-grey-8")
        with ui.row().classes("items-end gap-4 w-full"):
            model = ui.select(list(self._models), value=next(iter(self._models)), label="Model", with_input=True)
            model.classes("min-w-[260px]")
            start = ui.input("From", placeholder="as configured").props("clearable")
            end = ui.input("To", placeholder="as configured").props("clearable")
            button = ui.button("Read", icon="download").props("no-caps unelevated")
            wait = ui.spinner(size="24px").classes("self-center")
            wait.visible = False
        self._result = ui.column().classes("w-full gap-3")

        async def read() -> None:
            button.disable()
            wait.visible = True
            try:
                await self._read(self._models[str(model.value)], str(start.value or ""), str(end.value or ""))
            finally:
                wait.visible = False
                button.enable()

        button.on_click(read)

    async def _read(self, model: ModelPlan, start: str, end: str) -> None:
        self._result.clear()
        try:
            span = self._span(start, end)
            self.look, self.first = await look_at_data(self.site, self.plan, model, span), 0
        except (*EXPECTED, ValueError) as error:
            with self._result:
                trouble(error)
            return
        self._show()

    def _span(self, start: str, end: str) -> tuple[int, int] | None:
        if not start and not end:
            return None
        moments = []
        for name, text in (("From", start), ("To", end)):
            try:
                moment = datetime.fromisoformat(text.strip())
            except ValueError as error:
                msg = f"{name} {text!r} is not a date; write for example 2026-01-31 06:30, or leave both empty"
                raise ValueError(msg) from error
            moments.append(int(moment.replace(tzinfo=moment.tzinfo or self.plan.timezone).timestamp()) * 10**9)
        if moments[0] >= moments[1]:
            msg = "the period ends before it begins"
            raise ValueError(msg)
        return moments[0], moments[1]

    def _show(self) -> None:
        assert self.look is not None
        self._result.clear()
        with self._result:
            first, *others = left_out_lines(self.look, self.plan.timezone)
            ui.label(first).classes("text-subtitle1")
            with ui.column().classes("gap-0"):
                for line in others:
                    ui.label(line).classes("text-body2")
            self._draw_chart()
            self._draw_table()

    def _draw_table(self) -> None:
        assert self.look is not None
        columns = [
            {"name": name, "label": name.capitalize(), "field": name, "sortable": True,
             "align": "left" if name in {"input", "unit", "remarks"} else "right",
             "style": "white-space: normal; min-width: 200px" if name == "remarks" else "white-space: nowrap"}
            for name in HEAD
        ]  # fmt: skip
        rows = [dict(zip(HEAD, tag_cells(one), strict=True)) for one in self.look.health.tags]
        ui.table(columns=columns, rows=rows, row_key="input", pagination=50).classes("w-full").props("dense flat")

    def _draw_chart(self) -> None:
        assert self.look is not None
        every = self.look.health.tags
        tags = every[self.first : self.first + AT_ONCE]
        with ui.row().classes("items-center gap-4 w-full"):
            for colour, words in (
                (USED, "counts"), *((COLOURS[one], one.words) for one in reasons_shown(tags))
            ):  # fmt: skip
                with ui.row().classes("items-center gap-1"):
                    ui.element("span").style(
                        f"display:inline-block;width:14px;height:10px;background:{colour};border:1px solid #8b9096"
                    )
                    ui.label(words).classes("text-caption")
            ui.space()
            if len(every) > AT_ONCE:
                ui.label(f"{self.first + 1} to {self.first + len(tags)} of {len(every)}").classes("text-caption")
                ui.button(icon="chevron_left", on_click=lambda: self._turn(-AT_ONCE)).props(
                    "flat dense aria-label=back"
                )
                ui.button(icon="chevron_right", on_click=lambda: self._turn(AT_ONCE)).props(
                    "flat dense aria-label=next"
                )
            mark = ui.button("Mark a period", icon="highlight_alt").props("no-caps outline dense padding='2px 10px'")
        with ui.card().classes("w-full q-pa-sm"):
            drawn = ui.echart(chart(self.look, tags, self.plan.timezone)).style(f"height: {height(len(tags))}px")
            drawn.classes("w-full")
        drawn.on("chart:brushEnd", self._marked, ["areas"])
        cursor = {
            "type": "takeGlobalCursor",
            "key": "brush",
            "brushOption": {"brushType": "lineX", "brushMode": "single"},
        }

        def begin() -> None:
            drawn.run_chart_method("dispatchAction", cursor)
            ui.notify("Drag over a trend to choose a period.")

        mark.on_click(begin)

    def _turn(self, by: int) -> None:
        assert self.look is not None
        self.first = min(max(0, self.first + by), max(0, len(self.look.health.tags) - 1) // AT_ONCE * AT_ONCE)
        self._show()

    def _marked(self, event: events.GenericEventArguments) -> None:
        areas = event.args.get("areas") if isinstance(event.args, dict) else event.args
        ends = _range(areas)
        if ends is None or self.look is None:
            return
        with self._result:
            self._ask(of_wall(ends[0], self.plan.timezone), of_wall(ends[1], self.plan.timezone))

    def _ask(self, start_ns: int, end_ns: int) -> None:
        assert self.look is not None
        model, zone = self._models[self.look.plan.key], self.plan.timezone
        table = _table_or_none(self.site, model)
        with ui.dialog(value=True) as dialog, ui.card().classes("gap-2").style("min-width: 420px"):
            ui.label("This period").classes("text-h6")
            start = ui.input("From", value=marking.shown(start_ns, zone)).classes("w-full")
            end = ui.input("To", value=marking.shown(end_ns, zone)).classes("w-full")
            length = format_duration((end_ns - start_ns) // 60_000_000_000 * 60_000_000_000)
            ui.label(f"{length}, {zone.key}").classes("text-caption text-grey-8")
            kind = ui.radio([LEAVE_OUT, *([LABEL] if table is not None else [])], value=LEAVE_OUT)
            words = ui.input("Reason, or label", placeholder="maintenance: seal replaced").classes("w-full")
            component = ui.input("Component (diagnosis of several)").classes("w-full")
            component.bind_visibility_from(kind, "value", value=LABEL)
            told = ui.column().classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                save = ui.button("Save").props("no-caps unelevated")

        async def keep() -> None:
            span = str(start.value), str(end.value)
            told.clear()
            try:
                if kind.value == LABEL and table is not None:
                    await asyncio.to_thread(
                        marking.label, table, span, str(words.value or ""), str(component.value or "")
                    )
                    done = f"added to {table.name}"
                else:
                    applied = await asyncio.to_thread(
                        marking.leave_out, self.site, model, span, str(words.value or ""), self.visitor.user
                    )
                    done = f"left out from now on; kept as {applied.name}"
                what = f"{model.key}: {span[0]} to {span[1]}, {words.value or 'no reason given'}"
                await asyncio.to_thread(self.site.note, self.visitor.user, "period marked", what)
            except EXPECTED as error:
                with told:
                    trouble(error)
                return
            dialog.close()
            ui.notify(f"{done}. The next training goes by it.")

        save.on_click(keep)


def _table_or_none(site: Site, model: ModelPlan) -> Any:
    try:
        return marking.label_table(site, model)
    except EXPECTED:
        return None


def _range(areas: Any) -> tuple[float, float] | None:
    """The period of the newest area, milliseconds of the chart; None for anything else that a browser may send."""
    try:
        area = areas[-1]
        ends = area.get("coordRange") or area["coordRanges"][0]
        low, high = sorted(float(one) for one in ends)
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        return None
    return (low, high) if high > low and abs(high) < 1e14 else None

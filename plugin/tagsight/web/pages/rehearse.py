"""Rehearse: which alarms a model would have raised in the past; what other limits and delays would have made."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from math import isnan
from typing import Any, Final

from nicegui import ui

from tagsight.applied import AppliedFolder
from tagsight.applying import apply_text
from tagsight.duration import format_duration, parse_duration
from tagsight.editing import place_of_model, plain_tree, with_setting
from tagsight.errors import NotReady
from tagsight.job_plans import DiagnosisPlan
from tagsight.judged_alarms import Verdict, judged_alarms
from tagsight.page_tasks import Asked, rehearsing
from tagsight.plan import ModelPlan, Plan
from tagsight.rehearsal import Rehearsal
from tagsight.web.job_bar import JobBar
from tagsight.web.looking import plan_of
from tagsight.web.rehearsal_chart import HEIGHT, chart
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight.what_if import Event, WhatIf, what_if
from tagsight_models.delays import Delays

MINUTE_NS: Final = 60_000_000_000
NORMAL: Final = "normal"
_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "sortable": name != "message", "style": style}
    for name, label, style in (
        ("since", "Abnormal since", "white-space: nowrap"),
        ("announced", "Announced", "white-space: nowrap"),
        ("lasts", "Lasts", "white-space: nowrap"),
        ("message", "What the operator would have read", "white-space: normal; min-width: 300px"),
    )
]


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it."""
    plan = await asyncio.to_thread(plan_of, site)
    _Page(site, visitor, plan).draw()


@dataclass
class _Page:
    site: Site
    visitor: Visitor
    plan: Plan
    replay: Rehearsal | None = None
    events: tuple[Event, ...] = ()
    limit: float = 1.0
    on_delay_ns: int = 0
    off_delay_ns: int = 0
    _bar: JobBar = field(init=False)
    _result: Any = field(init=False, default=None)
    _chart: Any = field(init=False, default=None)
    _told: Any = field(init=False, default=None)
    _table: Any = field(init=False, default=None)

    def draw(self) -> None:
        models = {model.key: model for model in self.plan.models}
        ui.label(
            "Replays history with the scoring of the service. Nothing is recorded and nothing is written back; "
            f"times are those of {self.plan.timezone.key}."
        ).classes("text-body2 text-grey-8")
        with ui.row().classes("items-end gap-4 w-full"):
            model = ui.select(list(models), value=next(iter(models)), label="Model", with_input=True)
            model.classes("min-w-[260px]")
            last = ui.input("Last", value="14d").style("width: 90px")
            end = ui.input("Until", placeholder="now").props("clearable")
            button = ui.button("Rehearse", icon="replay").props("no-caps unelevated")
        self._bar = JobBar(self.site)
        self._result = ui.column().classes("w-full gap-3")

        async def run() -> None:
            button.disable()
            try:
                await self._rehearse(models[str(model.value)], str(last.value or ""), str(end.value or ""))
            finally:
                button.enable()

        button.on_click(run)

    async def _rehearse(self, model: ModelPlan, last: str, end: str) -> None:
        self._result.clear()
        try:
            asked = self._asked(model, last, end)
        except (*EXPECTED, ValueError) as error:
            with self._result:
                trouble(error)
            return
        what = f"rehearsal of {model.key}"
        found = await self._bar.run(lambda: self.site.computing.run(what, self.visitor.user, rehearsing(asked)))
        if not isinstance(found, Rehearsal):
            return
        self.replay = found
        self.events = await asyncio.to_thread(_events, self.site, model, asked.span)
        self.limit, self.on_delay_ns, self.off_delay_ns = 1.0, model.alarm.on_delay_ns, model.alarm.off_delay_ns
        self._show(model)

    def _asked(self, model: ModelPlan, last: str, end: str) -> Asked:
        if self.site.file is None:
            raise NotReady("these pages were started without a configuration", "`tagsight web serve FILE` takes one.")
        end_ns = self.site.clock.now_ns()
        if end:
            moment = datetime.fromisoformat(end.strip())
            end_ns = int(moment.replace(tzinfo=moment.tzinfo or self.plan.timezone).timestamp()) * 10**9
        span = (end_ns - parse_duration(last), end_ns)
        file, data = self.site.file.absolute(), self.site.data.root.absolute()
        return Asked(file, data, model.key, self.visitor.user, span)

    def _found(self) -> WhatIf:
        assert self.replay is not None
        every_ns = self.replay.participant.rhythm.every_ns
        delays = Delays(self.on_delay_ns, self.off_delay_ns)
        one = self.replay
        return what_if(one.times, one.scores, every_ns, limit=self.limit, delays=delays, events=self.events)

    def _show(self, model: ModelPlan) -> None:
        assert self.replay is not None
        with self._result:
            with ui.row().classes("items-center gap-8 w-full"):
                self._slider("Limit of the score", (0.5, 2.0, 0.05), self.limit, self._set_limit)
                minutes = self.on_delay_ns / MINUTE_NS
                self._slider("On-delay, minutes", (0, 60, 1), minutes, self._set_on)
                self._slider("Off-delay, minutes", (0, 60, 1), self.off_delay_ns / MINUTE_NS, self._set_off)
            self._told = ui.column().classes("gap-0")
            with ui.card().classes("w-full q-pa-sm"):
                self._chart = ui.echart({}).style(f"height: {HEIGHT}px").classes("w-full")
            ui.label("Red: alarm. Grey: known events. The dashed line is the limit.").classes("text-caption")
            self._table = ui.table(columns=_COLUMNS, rows=[], row_key="since", pagination=20).classes("w-full")
            self._table.props("dense flat")
            ui.button("Use these delays", icon="save", on_click=lambda: self._use(model)).props("no-caps outline")
            ui.label(
                "The limit itself comes from the alarm budget: to move it for good, change `at_most` of the alarm and "
                "train again."
            ).classes("text-caption text-grey-8")
        self._draw()

    @staticmethod
    def _slider(title: str, bounds: tuple[float, float, float], value: float, done: Any) -> None:
        low, high, step = bounds
        with ui.column().classes("gap-0").style("width: 240px"):
            words = ui.label().classes("text-body2")
            slider = ui.slider(min=low, max=high, step=step, value=min(max(value, low), high))
            words.bind_text_from(slider, "value", backward=lambda now: f"{title}: {now:g}")
            slider.on_value_change(lambda event: done(float(event.value)))

    def _set_limit(self, value: float) -> None:
        self.limit = value
        self._draw()

    def _set_on(self, minutes: float) -> None:
        self.on_delay_ns = round(minutes * MINUTE_NS)
        self._draw()

    def _set_off(self, minutes: float) -> None:
        self.off_delay_ns = round(minutes * MINUTE_NS)
        self._draw()

    def _draw(self) -> None:
        assert self.replay is not None
        found, one, zone = self._found(), self.replay, self.plan.timezone
        options = chart(one.times, one.scores, found, limit=self.limit, events=self.events, timezone=zone)
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()
        messages = {alarm.activation.announced_ns: alarm.message for alarm in one.alarms}
        self._table.rows = [
            {
                "since": self._time(alarm.since_ns),
                "announced": self._time(alarm.announced_ns),
                "lasts": "to the end"
                if alarm.cleared_ns is None
                else format_duration(alarm.cleared_ns - alarm.since_ns),
                "message": messages.get(alarm.announced_ns, "(explained at the limit and delays of the configuration)"),
            }
            for alarm in found.alarms
        ]
        self._told.clear()
        with self._told:
            for line in self._lines(found):
                ui.label(line).classes("text-body1")

    def _lines(self, found: WhatIf) -> list[str]:
        assert self.replay is not None
        alarm = self.replay.participant.plan.alarm
        budget = f"{alarm.at_most:g} in {format_duration(alarm.per_ns)}"
        often = "nothing was scored" if isnan(found.per_month) else f"{found.per_month:.1f} in 30 days of scored time"
        count = f"{len(found.alarms)} alarm{'' if len(found.alarms) == 1 else 's'}"
        lines = [f"{count}: {often}; the budget is {budget}. Apart from known events: {found.elsewhere}."]
        for one in found.warned:
            what = f"{one.event.what}, {self._time(one.event.start_ns)}"
            if one.ahead_ns is None:
                lines.append(f"{what}: no warning")
            else:
                when = "before" if one.ahead_ns >= 0 else "after"
                lines.append(f"{what}: warned {format_duration(abs(one.ahead_ns))} {when} it began")
        if self.replay.reasons:
            said = "; ".join(f"{reason}: {count:,}" for reason, count in self.replay.reasons.items())
            lines.append(f"Due times not scored: {said}")
        return lines

    def _time(self, time_ns: int) -> str:
        return datetime.fromtimestamp(time_ns / 1e9, tz=self.plan.timezone).strftime("%Y-%m-%d %H:%M")

    async def _use(self, model: ModelPlan) -> None:
        try:
            await asyncio.to_thread(
                _save_delays, self.site, model, self.on_delay_ns, self.off_delay_ns, self.visitor.user
            )
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        ui.notify("Saved and applied: the service takes it over between two ticks.")


def _save_delays(site: Site, model: ModelPlan, on_ns: int, off_ns: int, who: str) -> None:
    assert site.file is not None
    text = site.file.read_text(encoding="utf-8-sig")
    place = place_of_model(plain_tree(text).get("models", []), model.asset, model.name)
    made = with_setting(text, ("models", place, "alarm", "on_delay"), format_duration(on_ns))
    made = with_setting(made, ("models", place, "alarm", "off_delay"), format_duration(off_ns))
    apply_text(made, text, site.file, AppliedFolder(site.data.applied), who=who, now_ns=site.clock.now_ns())
    site.note(who, "alarm delays", f"{model.key}: on {format_duration(on_ns)}, off {format_duration(off_ns)}")


def _events(site: Site, model: ModelPlan, span: tuple[int, int]) -> tuple[Event, ...]:
    """What is known to have happened on this asset: alarms called true, and labelled faults of its diagnoses."""
    found = [
        Event(one.since_ns, one.until_ns, "alarm called true")
        for one in judged_alarms(site.ledger(), model.key, *span)
        if one.verdict is Verdict.TRUE
    ]
    plan = site.plan()
    for other in plan.models if plan is not None else ():
        if other.asset != model.asset or not isinstance(other.of_job, DiagnosisPlan):
            continue
        labels = other.of_job.labels
        normal = {NORMAL, *labels.normal.values()}
        found += [
            Event(one.start_ns, one.end_ns, one.label)
            for one in labels.periods
            if one.label not in normal and one.start_ns < span[1] and one.end_ns > span[0]
        ]
    return tuple(sorted(found, key=lambda one: one.start_ns))

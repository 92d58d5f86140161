"""Pick: the tags of a historian, their trends, and what is picked as inputs of a model."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from nicegui import events, ui

from tagsight.clocks import SECOND
from tagsight.extent import extent
from tagsight.plan import Plan
from tagsight.tag_tree import Shown
from tagsight.web import picking
from tagsight.web.known_tags import Browsed
from tagsight.web.looking import plan_of
from tagsight.web.picking import MOST_PICKED, MOST_TAGS
from tagsight.web.reading_bar import ReadingBar
from tagsight.web.saving import text_of
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.trend_chart import chart, height
from tagsight.web.visitors import Visitor
from tagsight_connectors.tag import DataType, Tag

PAGE: Final = 15
DAY_NS: Final = 86_400 * SECOND
AT_ONCE: Final = 20
"""Trends of one chart."""

ALL: Final = 0
PERIODS: Final = {1: "last day", 7: "last 7 days", 30: "last 30 days", 90: "last 90 days", ALL: "all that there is"}
NEW: Final = "a new model"
_NAME: Final = """
<q-td :props="props">
  <q-btn v-if="props.row.folder" flat dense no-caps padding="0 4px" icon="folder" :label="props.row.name"
         @click="$parent.$emit('enter', props.row.key)" />
  <q-btn v-else flat dense no-caps padding="0 4px" :icon="props.row.picked ? 'check_box' : 'check_box_outline_blank'"
         :label="props.row.name" :aria-pressed="props.row.picked" @click="$parent.$emit('pick', props.row.key)"
         style="text-align: left" />
</q-td>
"""
_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "style": style}
    for name, label, style in (
        ("name", "Name", "white-space: normal; overflow-wrap: anywhere"),
        ("unit", "Unit", "white-space: nowrap"),
        ("range", "Range", "white-space: nowrap"),
        ("remarks", "", "white-space: normal; min-width: 120px"),
    )
]


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it: a historian is chosen, its tags are read once, then opened and searched."""
    plan = await asyncio.to_thread(plan_of, site)
    await _Page(site, visitor, plan).draw()


@dataclass
class _Page:
    site: Site
    visitor: Visitor
    plan: Plan
    browsed: Browsed | None = None
    folder: str = ""
    wanted: str = ""
    first: int = 0
    picked: dict[str, Tag] = field(default_factory=dict)
    _name: str = ""
    _bar: ReadingBar = field(init=False)
    _tree: Any = field(init=False, default=None)
    _picked: Any = field(init=False, default=None)
    _trends: Any = field(init=False, default=None)
    _trend_bar: ReadingBar = field(init=False)

    async def draw(self) -> None:
        self._name = next(iter(self.plan.historians))
        with ui.row().classes("items-end gap-4 w-full"):
            chosen = ui.select(list(self.plan.historians), value=self._name, label="Historian").classes("min-w-[160px]")
            pattern = ui.input("Pattern", value="**").classes("min-w-[260px]")
            read = ui.button("Read the tags", icon="account_tree").props("no-caps unelevated")
            ui.label("** is any number of levels, * anything within one, ? one letter").classes(
                "text-caption text-grey-8"
            )
        self._bar = ReadingBar()
        with ui.row().classes("w-full no-wrap items-start gap-4"):
            self._tree = ui.column().classes("gap-2").style("flex: 3; min-width: 0")
            self._picked = ui.column().classes("gap-2").style("flex: 2; min-width: 0")
        self._trend_bar = ReadingBar()
        self._trends = ui.column().classes("w-full gap-2")

        async def load() -> None:
            read.disable()
            try:
                await self._load(str(chosen.value), str(pattern.value or "**"))
            finally:
                read.enable()

        read.on_click(load)
        pattern.on("keydown.enter", load)
        self.browsed = self.site.known_tags.get(self._name, self.plan.historians[self._name].url, "**")
        if self.browsed is not None:
            self._draw_tree()
        self._draw_picked()

    async def _load(self, name: str, pattern: str) -> None:
        url = self.plan.historians[name].url
        found = await self._bar.run(lambda: picking.browse(self.site, self.plan, name, pattern, self._bar.tell))
        if not isinstance(found, Browsed):
            return
        if name != self._name:
            self.picked.clear()
            self._draw_picked()
        self._name, self.browsed, self.folder, self.wanted, self.first = name, found, "", "", 0
        self.site.known_tags.keep(name, url, found)
        self._draw_tree()

    def _draw_tree(self) -> None:
        browsed = self.browsed
        assert browsed is not None
        self._tree.clear()
        with self._tree, ui.card().classes("w-full q-pa-sm gap-1"):
            more = (
                "" if browsed.complete else f"; there are more: a narrower pattern shows them ({MOST_TAGS:,} at most)"
            )
            ui.label(f"{len(browsed.tree):,} tags match {browsed.pattern}{more}").classes("text-body2").style(
                "overflow-wrap: anywhere"
            )
            search = ui.input("Search", placeholder="words, or a pattern such as **/P101/*").classes("w-full")
            search.props("clearable dense debounce=300")
            search.value = self.wanted
            place = ui.column().classes("w-full gap-1")

        def find() -> None:
            self.wanted, self.first = str(search.value or "").strip(), 0
            self._draw_level(place)

        search.on_value_change(find)
        self._draw_level(place)

    def _draw_level(self, place: Any) -> None:
        assert self.browsed is not None
        tree = self.browsed.tree

        def ask() -> Shown:
            if self.wanted:
                return tree.search(self.wanted, self.first, PAGE)
            return tree.folder(self.folder, self.first, PAGE)

        found = ask()
        place.clear()
        with place:
            self._draw_way(place)
            table = ui.table(columns=_COLUMNS, rows=self._rows(found), row_key="key").classes("w-full")
            table.props("dense flat hide-pagination").add_slot("body-cell-name", _NAME)
            self._draw_turning(place, found)

        def enter(event: events.GenericEventArguments) -> None:
            self.folder, self.first = str(event.args), 0
            self._draw_level(place)

        def pick(event: events.GenericEventArguments) -> None:
            self._pick(str(event.args))
            table.rows = self._rows(ask())

        table.on("enter", enter)
        table.on("pick", pick)

    def _draw_way(self, place: Any) -> None:
        """From the root to the folder: each level leads back to it."""

        def go(path: str) -> None:
            self.folder, self.first = path, 0
            self._draw_level(place)

        if self.wanted:
            return
        levels = self.folder.split("/") if self.folder else []
        with ui.row().classes("items-center gap-0"):
            for at, name in enumerate(["all", *levels]):
                if at:
                    ui.label("/").classes("text-grey-7")
                path = "/".join(levels[:at])
                ui.button(name, on_click=lambda path=path: go(path)).props("flat dense no-caps padding='0 4px'")

    def _draw_turning(self, place: Any, found: Shown) -> None:
        def turn(by: int) -> None:
            self.first = max(0, self.first + by)
            self._draw_level(place)

        shown = len(found.folders) + len(found.tags)
        with ui.row().classes("items-center w-full gap-2"):
            words = f"{self.first + 1:,} to {self.first + shown:,} of {found.total:,}" if shown else "Nothing here."
            ui.label(words).classes("text-caption")
            ui.space()
            back = ui.button(icon="chevron_left", on_click=lambda: turn(-PAGE)).props("flat dense aria-label=back")
            on = ui.button(icon="chevron_right", on_click=lambda: turn(PAGE)).props("flat dense aria-label=next")
            back.set_enabled(self.first > 0)
            on.set_enabled(self.first + shown < found.total)

    def _rows(self, found: Shown) -> list[dict[str, object]]:
        folders: list[dict[str, object]] = [
            {"key": one.path, "folder": True, "name": one.name or "(no name)", "remarks": f"{one.tags:,} tags"}
            for one in found.folders
        ]
        return folders + [
            {
                "key": tag.address,
                "folder": False,
                "picked": tag.address in self.picked,
                "name": tag.path if self.wanted else tag.name,
                "unit": tag.unit,
                "range": f"{tag.eu_range.low:g} to {tag.eu_range.high:g}" if tag.eu_range is not None else "",
                "remarks": _remarks(tag),
            }
            for tag in found.tags
        ]

    def _pick(self, address: str) -> None:
        tag = self.browsed.tree.tag(address) if self.browsed is not None else None
        if tag is None:
            return
        if address in self.picked:
            del self.picked[address]
        elif len(self.picked) >= MOST_PICKED:
            ui.notify(f"At most {MOST_PICKED} at once; name a whole folder by a pattern.", type="warning")
        else:
            self.picked[address] = tag
        self._draw_picked()

    def _draw_picked(self) -> None:
        self._picked.clear()
        with self._picked, ui.card().classes("w-full q-pa-sm gap-1"):
            ui.label(f"Picked: {len(self.picked)}").classes("text-subtitle2")
            if not self.picked:
                ui.label("Click on tags to pick them, for trends and as inputs of a model.").classes(
                    "text-body2 text-grey-8"
                )
                return
            with ui.column().classes("w-full gap-0").style("max-height: 220px; overflow-y: auto; flex-wrap: nowrap"):
                for address, tag in self.picked.items():
                    with ui.row().classes("w-full items-center no-wrap gap-1"):
                        ui.button(icon="close", on_click=lambda address=address: self._drop(address)).props(
                            "flat dense size=sm aria-label=remove"
                        )
                        ui.label(tag.path).classes("text-body2").style("overflow-wrap: anywhere")
            with ui.row().classes("items-center gap-2"):
                period = ui.select(PERIODS, value=7).props("dense options-dense").classes("min-w-[150px]")
                show = ui.button("Trends", icon="show_chart").props("no-caps outline")
                ui.button("Make them inputs", icon="input", on_click=self._ask).props("no-caps unelevated")

        async def draw_trends() -> None:
            show.disable()
            try:
                await self._show_trends(int(period.value))
            finally:
                show.enable()

        show.on_click(draw_trends)

    def _drop(self, address: str) -> None:
        self._pick(address)
        if self.browsed is not None:
            self._draw_tree()

    async def _show_trends(self, days: int) -> None:
        tags = list(self.picked.values())[:AT_ONCE]
        found = await self._trend_bar.run(lambda: self._read(tags, days))
        if found is None:
            return
        span, trends = found
        self._trends.clear()
        with self._trends:
            zone = self.plan.timezone
            start, end = (f"{datetime.fromtimestamp(ns / SECOND, tz=zone):%Y-%m-%d %H:%M}" for ns in span)
            told = f"{sum(one.stored for one in trends):,} values, {start} to {end} ({zone.key})"
            if len(self.picked) > AT_ONCE:
                told += f"; the first {AT_ONCE} of {len(self.picked)} tags"
            ui.label(told).classes("text-body2")
            if empty := [one.tag.name for one in trends if not one.stored]:
                ui.label(f"⚠ No value in this period: {', '.join(empty)}. Choose another one.").classes("text-body2")
            drawn = [one for one in trends if one.stored]
            if drawn:
                with ui.card().classes("w-full q-pa-sm"):
                    ui.echart(chart(drawn, span, zone)).classes("w-full").style(f"height: {height(len(drawn))}px")

    async def _read(self, tags: list[Tag], days: int) -> tuple[tuple[int, int], list[picking.Trend]]:
        now_ns = self.site.clock.now_ns()
        span = now_ns - days * DAY_NS, now_ns
        if days == ALL:
            self._trend_bar.tell("looking for the first value")
            async with picking.reading(self.site, self.plan, self._name) as link:
                found = await link.use(lambda historian: extent(historian, [tag.address for tag in tags]))
            span = (found.start_ns, found.end_ns) if found is not None else (now_ns - DAY_NS, now_ns)
        return span, await picking.trends(self.site, self.plan, self._name, tags, span, self._trend_bar.tell)

    async def _ask(self) -> None:
        inputs = [picking.as_input(tag) for tag in self.picked.values()]
        try:
            models = picking.models_of(await asyncio.to_thread(text_of, self.site))
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        with ui.dialog(value=True) as dialog, ui.card().classes("gap-2").style("min-width: 440px"):
            ui.label("Inputs of a model").classes("text-h6")
            model = ui.select([NEW, *models], value=NEW, label="Model").classes("w-full")
            asset = ui.input("Asset", placeholder="P101").classes("w-full")
            name = ui.input("Name of the model", value="Health").classes("w-full")
            for one in (asset, name):
                one.bind_visibility_from(model, "value", value=NEW)
            lines = ui.textarea("Inputs, one a line; a pattern names a whole folder", value="\n".join(inputs))
            lines.classes("w-full").props("input-style='font-family: monospace; max-height: 180px'")
            ui.label(
                "It is saved and applied at once; everything else of a new model is as by default until it is changed "
                "on the page Configure."
            ).classes("text-caption text-grey-8")
            told = ui.column().classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                keep = ui.button("Save and apply").props("no-caps unelevated")

        async def save() -> None:
            told.clear()
            key, who = str(model.value), self.visitor.user
            given = [one.strip() for one in str(lines.value or "").splitlines() if one.strip()]
            named = str(asset.value or "").strip(), str(name.value or "").strip()
            try:
                if key == NEW:
                    await asyncio.to_thread(picking.add_model, self.site, self._name, *named, given, who=who)
                    key = "/".join(named)
                else:
                    await asyncio.to_thread(picking.add_to_model, self.site, key, given, who)
            except EXPECTED as error:
                with told:
                    trouble(error)
                return
            dialog.close()
            ui.notify(f"Saved: {key} has these inputs. Train it on the page Models.")

        keep.on_click(save)


def _remarks(tag: Tag) -> str:
    words = [tag.description] if tag.description else []
    if tag.data_type in {DataType.TEXT, DataType.OTHER}:
        words.append(f"({tag.data_type.value}: no input)")
    if not tag.historizing:
        words.append("(no history)")
    return " ".join(words)

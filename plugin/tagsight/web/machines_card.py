"""Tables of machines: one template, many machines; pasted from a spreadsheet, uploaded, or edited cell by cell."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import events, ui

from tagsight.errors import ConfigurationError, NotAllowed
from tagsight.machine_table import MachineTable, parsed
from tagsight.web import configuring
from tagsight.web.routes import UPLOAD_BYTES
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site

NEW: Final = "a new table"


@dataclass
class MachinesCard:
    """One table at a time.

    Attributes:
        site: of the pages.
        who: edits.
        text: of the configuration as it is edited.
        saved: awaited after a table was saved.
    """

    site: Site
    who: str
    text: Callable[[], str]
    saved: Callable[[], Awaitable[None]]
    _table: MachineTable | None = field(init=False, default=None)
    _based_on: str | None = field(init=False, default=None)
    _chosen: Any = field(init=False, default=None)
    _place: Any = field(init=False, default=None)
    _told: Any = field(init=False, default=None)
    _template: Any = field(init=False, default=None)
    _name: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        with (
            ui.card().classes("w-full q-pa-none"),
            ui.expansion("Machines of a template").classes("w-full") as opened,
            ui.column().classes("w-full q-pa-sm gap-2"),
        ):
            ui.label(
                "A line for each machine. A column named like a setting (asset, alarm.at_most) overrides it; an empty "
                "cell inherits the template's; every column is a placeholder {column} in the template."
            ).classes("text-caption text-grey-8")
            with ui.row().classes("items-end gap-3 w-full"):
                self._chosen = ui.select([NEW], value=NEW, label="Table", on_change=self._load).classes("min-w-[200px]")
                self._template = ui.select([], label="Template").classes("min-w-[150px]")
                self._name = ui.input("File", value="machines.csv")
                for one in (self._template, self._name):
                    one.bind_visibility_from(self._chosen, "value", value=NEW)
                ui.button("Paste", icon="content_paste", on_click=self._ask).props("no-caps outline")
                upload = ui.upload(
                    label="CSV", auto_upload=True, max_file_size=UPLOAD_BYTES, on_upload=self._uploaded,
                    on_rejected=lambda: ui.notify("Too large: at most 5 MB.", type="warning"),
                )  # fmt: skip
                upload.props("accept=.csv,.txt,.tsv flat bordered").style("width: 200px; max-height: 60px")
                ui.button("Save and apply", icon="save", on_click=self._save).props("no-caps unelevated")
            self._told = ui.column().classes("w-full")
            self._place = ui.column().classes("w-full")
        opened.on_value_change(lambda: self._load() if opened.value else None)

    async def show(self) -> None:
        """Which tables and templates the text has; the one that is edited stays."""
        try:
            tables, templates = await asyncio.to_thread(_names, self.text())
        except ConfigurationError:
            return
        options = [*tables, NEW]
        if options != self._chosen.options:
            kept = self._chosen.value if self._chosen.value in options and self._table is not None else options[0]
            self._chosen.set_options(options, value=kept)
        if templates != self._template.options:
            known = self._template.value if self._template.value in templates else next(iter(templates), None)
            self._template.set_options(templates, value=known)

    async def _load(self) -> None:
        self._told.clear()
        name = str(self._chosen.value)
        if name == NEW:
            self._table, self._based_on = None, None
        else:
            try:
                self._table, self._based_on = await asyncio.to_thread(configuring.read_table, self.site, name)
            except EXPECTED as error:
                self._say(error)
                self._table, self._based_on = None, None
        self._draw()

    def _draw(self) -> None:
        self._place.clear()
        table = self._table
        if table is None:
            return
        columns = [
            {"headerName": name, "field": f"c{at}", "editable": True, "resizable": True, "minWidth": 110}
            for at, name in enumerate(table.columns)
        ]
        rows = [
            {"row": number, **{f"c{at}": cell for at, cell in enumerate(cells)}}
            for number, cells in enumerate(table.rows)
        ]
        with self._place:
            ui.label(f"{len(rows)} machines").classes("text-caption")
            grid = ui.aggrid({"columnDefs": columns, "rowData": rows, "stopEditingWhenCellsLoseFocus": True})
            grid.classes("w-full").style(f"height: {min(360, 60 + 44 * len(rows))}px")
            grid.on("cellValueChanged", self._edited, ["rowIndex", "data"])

    def _edited(self, event: events.GenericEventArguments) -> None:
        if self._table is None:
            return
        try:
            data = event.args["data"]
            number = int(data["row"])
            rows = list(self._table.rows)
            rows[number] = tuple(str(data.get(f"c{at}") or "").strip() for at in range(len(self._table.columns)))
        except (KeyError, TypeError, ValueError, IndexError):
            return
        self._table = MachineTable(self._table.columns, tuple(rows))

    def _ask(self) -> None:
        with ui.dialog(value=True) as dialog, ui.card().style("min-width: 640px"):
            ui.label("Paste the table").classes("text-h6")
            given = ui.textarea("From Excel or CSV; the first line names the columns").classes("w-full")
            given.props("rows=12 autofocus input-style='font-family: monospace; white-space: pre'")
            told = ui.column().classes("w-full")

            def take() -> None:
                told.clear()
                try:
                    self._take(str(given.value or ""))
                except NotAllowed as error:
                    with told:
                        trouble(error)
                    return
                dialog.close()

            with ui.row().classes("w-full justify-end"):
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                ui.button("Take it", on_click=take).props("no-caps unelevated")

    async def _uploaded(self, event: events.UploadEventArguments) -> None:
        try:
            self._take((await event.file.read()).decode("utf-8-sig"))
        except UnicodeDecodeError:
            self._say(NotAllowed(what="the file is not UTF-8 text", mend='In a spreadsheet save it as "CSV UTF-8".'))
        except NotAllowed as error:
            self._say(error)

    def _take(self, text: str) -> None:
        """What was pasted is shown, and not saved yet."""
        if len(text) > UPLOAD_BYTES:
            raise NotAllowed(what="the table is larger than 5 MB", mend="Use several tables.")
        self._table = parsed(text)
        self._told.clear()
        self._draw()

    async def _save(self) -> None:
        self._told.clear()
        table, name = self._table, str(self._chosen.value)
        if table is None:
            self._say(NotAllowed(what="there is no table yet", mend="Paste or upload one."))
            return
        try:
            if name == NEW:
                name = str(self._name.value or "").strip()
                template = str(self._template.value or "")
                await asyncio.to_thread(configuring.add_table, self.site, template, name, table, self.who)
            else:
                await asyncio.to_thread(configuring.save_table, self.site, name, table, self._based_on, self.who)
        except EXPECTED as error:
            self._say(error)
            return
        self._based_on = table.csv()
        ui.notify(f"Saved and applied: {len(table.rows)} machines of {name}.")
        await self.saved()

    def _say(self, error: Exception) -> None:
        self._told.clear()
        with self._told:
            trouble(error)


def _names(text: str) -> tuple[list[str], list[str]]:
    return configuring.tables_of(text), configuring.templates_of(text)

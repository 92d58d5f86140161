"""Configure: the configuration as text and as fields, which are the same thing; checked, compared, applied."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from tagsight.applying import EditedMeanwhile, difference
from tagsight.errors import ConfigurationError, Fault
from tagsight.web import configuring
from tagsight.web.copies_card import CopiesCard
from tagsight.web.fields_card import FieldsCard
from tagsight.web.machines_card import MachinesCard
from tagsight.web.saving import save, text_of
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor

SETTLED_S: Final = 0.6
"""After the last key the text is checked."""

LOOK_S: Final = 3.0
_FAULTS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "style": style}
    for name, label, style in (
        ("line", "Line", "width: 50px"),
        ("setting", "Setting", "white-space: normal; overflow-wrap: anywhere"),
        ("value", "Value", "white-space: normal; overflow-wrap: anywhere"),
        ("cause", "What is wrong", "white-space: normal"),
        ("mend", "Mend", "white-space: normal"),
    )
]


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it, whatever the file says."""
    await _Page(site, visitor, await asyncio.to_thread(text_of, site)).draw()


@dataclass
class _Page:
    """One visitor's edit.

    Attributes:
        site: of the pages.
        visitor: who edits.
        based_on: the file's text when the edit began.
    """

    site: Site
    visitor: Visitor
    based_on: str
    _code: Any = field(init=False, default=None)
    _changed: Any = field(init=False, default=None)
    _found: Any = field(init=False, default=None)
    _seen: str = field(init=False, default="")
    _keys: int = field(init=False, default=0)
    _fields: FieldsCard = field(init=False)
    _copies: CopiesCard = field(init=False)
    _machines: MachinesCard = field(init=False)

    async def draw(self) -> None:
        self._seen = self.based_on
        self._changed = ui.column().classes("w-full")
        with ui.row().classes("items-center gap-3 w-full"):
            keep = ui.button("Save and apply", icon="save").props("no-caps unelevated")
            ui.button("Check", icon="rule", on_click=self.look).props("no-caps outline")
            ui.label("Checked while you type. The service takes it over between two scorings.").classes(
                "text-caption text-grey-8"
            )
        self._found = ui.column().classes("w-full gap-1")
        with ui.row().classes("w-full no-wrap items-start gap-4"):
            with ui.card().classes("q-pa-none").style("flex: 3; min-width: 0"):
                self._code = ui.codemirror(self.based_on, language="YAML", line_wrapping=True, indent="  ")
                self._code.classes("w-full").style("height: 480px; font-size: 13px")
            with ui.column().style("flex: 2; min-width: 0"):
                self._fields = FieldsCard(self.text, self.write)
        self._machines = MachinesCard(self.site, self.visitor.user, self.text, self._saved_elsewhere)
        self._copies = CopiesCard(self.site, self.write)
        self._code.on_value_change(self._typed)
        keep.on_click(self._save)
        await self.look()
        ui.timer(LOOK_S, self._watch, immediate=False)

    def text(self) -> str:
        """As it is edited."""
        return str(self._code.value or "")

    def write(self, text: str) -> None:
        """Put another text into the editor; its own undo brings back what was there."""
        self._code.value = text

    async def _typed(self) -> None:
        self._keys += 1
        mine = self._keys
        await asyncio.sleep(SETTLED_S)
        if mine == self._keys:
            await self.look()

    async def look(self) -> None:
        """Check the text, and show in the fields what it says."""
        text = self.text()
        try:
            found = await asyncio.to_thread(configuring.look, self.site, text)
        except EXPECTED as error:
            self._found.clear()
            with self._found:
                trouble(error)
            return
        if text == self.text():
            self._draw_found(found)
            await self._fields.show()
            await self._machines.show()
            await self._copies.show()

    def _draw_found(self, found: configuring.Look) -> None:
        self._found.clear()
        with self._found:
            if found.faults:
                count = len(found.faults)
                ui.label(f"✗ {count} fault{'s' if count != 1 else ''}: it cannot be applied.").classes("text-body1")
                _draw_faults(found.faults)
                return
            state = "saved" if self.text() == self.based_on else "not saved yet"
            ui.label(f"✓ It can be used ({state}). {found.compared}").classes("text-body2").style(
                "overflow-wrap: anywhere"
            )
            for one in found.warnings:
                ui.label(f"⚠ {one}").classes("text-body2")
            with ui.expansion("What it means").classes("w-full").props("dense"):
                ui.label("\n".join(found.summary)).classes("text-caption").style(
                    "font-family: monospace; white-space: pre-wrap; line-height: 1.35"
                )

    async def _save(self) -> None:
        text = self.text()
        try:
            async with self._fields.editing:
                text = self.text()
                applied = await asyncio.to_thread(save, self.site, text, self.based_on, self.visitor.user)
        except EditedMeanwhile:
            await self._watch()
            ui.notify("Not saved: somebody else saved in the meantime. Compare above.", type="warning")
            return
        except ConfigurationError as error:
            ui.notify(f"Not saved: {len(error.faults)} faults.", type="warning")
            await self.look()
            return
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        self.based_on = self._seen = text
        self._changed.clear()
        ui.notify(f"Saved and applied as {applied.name}.")
        await self.look()

    async def _saved_elsewhere(self) -> None:
        """A table was saved, and with a new one the file: it is taken over unless something else is edited here."""
        try:
            now = await asyncio.to_thread(text_of, self.site)
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        if self.text() == self.based_on:
            self.based_on = self._seen = now
            self.write(now)
        await self._watch()
        await self.look()

    async def _watch(self) -> None:
        """Has somebody else changed the file? What is edited here stays."""
        try:
            now = await asyncio.to_thread(text_of, self.site)
        except EXPECTED as error:
            if self._seen != str(error):
                self._seen = str(error)
                self._changed.clear()
                with self._changed:
                    trouble(error)
            return
        if now == self._seen:
            return
        self._seen = now
        self._changed.clear()
        if now != self.based_on:
            faults = (await asyncio.to_thread(configuring.look, self.site, now)).faults
            with self._changed:
                self._draw_changed(now, faults)

    def _draw_changed(self, now: str, faults: Sequence[Fault]) -> None:
        with ui.card().classes("w-full q-pa-sm gap-1").style("border-left: 4px solid #8a4b00"):
            words = "⚠ The file was changed by somebody else since you opened it. Yours is kept here, not saved."
            ui.label(words).classes("text-body1")
            ui.label(difference(self.based_on, now)).classes("text-caption w-full").style(
                "font-family: monospace; white-space: pre-wrap; max-height: 180px; overflow-y: auto"
            )
            if faults:
                ui.label(f"✗ What the file says now has {len(faults)} faults; what runs goes on unchanged:").classes(
                    "text-body2"
                )
                _draw_faults(faults)
            with ui.row().classes("gap-2"):
                ui.button("Take the file's text", on_click=lambda: self._settle(now, take=True)).props(
                    "no-caps outline dense padding='2px 10px'"
                )
                ui.button("Go on with mine", on_click=lambda: self._settle(now, take=False)).props(
                    "no-caps outline dense padding='2px 10px'"
                )
                ui.label("Saving then replaces theirs.").classes("text-caption text-grey-8 self-center")

    async def _settle(self, now: str, *, take: bool) -> None:
        self.based_on = now
        self._changed.clear()
        if take:
            self.write(now)
        await self.look()


def _draw_faults(faults: Sequence[Fault]) -> None:
    rows = [
        {"key": number, "line": one.line or "", "setting": one.setting, "value": one.value, "cause": one.cause,
         "mend": one.mend}
        for number, one in enumerate(faults)
    ]  # fmt: skip
    ui.table(columns=_FAULTS, rows=rows, row_key="key", pagination=8).classes("w-full").props("dense flat")

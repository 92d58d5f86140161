"""Configurations that were applied, with their authors and their text."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from nicegui import events, ui

from tagsight.clocks import SECOND
from tagsight.web import configuring
from tagsight.web.shell import EXPECTED
from tagsight.web.site import Site

_SHOW: Final = """
<q-td :props="props"><q-btn flat dense no-caps label="Show" @click="$parent.$emit('open', props.row.name)" /></q-td>
"""
_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "style": style}
    for name, label, style in (
        ("when", "Applied", "white-space: nowrap"),
        ("who", "By", ""),
        ("standing", "The service", "white-space: normal"),
        ("text", "", "width: 80px"),
    )
]


@dataclass
class CopiesCard:
    """The newest of them; `write` puts the text of one into the editor."""

    site: Site
    write: Callable[[str], None]
    _table: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        with ui.card().classes("w-full q-pa-none"), ui.expansion("Applied before").classes("w-full"):
            self._table = ui.table(columns=_COLUMNS, rows=[], row_key="name", pagination=10).classes("w-full")
            self._table.props("dense flat").add_slot("body-cell-text", _SHOW)
            self._table.on("open", self._open)

    async def show(self) -> None:
        """Read the list anew."""
        copies, answer = await asyncio.to_thread(configuring.copies, self.site)
        rows = []
        for number, one in enumerate(copies):
            said = answer if answer is not None and answer.name == one.name else None
            standing = f"{'took it over' if said.taken else 'refused it'}: {said.words}" if said else ""
            waits = "waits for the service" if number == 0 and said is None else standing
            moment = datetime.fromtimestamp(one.time_ns // SECOND, tz=UTC)
            rows.append(
                {"name": one.name, "when": f"{moment:%Y-%m-%d %H:%M:%S} UTC", "who": one.who, "standing": waits}
            )
        if rows != self._table.rows:
            self._table.rows = rows

    async def _open(self, event: events.GenericEventArguments) -> None:
        try:
            text = await asyncio.to_thread(configuring.copy_text, self.site, str(event.args))
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        with ui.dialog(value=True) as dialog, ui.card().style("min-width: 720px; max-width: 90vw"):
            ui.label(f"Applied {event.args}").classes("text-h6")
            ui.label(text).classes("w-full text-caption").style(
                "font-family: monospace; white-space: pre-wrap; max-height: 60vh; overflow-y: auto"
            )
            with ui.row().classes("w-full justify-end"):
                ui.button("Close", on_click=dialog.close).props("flat no-caps")

                def take() -> None:
                    self.write(text)
                    dialog.close()
                    ui.notify("In the editor now; save it to apply it.")

                ui.button("Put it into the editor", on_click=take).props("no-caps unelevated")

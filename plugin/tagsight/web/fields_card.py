"""The fields beside the text of a configuration: at most one page, for one model or template."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from nicegui import ui

from tagsight.errors import ConfigurationError
from tagsight.model_fields import FIELDS, INPUTS, Entry, Field, entries_of, fields_of, inherited, with_field


@dataclass
class FieldsCard:
    """Shows what the text says, and writes into it.

    Attributes:
        text: what it says now.
        write: puts another text in its place.
        editing: held while a field becomes text, so that who saves has it.
    """

    text: Callable[[], str]
    write: Callable[[str], None]
    editing: asyncio.Lock = field(default_factory=asyncio.Lock)
    _entries: dict[str, Entry] = field(init=False, default_factory=dict)
    _inputs: dict[str, Any] = field(init=False, default_factory=dict)
    _shown: dict[str, str] = field(init=False, default_factory=dict)
    _chosen: Any = field(init=False, default=None)
    _told: Any = field(init=False, default=None)

    def __post_init__(self) -> None:
        with ui.card().classes("w-full q-pa-sm gap-1"):
            self._chosen = ui.select([], label="Fields of", on_change=self.show).classes("w-full").props("dense")
            self._told = ui.label("").classes("text-caption text-grey-8")
            with ui.grid(columns=6).classes("w-full gap-x-3 gap-y-1"):
                for one in FIELDS:
                    self._inputs[one.name] = self._drawn(one)

    def _drawn(self, one: Field) -> Any:
        if one.choices:
            made: Any = ui.select({"": "", **{choice: choice for choice in one.choices}}, label=one.label)
            made.on_value_change(lambda: self._given(one.name))
        elif one.name == INPUTS:
            made = ui.textarea(one.label).props("rows=4 input-style='font-family: monospace; font-size: 12px'")
            made.on("blur", lambda: self._given(one.name))
        else:
            made = ui.input(one.label)
            made.on("blur", lambda: self._given(one.name))
            made.on("keydown.enter", lambda: self._given(one.name))
        wide = one.choices or one.name in {INPUTS, "running"}
        return made.classes("col-span-6" if wide else "col-span-2").props("dense stack-label")

    async def show(self) -> None:
        """What the text says; fields rest while it is no YAML."""
        text, label = self.text(), self._chosen.value
        try:
            found = await asyncio.to_thread(_read, text, label)
        except ConfigurationError as error:
            self._told.text = f"The text is no YAML now: {error.faults[0].cause}"
            for one in self._inputs.values():
                one.disable()
            return
        if text != self.text():
            return
        entries, own, above = found
        self._entries = entries
        labels = list(entries)
        if labels != self._chosen.options or label not in entries:
            self._chosen.set_options(labels, value=label if label in entries else next(iter(labels), None))
        entry = entries.get(str(self._chosen.value))
        made_of = f"An empty field inherits from the template {entry.template}." if entry and entry.template else ""
        self._told.text = made_of or "An empty field takes the default, in grey."
        self._shown = own
        for name, one in self._inputs.items():
            one.set_enabled(entry is not None)
            one.value = own.get(name, "")
            if name == "job":
                one.options[""] = f"({above.get(name, '')})"
                one.update()
            else:
                one.props["placeholder"] = above.get(name, "")

    async def _given(self, name: str) -> None:
        entry, value = self._entries.get(str(self._chosen.value)), str(self._inputs[name].value or "")
        if entry is None or value == self._shown.get(name, ""):
            return
        async with self.editing:
            before = self.text()
            try:
                made = await asyncio.to_thread(with_field, before, entry, name, value)
            except ConfigurationError as error:
                self._told.text = f"Not written: {error.faults[0].cause}"
                return
            if before == self.text():
                self._shown[name] = value
                self.write(made)


def _read(text: str, label: str | None) -> tuple[dict[str, Entry], dict[str, str], dict[str, str]]:
    entries = {f"{one.label}": one for one in entries_of(text)}
    entry = entries.get(str(label)) or next(iter(entries.values()), None)
    if entry is None:
        return entries, {}, {}
    return entries, fields_of(text, entry), inherited(text, entry)

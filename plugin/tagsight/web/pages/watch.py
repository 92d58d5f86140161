"""Watch: all assets at a glance, and the health of TagSight itself."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

from nicegui import ui

from tagsight.errors import NotReady, StorageError
from tagsight.web.plant_overview import Fact, ModelRow, model_rows, plugin_facts
from tagsight.web.shell import trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor

LOOK_S: Final = 2.0
COLOURS: Final = {0: "transparent", 1: "#d32f2f", 2: "#f2992e", 3: "#ffe14d", 4: "#2f6fd0"}
LETTERS: Final = {0: "", 1: "F", 2: "C", 3: "S", 4: "M"}
_STATE: Final = """
<q-td :props="props">
  <span :style="{display: 'inline-block', width: '20px', height: '20px', lineHeight: '20px', textAlign: 'center',
                 borderRadius: '3px', fontWeight: 700, marginRight: '8px', border: '1px solid #8b9096',
                 background: props.row.colour, color: props.row.ink}" aria-hidden="true">{{ props.row.letter }}</span>
  <span :style="{fontWeight: props.row.abnormal ? 600 : 400}">{{ props.row.state }}</span>
</q-td>
"""
_MODEL: Final = """
<q-td :props="props"><a :href="props.row.link" style="color: #1a3f6b">{{ props.row.model }}</a></q-td>
"""
_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": align, "sortable": True, "style": style}
    for name, label, align, style in (
        ("model", "Asset and model", "left", ""),
        ("state", "State", "left", "white-space: nowrap"),
        ("score", "Score (limit 1.00)", "right", "font-variant-numeric: tabular-nums"),
        ("age", "Age", "right", "white-space: nowrap"),
        ("alarms", "Alarms in 24 h", "right", ""),
        ("month", "In 30 d / budget", "right", "white-space: nowrap"),
        ("message", "What is happening", "left", "white-space: normal; min-width: 260px"),
    )
]


@dataclass(frozen=True, slots=True)
class _Now:
    """What one look found."""

    rows: Sequence[ModelRow]
    facts: Sequence[Fact]


async def build(site: Site, _visitor: Visitor) -> None:
    """Draw it, and keep it new."""
    banner = ui.column().classes("w-full gap-2")
    facts = ui.row().classes("w-full gap-3 q-mb-md")
    table = ui.table(columns=_COLUMNS, rows=[], row_key="model", pagination=25).classes("w-full").props("dense flat")
    table.add_slot("body-cell-state", _STATE)
    table.add_slot("body-cell-model", _MODEL)
    shown: dict[str, object] = {}

    async def look() -> None:
        try:
            found = await asyncio.to_thread(_look, site)
        except (NotReady, StorageError) as error:
            if shown.get("trouble") != str(error):
                banner.clear()
                with banner:
                    trouble(error)
            shown["trouble"] = str(error)
            return
        if shown.pop("trouble", None):
            banner.clear()
        rows = [_cells(one) for one in found.rows]
        if rows != shown.get("rows"):
            table.rows = shown["rows"] = rows
        if found.facts != shown.get("facts"):
            shown["facts"] = found.facts
            _draw_facts(facts, found.facts)

    await look()
    ui.timer(LOOK_S, look)


def _look(site: Site) -> _Now:
    ledger, now_ns = site.ledger(), site.clock.now_ns()
    return _Now(model_rows(ledger, site.plan(), now_ns), plugin_facts(site, ledger, now_ns))


def _cells(one: ModelRow) -> dict[str, object]:
    return {
        "model": one.model,
        "link": f"/faceplate/{quote(one.model.partition('/')[0], safe='')}?model={quote(one.model, safe='')}",
        "state": one.words,
        "letter": LETTERS[one.state] if one.known else "?",
        "colour": COLOURS[one.state] if one.known else "transparent",
        "ink": "#fff" if one.state in {1, 4} and one.known else "#1c1f22",
        "abnormal": one.state != 0 or not one.known,
        "score": one.score,
        "age": one.age,
        "alarms": one.alarms_day,
        "month": one.budget,
        "message": one.message,
    }


def _draw_facts(place: ui.row, facts: Sequence[Fact]) -> None:
    place.clear()
    with place:
        for one in facts:
            edge = "border-left: 5px solid #b26a00; background: #fff" if one.abnormal else ""
            with ui.card().classes("q-pa-sm gap-0").style(f"min-width: 150px; max-width: 380px; {edge}"):
                ui.label(one.name).classes("text-caption text-grey-8")
                ui.label(("⚠ " if one.abnormal else "") + one.value).classes("text-body1")
                if one.detail:
                    ui.label(one.detail).classes("text-caption").style("overflow-wrap: anywhere")

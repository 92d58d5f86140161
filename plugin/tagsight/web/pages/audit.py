"""Audit: who did what and when, as the ledger keeps it; append-only, each entry sealed with the one before."""

import asyncio
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from nicegui import ui

from tagsight.clocks import SECOND
from tagsight.errors import StorageError
from tagsight.ledger.records import AuditEntry
from tagsight.platform import local_timezone
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor

PAGE: Final = 200
_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "style": style}
    for name, label, style in (
        ("number", "No.", "width: 60px"),
        ("when", "When", "white-space: nowrap"),
        ("who", "Who", "overflow-wrap: anywhere"),
        ("what", "What", ""),
        ("detail", "Detail", "white-space: normal; overflow-wrap: anywhere"),
    )
]


async def build(site: Site, _visitor: Visitor) -> None:
    """Draw the newest entries, and older ones on demand."""
    ledger = site.ledger()
    sealed = ui.label("").classes("text-body2 q-mb-sm")
    table = ui.table(columns=_COLUMNS, rows=[], row_key="number").classes("w-full").props("dense flat")
    zone = await asyncio.to_thread(zone_of, site)
    entries = list(await asyncio.to_thread(ledger.newest_audit, 0, PAGE))

    async def older() -> None:
        more = await asyncio.to_thread(ledger.newest_audit, entries[-1].number if entries else 0, PAGE)
        entries.extend(more)
        table.rows = [_row(one, zone) for one in entries]
        button.set_visibility(len(more) == PAGE)

    table.rows = [_row(one, zone) for one in entries]
    button = ui.button("Show older", on_click=older).props("flat no-caps")
    button.set_visibility(len(entries) == PAGE)
    ui.label("Sign-ins and what operators do wait in the inbox until the service runs.").classes(
        "text-caption text-grey-8"
    )
    try:
        count = await asyncio.to_thread(ledger.verify_audit)
    except StorageError as error:
        sealed.text = f"✗ {error}. {error.mend}"
        sealed.classes("text-negative text-weight-bold")
    else:
        sealed.text = f"✓ {count} entries, each sealed with the one before: none was changed or removed."


def zone_of(site: Site) -> ZoneInfo:
    """Of the times that pages show: as in the configuration."""
    plan = site.plan()
    return plan.timezone if plan is not None else ZoneInfo(local_timezone())


def _row(one: AuditEntry, zone: ZoneInfo) -> dict[str, str | int]:
    when = datetime.fromtimestamp(one.time_ns / SECOND, tz=zone)
    return {
        "number": one.number,
        "when": f"{when:%Y-%m-%d %H:%M:%S}",
        "who": one.who,
        "what": one.what,
        "detail": one.detail,
    }

"""Users: who may sign in at the pages and at TagSight's OPC UA server, in which role; as `tagsight user` has them."""

import asyncio
from collections.abc import Callable
from typing import Final

from nicegui import ui

from tagsight.errors import TagSightError, mend_of
from tagsight.web.routes import ADMIN
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight_connectors.serving import UserRole

_ROLES: Final = {
    "operator": "operator: reads, acknowledges, shelves, gives feedback",
    "engineer": "engineer: also configures, trains, approves",
    "admin": "admin: also manages users",
}
_COLUMNS: Final = [
    {"name": "name", "label": "Name", "field": "name", "align": "left"},
    {"name": "role", "label": "Role", "field": "role", "align": "left"},
    {"name": "certificate", "label": "Certificate", "field": "certificate", "align": "left"},
]


async def build(site: Site, visitor: Visitor) -> None:
    """Draw the list, and the forms below it."""
    table = (
        ui.table(columns=_COLUMNS, rows=[], row_key="name", selection="single").classes("w-full").props("dense flat")
    )

    async def show() -> None:
        roles, certified = await asyncio.to_thread(lambda: (site.users.roles(), site.users.certified()))
        table.rows = [
            {"name": name, "role": role.name.lower(), "certificate": "yes" if name in certified else ""}
            for name, role in roles.items()
        ]
        table.selected.clear()

    with ui.row().classes("q-my-sm"):
        remove = ui.button("Remove the selected user").props("no-caps outline")
        remove.bind_enabled_from(table, "selected", backward=bool)
    with ui.card().classes("w-full"), ui.column().classes("gap-2 w-full"):
        ui.label("Add a user, or give one a new password and role").classes("text-subtitle1")
        with ui.row().classes("items-start gap-4"):
            name = ui.input("Name").props("dense outlined autocomplete=off maxlength=64")
            password = ui.input("Password (10 characters or more)", password=True).props(
                "dense outlined autocomplete=new-password maxlength=200"
            )
            role = ui.select(_ROLES, value="operator", label="Role").props("dense outlined").style("min-width: 340px")
            add = ui.button("Save").props("no-caps")

    async def save() -> None:
        given = str(name.value), str(password.value), UserRole[str(role.value).upper()]
        await _done(site, visitor, f"{given[0]}: {role.value}", "user saved", lambda: site.users.add(*given))
        password.value = ""
        await show()

    async def drop() -> None:
        chosen = str(table.selected[0]["name"]) if table.selected else ""
        if chosen == visitor.user:
            ui.notify("You cannot remove yourself.", type="warning")
            return
        await _done(site, visitor, chosen, "user removed", lambda: site.users.remove(chosen))
        await show()

    add.on_click(save)
    remove.on_click(drop)
    await show()


async def _done(site: Site, visitor: Visitor, detail: str, what: str, do: Callable[[], None]) -> None:
    """Do it, tell the audit trail, and say what came of it."""
    if not visitor.may(ADMIN):
        return
    try:
        await asyncio.to_thread(do)
        await asyncio.to_thread(site.note, visitor.user, what, detail)
    except TagSightError as error:
        ui.notify(f"{error} {mend_of(error)}", type="warning")
    else:
        ui.notify(f"{what}: {detail}")

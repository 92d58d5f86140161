"""Connect: the historians of the configuration, their certificates and passwords, and what a probe finds."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from tagsight.plan import HistorianPlan, Plan
from tagsight.probe_plan import PlanProbe
from tagsight.probing import Finding, ModelFacts, Weight, tag_line
from tagsight.web import connecting
from tagsight.web.looking import plan_of
from tagsight.web.reading_bar import ReadingBar
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight_connectors.opcua.trust import TrustEntry

SECURITIES: Final = {
    "sign_and_encrypt": "signed and encrypted",
    "sign": "signed, encrypted where the server does",
    "none": "none: readable by everyone",
}
WATCHED_S: Final = 5
VALUES: Final = 200_000
"""Of each tag: a page looks at less than `tagsight probe` does."""

SIGNS: Final = {Weight.FINE: "✓", Weight.WARNING: "⚠", Weight.BLOCKS: "✗"}
WORDS: Final = {Weight.FINE: "good", Weight.WARNING: "warning", Weight.BLOCKS: "prevents running"}
_TAGS: Final = [
    {"name": name, "label": label, "field": name, "align": "left" if name == "tag" else "right",
     "style": "white-space: nowrap"}
    for name, label in (
        ("tag", "Tag"), ("values", "Values"), ("gap", "Usual gap"), ("gaps", "99.9 % of gaps"), ("bad", "Bad"),
        ("newest", "Newest"), ("after", "Arrives after"),
    )
]  # fmt: skip


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it: a card for each historian."""
    plan = await asyncio.to_thread(plan_of, site)
    ui.label(
        "Where the histories come from. Nothing here writes to a historian; passwords are kept apart from the "
        "configuration and are never shown."
    ).classes("text-body2 text-grey-8")
    for name in plan.historians:
        await _Historian(site, visitor, plan, name).draw()


@dataclass
class _Historian:
    site: Site
    visitor: Visitor
    plan: Plan
    name: str
    _bar: ReadingBar = field(init=False)
    _certificate: Any = field(init=False, default=None)
    _findings: Any = field(init=False, default=None)
    _password: Any = field(init=False, default=None)

    @property
    def planned(self) -> HistorianPlan:
        return self.plan.historians[self.name]

    async def draw(self) -> None:
        with ui.card().classes("w-full q-pa-md gap-2"):
            ui.label(f"Historian {self.name}").classes("text-subtitle1 text-weight-medium")
            self._draw_settings()
            if connecting.is_opc_ua(self.planned.url):
                self._password = ui.row().classes("items-center gap-3")
                await self._show_password()
            with ui.row().classes("gap-2"):
                test = ui.button("Test the connection", icon="cable").props("no-caps unelevated")
                probe = ui.button("Probe", icon="troubleshoot").props("no-caps outline")
                ui.label("A probe also looks at every input: rights, history, gaps, age.").classes(
                    "text-caption text-grey-8 self-center"
                )
            self._bar = ReadingBar()
            self._certificate = ui.column().classes("w-full")
            self._findings = ui.column().classes("w-full gap-1")

        async def work(what: Any) -> None:
            test.disable()
            probe.disable()
            try:
                await what()
            finally:
                test.enable()
                probe.enable()

        test.on_click(lambda: work(self._test))
        probe.on_click(lambda: work(self._probe))

    def _draw_settings(self) -> None:
        opc_ua = connecting.is_opc_ua(self.planned.url)
        with ui.row().classes("items-end gap-4 w-full"):
            url = ui.input("Address", value=self.planned.url).classes("min-w-[340px]").style("flex: 1")
            user = ui.input("User", value=self.planned.user).classes("min-w-[130px]")
            security = ui.select(SECURITIES, value=self.planned.security.value, label="Security").classes(
                "min-w-[240px]"
            )
            user.visible = security.visible = opc_ua
            keep = ui.button("Save and apply").props("no-caps outline")
        told = ui.column().classes("w-full")

        async def save() -> None:
            told.clear()
            given = {"url": str(url.value or ""), "user": str(user.value or ""), "security": str(security.value)}
            try:
                await asyncio.to_thread(connecting.change_connection, self.site, self.planned, given, self.visitor.user)
                self.plan = await asyncio.to_thread(plan_of, self.site)
            except EXPECTED as error:
                with told:
                    trouble(error)
                return
            ui.notify("Saved. The service connects anew.")
            ui.navigate.reload()

        keep.on_click(save)

    async def _show_password(self) -> None:
        self._password.clear()
        try:
            words = await asyncio.to_thread(connecting.password_words, self.site, self.planned)
        except EXPECTED as error:
            words = f"⚠ {error}"
        with self._password:
            ui.label(f"Password: {words}").classes("text-body2")
            if self.planned.user or self.planned.user_certificate:
                ui.button("Store a password", icon="key", on_click=self._ask_password).props("no-caps flat dense")

    def _ask_password(self) -> None:
        with ui.dialog(value=True) as dialog, ui.card().classes("gap-2").style("min-width: 400px"):
            ui.label(f"Password of {self.planned.user or 'the key'} at historian {self.name}").classes("text-h6")
            password = (
                ui.input("Password", password=True).classes("w-full").props("autocomplete=new-password autofocus")
            )
            to_file = ui.checkbox("Keep it in a private file of the data folder, not in the key store")
            told = ui.column().classes("w-full")
            with ui.row().classes("w-full justify-end"):
                ui.button("Cancel", on_click=dialog.close).props("flat no-caps")
                store = ui.button("Store").props("no-caps unelevated")

        async def keep() -> None:
            told.clear()
            given, password.value = str(password.value or ""), ""
            if not given:
                with told:
                    ui.label("Type it first.").classes("text-body2")
                return
            try:
                where = await asyncio.to_thread(
                    connecting.store_password, self.site, self.name, given, self.visitor.user,
                    to_file=bool(to_file.value),
                )  # fmt: skip
            except EXPECTED as error:
                with told:
                    trouble(error)
                return
            dialog.close()
            ui.notify(f"Stored in {where}.")
            await self._show_password()

        store.on_click(keep)

    async def _test(self) -> None:
        self._findings.clear()
        self._certificate.clear()
        found = await self._bar.run(self._attempt)
        if not isinstance(found, connecting.Tried):
            return
        with self._findings:
            _draw_findings(found.findings, short=False)
        self._show_certificate(found.certificate)

    async def _attempt(self) -> connecting.Tried:
        self._bar.tell(f"connecting to {self.planned.url}")
        return await connecting.attempt(self.site, self.plan, self.name)

    def _show_certificate(self, entry: TrustEntry | None) -> None:
        self._certificate.clear()
        if entry is None:
            return
        now_ns = self.site.clock.now_ns()
        with self._certificate, ui.card().classes("w-full q-pa-sm gap-1 bg-grey-1"):
            trusted = entry.place == "trusted"
            head = "Certificate of the server: " + ("✓ trusted" if trusted else "⚠ not trusted yet")
            ui.label(head).classes("text-body1 text-weight-medium")
            for name, value in connecting.certificate_lines(entry, now_ns):
                with ui.row().classes("no-wrap gap-2"):
                    ui.label(name).classes("text-caption text-grey-8").style("width: 130px; flex: none")
                    mono = "font-family: monospace;" if name.startswith("Thumb") else ""
                    ui.label(value).classes("text-body2").style(f"{mono} overflow-wrap: anywhere")
            if trusted:
                ui.button("Trust it no longer", on_click=lambda: self._decide(entry, trusts=False)).props(
                    "no-caps flat dense"
                )
            else:
                ui.label("Compare the thumbprint with the one that the server itself shows, then:").classes(
                    "text-body2"
                )
                ui.button("Trust this certificate", icon="verified_user",
                          on_click=lambda: self._decide(entry, trusts=True)).props("no-caps unelevated")  # fmt: skip

    async def _decide(self, entry: TrustEntry, *, trusts: bool) -> None:
        decide = connecting.trust if trusts else connecting.distrust
        with self._findings:  # the button goes with the certificate that it stands in
            try:
                await asyncio.to_thread(decide, self.site, entry.thumbprint, self.visitor.user)
            except EXPECTED as error:
                ui.notify(str(error), type="warning")
                return
            ui.notify("Trusted. Connecting again." if trusts else "This server is refused from the next connection on.")
        self._certificate.clear()
        if trusts:
            await self._test()

    async def _probe(self) -> None:
        self._certificate.clear()
        self._findings.clear()
        found = await self._bar.run(self._probed)
        if found is None:
            return
        with self._findings:
            _draw_findings([one for one in found if isinstance(one, Finding)], short=True)
            for facts in found:
                if isinstance(facts, ModelFacts) and facts.tags:
                    _draw_tags(facts)

    async def _probed(self) -> list[Finding | ModelFacts]:
        async def second() -> None:
            await asyncio.sleep(1.0)

        self._bar.tell(f"connecting to {self.planned.url}")
        probe = PlanProbe(self.plan, self.site.data, self.site.clock, second, WATCHED_S, VALUES, self._bar.tell)
        return [one async for one in probe.found(self.name)]


def _draw_findings(findings: Sequence[Finding], *, short: bool) -> None:
    """What needs a look first; of a probe a line that counts them all."""
    order = (Weight.BLOCKS, Weight.WARNING, Weight.FINE)
    if short:
        counts = ", ".join(f"{sum(one.weight is weight for one in findings)} {WORDS[weight]}" for weight in order)
        ui.label(f"Found: {counts}").classes("text-subtitle2")
    for one in sorted(findings, key=lambda found: order.index(found.weight)):
        edge = "" if one.weight is Weight.FINE else "border-left: 4px solid #8a4b00; padding-left: 8px"
        with ui.column().classes("gap-0 w-full").style(edge):
            ui.label(f"{SIGNS[one.weight]} {one.where}: {one.what}").classes("text-body2").style(
                "overflow-wrap: anywhere"
            )
            if one.mend:
                ui.label(one.mend).classes("text-caption text-grey-8 q-pl-md")


def _draw_tags(facts: ModelFacts) -> None:
    rows = [
        dict(zip((column["name"] for column in _TAGS), tag_line(tag, facts.now_ns), strict=True)) for tag in facts.tags
    ]
    ui.label(f"Inputs of {facts.model.key}").classes("text-subtitle2")
    ui.table(columns=_TAGS, rows=rows, row_key="tag", pagination=25).classes("w-full").props("dense flat")

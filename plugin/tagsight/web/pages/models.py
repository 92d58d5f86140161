"""Models: train, read the card, compare with the version in the shadow, approve, roll back."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Final

from nicegui import ui

from tagsight.errors import NotReady
from tagsight.page_tasks import Asked, training
from tagsight.plan import ModelPlan, Plan
from tagsight.promotion import Challenge, challenge
from tagsight.training import TrainOutcome
from tagsight.web.job_bar import JobBar
from tagsight.web.looking import plan_of
from tagsight.web.shell import EXPECTED, trouble
from tagsight.web.site import Site
from tagsight.web.visitors import Visitor
from tagsight_models.card import ModelCard
from tagsight_models.errors import ModelError
from tagsight_models.model_register import ModelRegister

READING_S: Final = 3_600.0
"""Beside the budget of a training: for reading its history, twice the budget for everything else."""

_COLUMNS: Final = [
    {"name": name, "label": label, "field": name, "align": "left", "style": style}
    for name, label, style in (
        ("version", "Version", ""),
        ("standing", "Standing", "white-space: nowrap"),
        ("verdict", "Compared with simple methods", "white-space: normal; min-width: 260px"),
        ("limit", "Limit", "white-space: normal"),
    )
]


@dataclass(frozen=True, slots=True)
class _Versions:
    """What there is of one model."""

    numbers: tuple[int, ...]
    runs: int | None
    cards: dict[int, ModelCard]
    damaged: dict[int, str]
    history: tuple[str, ...]
    shadow: Challenge | None


async def build(site: Site, visitor: Visitor) -> None:
    """Draw it."""
    plan = await asyncio.to_thread(plan_of, site)
    await _Page(site, visitor, plan).draw()


@dataclass
class _Page:
    site: Site
    visitor: Visitor
    plan: Plan
    _bar: JobBar = field(init=False)
    _place: Any = field(init=False, default=None)
    _key: str = field(init=False, default="")

    async def draw(self) -> None:
        keys = [model.key for model in self.plan.models]
        self._key = keys[0]
        with ui.row().classes("items-end gap-4 w-full"):
            chosen = ui.select(keys, value=self._key, label="Model", with_input=True).classes("min-w-[260px]")
            train = ui.button("Train now", icon="model_training").props("no-caps unelevated")
        ui.label(
            "Reads the history that the configuration names, learns, compares with simple methods on time that it has "
            "not seen, and sets the alarm limit from the budget. A later version waits for approval."
        ).classes("text-body2 text-grey-8")
        self._bar = JobBar(self.site)
        self._place = ui.column().classes("w-full gap-3")

        async def choose() -> None:
            self._key = str(chosen.value)
            await self._show()

        async def run() -> None:
            train.disable()
            try:
                await self._train(self._model())
            finally:
                train.enable()

        chosen.on_value_change(choose)
        train.on_click(run)
        await self._show()

    def _model(self) -> ModelPlan:
        return next(model for model in self.plan.models if model.key == self._key)

    async def _train(self, model: ModelPlan) -> None:
        if self.site.file is None:
            raise NotReady("these pages were started without a configuration", "`tagsight web serve FILE` takes one.")
        asked = Asked(self.site.file.absolute(), self.site.data.root.absolute(), model.key, self.visitor.user)
        task = training(asked, READING_S + 2.0 * model.train.at_most_seconds)
        what = f"training of {model.key}"
        found = await self._bar.run(lambda: self.site.computing.run(what, self.visitor.user, task))
        if isinstance(found, TrainOutcome):
            ui.notify(f"{found.model}: version {found.version} is trained", timeout=10_000)
        await self._show()

    async def _show(self) -> None:
        self._place.clear()
        try:
            found = await asyncio.to_thread(_versions, self.site, self._key)
        except EXPECTED as error:
            with self._place:
                trouble(error)
            return
        with self._place:
            if not found.numbers:
                ui.label("Not trained yet.").classes("text-body1")
                return
            if found.shadow is not None:
                self._draw_shadow(found.shadow)
            self._draw_versions(found)

    def _draw_shadow(self, one: Challenge) -> None:
        contest = one.contest
        with ui.card().classes("w-full q-pa-sm gap-1"):
            ui.label(f"Version {one.challenger} scores in the shadow of version {one.champion}").classes(
                "text-subtitle1"
            )
            ui.label(
                f"Together {contest.scores:,} scores in {contest.days:.1f} days; alarms: {contest.champion} of version "
                f"{one.champion}, {contest.challenger} of version {one.challenger}; of {contest.true_alarms} alarms "
                f"that operators called true they found {contest.true_found[0]} and {contest.true_found[1]}."
            ).classes("text-body2")
            ui.label(contest.verdict).classes("text-body2")
            if one.against:
                ui.label(f"Against it: {one.against}").classes("text-body2")

    def _draw_versions(self, found: _Versions) -> None:
        rows = [self._row(number, found) for number in reversed(found.numbers)]
        table = ui.table(columns=_COLUMNS, rows=rows, row_key="version", selection="single").classes("w-full")
        table.props("dense flat hide-selected-banner")
        first = found.runs if found.runs in found.cards else found.numbers[-1]
        table.selected = [row for row in rows if row["version"] == first]
        with ui.row().classes("gap-2"):
            approve = ui.button("Approve", icon="check").props("no-caps outline")
            ui.button("Roll back", icon="undo", on_click=self._roll_back).props("no-caps outline")
        card = ui.column().classes("w-full")

        def show() -> None:
            number = int(table.selected[0]["version"]) if table.selected else None
            approve.set_enabled(number is not None and number != found.runs and number in found.cards)
            approve.text = f"Approve version {number}" if number is not None else "Approve"
            card.clear()
            if number in found.cards:
                with card:
                    _draw_card(found.cards[number], number)

        async def let_run() -> None:
            if table.selected:
                await self._change(lambda register: register.approve(self._key, int(table.selected[0]["version"]),
                                                                     self.visitor.user), "approved")  # fmt: skip

        approve.on_click(let_run)
        table.on_select(show)
        show()
        for line in found.history:
            ui.label(line).classes("text-caption text-grey-8")

    def _row(self, number: int, found: _Versions) -> dict[str, object]:
        card = found.cards.get(number)
        if card is None:
            return {"version": number, "standing": "damaged", "verdict": found.damaged.get(number, ""), "limit": ""}
        shadow = found.shadow is not None and number == found.shadow.challenger
        words = ["runs"] if number == found.runs else ["in the shadow"] if shadow else ["stands by"]
        words += ["on trial: it does not alarm"] if card.trial else []
        verdict = str(card.comparison.get("verdict", ""))
        return {
            "version": number,
            "standing": ", ".join(words),
            "verdict": verdict,
            "limit": card.provisional or "firm",
        }

    async def _roll_back(self) -> None:
        await self._change(lambda register: register.rollback(self._key, self.visitor.user), "rolled back")

    async def _change(self, change: Any, what: str) -> None:
        def work() -> None:
            change(ModelRegister(self.site.data.models, self.site.data.signing_key))
            self.site.note(self.visitor.user, f"model {what}", self._key)

        try:
            await asyncio.to_thread(work)
        except EXPECTED as error:
            ui.notify(str(error), type="warning")
            return
        ui.notify(f"{self._key}: {what}; it holds from the next scoring on")
        await self._show()


def _versions(site: Site, key: str) -> _Versions:
    register = ModelRegister(site.data.models, site.data.signing_key)
    numbers = tuple(register.versions(key))
    cards, damaged = {}, {}
    for number in numbers:
        try:
            cards[number] = register.card(key, number)
        except ModelError as error:
            damaged[number] = str(error)
    history = tuple(
        f"{'rolled back to' if one.rollback else 'approved'}: version {one.version}, by {one.who}"
        for one in register.approvals(key).history
    )
    shadow = challenge(site.ledger(), register, key) if numbers and site.data.ledger.exists() else None
    return _Versions(numbers, register.approved(key) if numbers else None, cards, damaged, history, shadow)


def _draw_card(card: ModelCard, number: int) -> None:
    with ui.card().classes("w-full q-pa-md"):
        ui.label(f"Card of version {number}").classes("text-subtitle1")
        for line in card.words().splitlines():
            ui.label(line).classes("text-body2").style(
                "white-space: pre-wrap; font-family: monospace; line-height: 1.35"
            )

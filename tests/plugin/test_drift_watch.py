"""Drift of a model in the flow of the service: from a historian in memory over runs in the ledger to output tags."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tagsight.drift_outputs import DRIFT_PART, drift_line, drift_row
from tagsight.drift_task import NOT_KNOWN, DriftFound, DriftTask, drift_found
from tagsight.drift_watch import DriftWatch
from tagsight.ledger.records import TickRecord, historian_destination
from tagsight.output_tags import output_tags
from tagsight.results import OutputValue, RoleResult, Run
from tagsight.scoring_task import ModelFacts
from tagsight.workers import Task, WorkerFailure
from tagsight_connectors.quality import BAD_NO_DATA, GOOD, UNCERTAIN, Quality, quality_of
from tagsight_explain.language import languages
from tagsight_models.drift import TARGET, Drift, RoleDrift
from tagsight_models.drift_reference import drift_facts
from tagsight_models.frame import Floats, Role
from tagsight_models.model_store import Loaded
from tagsight_models.scoring_model import Expectation
from tests.plugin.small_site import BAND, MINUTE, NORMAL, ROLES, START, Arithmetic, OwnProcess, Site, card

KEY = "P101/Health"
LEARNED = 1_000


class Relating(Arithmetic):
    """Expects of each role what the other one shows."""

    roles = tuple(Role(role) for role in ROLES)
    grid_ns, window_steps = MINUTE, 10

    def expectation(self, windows: Floats) -> Expectation:
        """With a band of a few units."""
        expected = windows[:, -1, ::-1].copy()
        return Expectation(expected, expected - 4.0, expected + 4.0)


class Own(OwnProcess):
    """Also looks for drift."""

    looks = 0

    async def run(self, task: Task, _progress: Callable[[float, str], None] = lambda _f, _t: None) -> Any:
        if task.name != "drift":
            return await super().run(task)
        self.looks += 1
        if "drift" in self.failing:
            raise WorkerFailure("drift", "took longer than 60 s; its process was replaced")
        return drift_found(task.argument)

    def _loaded(self) -> Loaded:
        return Loaded(Relating(), card(limits=self.limits), 1)  # type: ignore[arg-type]


def machine(steps: int, seed: int) -> Floats:
    """Both roles about normal, shape (steps, 2)."""
    return np.asarray(np.random.default_rng(seed).normal(NORMAL, 1.0, (steps, 2)))


class Drifting:
    """A site with one pump, whose model learned from `learned` and which shows `shown` from START on."""

    def __init__(self, folder: Path, shown: Floats, learned: Floats | None = None, **changes: Any) -> None:
        self.site = Site(folder, assets=("P101",), stored=False, worker=Own())
        times = START + MINUTE * np.arange(-20, len(shown) - 20, dtype=np.int64)
        for column, role in enumerate(ROLES):
            self.site.store.append(f"P101/{role}", times, shown[:, column])
        facts = {} if learned is None else drift_facts(Relating(), learned, MINUTE)  # type: ignore[arg-type]
        one = self.site.participants[0]
        made = replace(one, facts=ModelFacts(KEY, 1, replace(card(), facts=facts, **changes)))
        self.site.participants, self.by_key = [made], {KEY: made}
        self.worker: Any = self.site.worker
        self.told: list[str] = []
        self.watch = DriftWatch(
            self.worker, self.site.ledger, folder / "ledger.sqlite", {}, lambda *said: self.told.append(" ".join(said))
        )

    async def passes(self, minutes: int) -> None:
        """One tick for every ten due times at most: all of them are scored."""
        for step in [10] * (minutes // 10) + [minutes % 10] * (minutes % 10 > 0):
            self.site.clock.advance(60.0 * step)
            await self.site.tick()

    async def look(self, minutes: int) -> dict[str, OutputValue]:
        """Let time pass, look once; the outputs that are shown then."""
        await self.passes(minutes)
        await self.watch.step(self.by_key)
        row = self.site.ledger.newest_row(KEY, DRIFT_PART)
        return {} if row is None else {one.output: one for one in row.row.values}


async def numbers(made: Drifting, minutes: int) -> tuple[float, float, str]:
    found = await made.look(minutes)
    inputs, relations, roles = (found[name].value for name in ("Drift", "DriftRelations", "DriftRoles"))
    assert isinstance(inputs, float)
    assert isinstance(relations, float)
    return inputs, relations, str(roles)


async def test_a_machine_that_stays_as_it_was_learned_shows_no_drift(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    inputs, relations, roles = await numbers(made, 150)
    assert 0.0 < inputs < 1.0
    assert relations < 1.0
    assert roles == ""
    row = made.site.ledger.newest_row(KEY, DRIFT_PART)
    assert row is not None
    assert row.row.due_ns == made.site.ledger.watermark(KEY)
    assert {one.status for one in row.row.values} == {GOOD}


async def test_an_input_that_slowly_moves_raises_the_drift_from_hour_to_hour_and_is_named(tmp_path: Path) -> None:
    shown = machine(260, 1)
    shown[:, 0] += np.linspace(0.0, 12.0, 260)
    made = Drifting(tmp_path, shown, machine(LEARNED, 0))
    first = await numbers(made, 60)
    second = await numbers(made, 150)
    assert second[0] > first[0] > 0.0
    assert second[0] > 1.0
    assert second[1] > 1.0
    assert second[2].split(", ")[0] == "Flow"
    assert "Flow ↑" in drift_line(made.site.ledger, KEY)


async def test_a_machine_in_a_regime_that_was_learned_shows_no_drift_and_beside_it_it_does(tmp_path: Path) -> None:
    learned = machine(LEARNED, 0) + np.where(np.arange(LEARNED) % 500 < 250, 0.0, 30.0)[:, None]
    for folder, regime, roles in (("known", 30.0, 0), ("new", 60.0, 2)):
        (tmp_path / folder).mkdir()
        made = Drifting(tmp_path / folder, machine(240, 1) + regime, learned)
        inputs, relations, named = await numbers(made, 150)
        assert (inputs > 1.0) == (roles > 0)
        assert relations < 1.0
        assert len([one for one in named.split(", ") if one]) == roles


async def test_a_model_is_looked_at_once_an_hour_and_again_after_a_restart_only_in_the_next(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    await made.passes(1)
    assert await made.watch.step(made.by_key) == KEY
    assert await made.watch.step(made.by_key) == ""
    restarted = replace(made.watch)
    assert await restarted.step(made.by_key) == ""
    await made.passes(60)
    assert await restarted.step(made.by_key) == KEY
    assert await restarted.step({}) == ""
    assert made.worker.looks == 2


async def test_with_too_few_scores_or_no_reference_the_outputs_are_bad_and_say_why(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    found = await made.look(5)
    assert (found["Drift"].value, found["Drift"].status) == (None, BAD_NO_DATA)
    assert str(found["DriftReason"].value).startswith("fewer than 20 good scores in the last ")
    (tmp_path / "other").mkdir()
    without = Drifting(tmp_path / "other", machine(240, 1))
    found = await without.look(100)
    assert (found["DriftRoles"].value, found["DriftReason"].value) == (None, NOT_KNOWN)
    assert drift_line(without.site.ledger, KEY) == f"drift not known: {NOT_KNOWN}"


async def test_a_look_that_fails_is_told_and_holds_up_no_score(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    made.worker.failing.add("drift")
    assert await made.look(30) == {}
    assert made.told
    assert "drift of P101/Health" in made.told[0]
    assert await made.look(5) == {}
    assert len(made.told) == 1
    made.worker.failing.clear()
    assert await made.look(60)
    assert made.site.dues() == list(range(10, 96))


async def test_what_was_estimated_or_scored_by_another_version_does_not_count(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    await made.passes(100)
    ledger, watermark = made.site.ledger, made.site.ledger.watermark(KEY)
    assert watermark is not None
    ledger.record(
        TickRecord(
            runs=[
                replace(run, quality=UNCERTAIN, roles=tuple(replace(one, actual=1e6) for one in run.roles))
                for run in ledger.runs(KEY, 0, watermark - 60 * MINUTE)
            ]
        )
    )
    reference = made.by_key[KEY].facts.card.facts["drift"]
    found = drift_found(DriftTask(tmp_path / "ledger.sqlite", KEY, 1, reference, watermark))
    assert found.drift is not None
    assert found.drift.inputs < 1.0
    assert drift_found(DriftTask(tmp_path / "ledger.sqlite", KEY, 2, reference, watermark)).drift is None
    assert drift_found(DriftTask(tmp_path / "ledger.sqlite", KEY, 1, {"roles": 1}, watermark)).why == NOT_KNOWN


async def test_the_outputs_are_owed_to_the_historian_like_any_other(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    made.watch.destinations = {KEY: historian_destination("default")}
    await made.look(100)
    (owed,) = made.site.ledger.pending(historian_destination("default"), 10)
    listed = {tag.output for tag in output_tags(KEY, (), detail=False)}
    assert {one.output for one in owed.row.values} == {tag for tag in listed if tag.startswith("Drift")}


def test_drift_of_a_result_that_the_laboratory_contradicts_is_seen(tmp_path: Path) -> None:
    made = Drifting(tmp_path, machine(240, 1), machine(LEARNED, 0))
    roles = tuple(RoleResult(role, NORMAL, NORMAL, NORMAL - BAND, NORMAL + BAND) for role in ROLES)
    said = {"Prediction": 5.0, "Lower": 4.0, "Upper": 6.0, "Bias": -1.7}
    runs = [Run(KEY, START + k * MINUTE, 1, 0.1, GOOD, roles=roles, results=said) for k in range(30)]
    made.site.ledger.record(TickRecord(runs=runs))
    reference = made.by_key[KEY].facts.card.facts["drift"]
    found = drift_found(DriftTask(tmp_path / "ledger.sqlite", KEY, 1, reference, START + 29 * MINUTE))
    assert found.drift is not None
    assert found.drift.relations == pytest.approx(1.7)
    assert "the measured values stay beside what the model says" in str(drift_row(found).values[-1].value)


@pytest.mark.parametrize("code", languages())
def test_what_moved_is_said_in_the_language_of_the_operators(code: str) -> None:
    roles = (
        RoleDrift("Flow", 0.2, 3.0, up=True, at_once=True),
        RoleDrift("Speed", 0.2, 2.0, up=False, at_once=False),
        RoleDrift("Level", 1.5, 0.1, up=True, at_once=False),
        RoleDrift("Power", 0.5, 0.1, up=True, at_once=False),
        RoleDrift(TARGET, 0.0, 1.2, up=True, at_once=False),
    )
    values = {one.output: one.value for one in drift_row(DriftFound(KEY, START, Drift(roles)), code).values}
    reason, english = str(values["DriftReason"]), str(drift_row(DriftFound(KEY, START, Drift(roles))).values[-1].value)
    assert values["DriftRoles"] == "Flow, Speed, Level"
    assert all(name in reason for name in ("Flow ↑", "Speed ↓", "Level ↑"))
    assert "Power" not in reason
    parts = list(zip(reason.split("; "), english.split("; "), strict=True))
    assert len(parts) == 4
    assert code == "en" or all(one != other for one, other in parts)
    for why in (NOT_KNOWN, "fewer than 20 good scores in the last 1d"):
        told = str(drift_row(DriftFound(KEY, START, None, why), code).values[-1].value)
        assert (told == why) == (code == "en")


def test_the_drift_of_a_model_on_trial_is_uncertain() -> None:
    row = drift_row(DriftFound(KEY, START, Drift(())), trial=True)
    assert {quality_of(one.status) for one in row.values if one.output != "DriftReason"} == {Quality.UNCERTAIN}

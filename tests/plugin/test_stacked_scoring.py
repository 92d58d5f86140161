"""Tasks of many models in one call of the worker."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight.scoring import Scorer
from tagsight.scoring_task import ScoredRun, ScoreTask, StorePlace
from tagsight.stacked_scoring import Ask, answers
from tagsight_connectors.history import TagHistory
from tagsight_models.frame import Floats, Role
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import fit_health
from tagsight_models.health_network import NetworkSettings
from tagsight_models.health_stack import shape_of
from tagsight_models.model_store import Loaded
from tagsight_models.training import FitSettings, silent
from tests.models.plants import MINUTE, linear_plant, windows_of
from tests.plugin.small_site import START, Arithmetic, card, plan_of

ROLES = ("Flow", "Pressure", "Speed")
WINDOW = 20


def fitted(seed: int) -> HealthModel:
    """A small model with a limit."""
    quick = NetworkSettings(lags=(0, 2), hidden=4, fit=FitSettings(epochs=2 if seed % 3 else 0, seed=seed))
    roles = tuple(Role(name) for name in ROLES)
    made, _ = fit_health(linear_plant(400, seed, 3), roles, quick, silent, grid_ns=MINUTE, window_steps=WINDOW)
    return made.with_limit(2.0, 6.0, made.parameters.band)


@pytest.fixture(scope="module")
def models() -> list[HealthModel]:
    return [fitted(seed) for seed in range(6)]


def task_of(asset: str, values: Floats, due: int) -> ScoreTask:
    """The newest `due` windows of a series."""
    times = START - MINUTE * np.arange(len(values) - 1, -1, -1, dtype=np.int64)
    history = {
        name: TagHistory(times, column.copy(), np.zeros(len(values), dtype=np.uint32))
        for name, column in zip(ROLES, values.T, strict=True)
    }
    dues = tuple(int(time) for time in times[-due:])
    return ScoreTask(plan_of(asset), tuple(Role(name) for name in ROLES), history, {}, dues)


def scorer_of(folder: Path, models: list[HealthModel]) -> Scorer:
    scorer = Scorer(StorePlace(folder / "models", folder / "key"))
    gates = GateLimits({name: RoleLimits(max_gap_ns=3 * MINUTE) for name in ROLES}).to_json()
    known = replace(card(), window_steps=WINDOW, roles=tuple(Role(name) for name in ROLES), gates=gates)
    scorer._loaded |= {f"A{n}/Health": Loaded(model, known, 1) for n, model in enumerate(models)}
    return scorer


def test_tasks_scored_together_give_the_runs_of_each_alone(tmp_path: Path, models: list[HealthModel]) -> None:
    assert len({shape_of(model) for model in models}) == 2  # with and without a hidden layer
    scorer = scorer_of(tmp_path, models)
    tasks = [task_of(f"A{n}", linear_plant(200, 50 + n, 3), 1 + n % 2) for n in range(len(models))]
    tasks[1].history["Flow"].values[-1] *= 30.0  # above its limit
    tasks[2].history["Flow"].values[-5:] = np.nan  # not to be scored without an estimate
    tasks.insert(3, task_of("Unknown", linear_plant(200, 1, 3), 1))
    together, alone = scorer.score_together(tasks), [scorer.score(task) for task in tasks]
    assert any((one.run.score or 0.0) > 1.0 for one in together[1])
    assert "Unknown" in together[3][0].run.reason
    for runs, others in zip(together, alone, strict=True):
        assert len(runs) == len(others)
        for one, other in zip(runs, others, strict=True):
            same(one, other)


def same(one: ScoredRun, other: ScoredRun) -> None:
    score, wanted = one.run.score, other.run.score
    assert (score is None) == (wanted is None)
    if score is not None and wanted is not None:
        assert score == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    for role, known in zip(one.run.roles, other.run.roles, strict=True):
        assert role.expected == pytest.approx(known.expected, rel=1e-9)
    assert replace(one.run, score=None, roles=()) == replace(other.run, score=None, roles=())


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), max_size=12))
def test_answers_come_in_the_order_of_the_questions(models: list[HealthModel], asked: list[tuple[int, int]]) -> None:
    asks = []
    for number, count in asked:
        block = windows_of(linear_plant(WINDOW + count - 1, number + 10 * count, 3), WINDOW).copy()
        asks.append(Ask(models[number], block, np.arange(count), None))
    asks.append(Ask(Arithmetic(), np.ones((2, WINDOW, 3)), np.arange(2), None))  # type: ignore[arg-type]
    found = answers(asks)
    for one, answer in zip(asks, found, strict=True):
        np.testing.assert_allclose(answer.found.scores, one.model.score(one.block), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(answer.expected.upper, one.model.expectation(one.block).upper, rtol=1e-9)
        assert len(answer.found.results) == len(one.block)

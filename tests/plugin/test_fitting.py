"""What a training stores, and which version then runs: poisoned data never take over from a model that runs."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tagsight.fitting import compute, compute_together
from tagsight.plan import Period
from tagsight.scoring_task import StorePlace
from tagsight.training import TrainOutcome, TrainTask
from tagsight.training_folder import begun, training_folder
from tagsight_connectors.history import Span
from tagsight_models.errors import ModelError, NoSuchModel, SisterUnusable, UnusableInput
from tagsight_models.frame import Floats, Role
from tagsight_models.model_store import ModelStore
from tagsight_models.trained import Trained
from tests.end_to_end.plant import MINUTE, START, TAGS, UNITS, model_plan, tag_history, values
from tests.plugin.model_pages import checked_page

STEPS = 1_200
NAME = "P101/Health"
POISONS: dict[str, Callable[[Floats], Floats]] = {
    "unit-jump": lambda flow: np.where(np.arange(STEPS) < STEPS // 2, flow, flow * 1_000.0),
    "flat-line": lambda flow: np.where(np.arange(STEPS) < STEPS // 5, flow, flow[STEPS // 5]),
    "infinite": lambda flow: np.where(np.arange(STEPS) % 3 == 0, np.inf, flow),
    "largest": lambda flow: np.where(np.arange(STEPS) % 50 == 0, 1e308, flow),
    "nothing": lambda _flow: np.full(STEPS, np.nan),
    "always-flat": lambda flow: np.full(STEPS, flow[0]),
}


def _task(folder: Path, flow: Callable[[Floats], Floats] = lambda flow: flow) -> TrainTask:
    plan = model_plan()
    series = values(STEPS)
    series["Flow"] = flow(series["Flow"])
    short = replace(
        plan,
        train=replace(plan.train, start_ns=START, end_ns=START + STEPS * MINUTE, at_most_seconds=10.0),
        score=replace(plan.score, window_steps=60),
    )
    return TrainTask(
        plan=short,
        place=StorePlace(folder / "models", folder / "keys" / "signing.key"),
        roles=tuple(Role(name, unit=unit) for name, unit in zip(TAGS, UNITS, strict=True)),
        history={name: tag_history(one) for name, one in series.items()},
        operands={},
        span=(START, START + STEPS * MINUTE),
        plan_hash="0" * 64,
    )


def _unhurried(task: TrainTask) -> TrainTask:
    """No fit ends by its time budget, however busy the machine is."""
    return replace(task, plan=replace(task.plan, train=replace(task.plan.train, at_most_seconds=600.0)))


def _store(task: TrainTask) -> ModelStore:
    return ModelStore(task.place.root, task.place.key)


def _nobody(_share: float, _words: str) -> None:
    """Nobody looks at the progress."""


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which version 1 runs."""
    folder = tmp_path_factory.mktemp("running")
    outcome = compute(_task(folder), _nobody)
    assert (outcome.version, outcome.approved) == (1, True)
    return folder


def test_a_version_has_a_page_beside_its_folder(running: Path) -> None:
    page = checked_page(_task(running).place, NAME)
    assert "Expected and actual" in page


def test_a_page_that_cannot_be_made_costs_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tagsight.model_page.anatomy", lambda _model: 1 // 0)
    task = _task(tmp_path)
    outcome = compute(task, _nobody)
    assert outcome.version == 1
    assert outcome.page == "not made: ZeroDivisionError: integer division or modulo by zero"
    assert _store(task).load(NAME, 1)


@pytest.mark.parametrize("poison", POISONS.values(), ids=POISONS.keys())
def test_a_model_trained_on_poisoned_data_does_not_take_over_from_the_one_that_runs(
    running: Path, poison: Callable[[Floats], Floats]
) -> None:
    task = _task(running, poison)
    try:
        outcome = compute(task, _nobody)
    except ModelError:
        pass  # refused, with its reason
    else:
        assert not outcome.approved
    assert _store(task).approved(NAME) == 1
    assert _store(task).load_approved(NAME).refused == ()


@pytest.mark.parametrize(
    ("first_on_trial", "second_on_trial", "takes_over"),
    [
        pytest.param(True, True, False, id="trial-after-trial"),
        pytest.param(True, False, True, id="one-that-passes-after-trial"),
        pytest.param(False, True, False, id="trial-after-one-that-passed"),
        pytest.param(False, False, False, id="one-that-passes-after-another"),
    ],
)
def test_a_later_version_waits_unless_it_is_the_first_that_passes(  # noqa: PLR0917 - fixtures and the case
    running: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first_on_trial: bool,  # noqa: FBT001 - a case
    second_on_trial: bool,  # noqa: FBT001 - a case
    takes_over: bool,  # noqa: FBT001 - a case
) -> None:
    made = _store(_task(running)).load(NAME, 1)
    trials = iter([first_on_trial, second_on_trial])
    answer = lambda _: [Trained(made.model, replace(made.card, trial=next(trials)))]  # noqa: E731 - one line
    monkeypatch.setattr("tagsight.fitting.train_together", answer)
    first, second = compute(_task(tmp_path), _nobody), compute(_task(tmp_path), _nobody)
    assert (first.approved, second.approved) == (True, takes_over)
    assert _store(_task(tmp_path)).approved(NAME) == (2 if takes_over else 1)


def test_a_window_that_is_too_short_for_the_model_is_refused_with_how_long_it_must_be(tmp_path: Path) -> None:
    task = _task(tmp_path)
    short = replace(task, plan=replace(task.plan, score=replace(task.plan.score, window_steps=10)))
    with pytest.raises(UnusableInput, match="too short") as refused:
        compute(short, _nobody)
    assert refused.value.mend == "Set `score.window` to 11 or more; 60 is usual."


def test_a_model_of_normal_behaviour_does_not_learn_from_alarms_that_nobody_called_false(tmp_path: Path) -> None:
    task = _task(tmp_path)
    alarm = Period(START + 100 * MINUTE, START + 300 * MINUTE, "alarm that nobody called false")
    both = [replace(task, place=StorePlace(tmp_path / name, tmp_path / "key")) for name in ("with", "without")]
    compute(both[0], _nobody)
    compute(replace(both[1], kept_out=(alarm,)), _nobody)
    learned, kept = (_store(one).card(NAME, 1) for one in both)
    assert kept.counts["Flow"]["excluded by engineer"] == 200
    assert "excluded by engineer" not in learned.counts["Flow"]


def test_a_version_that_learned_from_what_the_running_one_calls_abnormal_is_doubted(running: Path) -> None:
    changed = _task(running, lambda flow: flow + 5.0 * np.std(flow) * (np.arange(STEPS) > STEPS // 2))
    outcome = compute(changed, _nobody)
    assert not outcome.approved
    (doubt,) = _store(changed).card(NAME, outcome.version).doubts
    assert doubt.startswith("version 1, which runs, calls")
    assert doubt in outcome.short
    assert not _store(changed).card(NAME, compute(_task(running), _nobody).version).doubts


def test_a_killed_training_goes_on_and_ends_with_the_same_model(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    def until_the_limit(share: float, _words: str) -> None:
        if share > 0.5:
            raise Killed

    whole, task = (_unhurried(_task(tmp_path / name)) for name in ("whole", "killed"))
    compute(whole, _nobody)
    with pytest.raises(Killed):
        compute(task, until_the_limit)
    folder = training_folder(task.place.root, NAME)
    assert begun(folder, task.plan_hash, task.span[1]) == Span(*task.span)
    assert list(folder.glob("*.safetensors"))
    compute(task, _nobody)
    assert not folder.exists()
    found, wanted = (_store(one).load(NAME, 1).model.tensors() for one in (task, whole))
    assert all(np.array_equal(found[name], wanted[name]) for name in wanted)


def test_a_model_starts_from_the_approved_version_of_its_sister_and_says_whether_that_helped(tmp_path: Path) -> None:
    sister = _task(tmp_path)
    sister = replace(sister, plan=replace(sister.plan, asset="P102"))
    compute(sister, _nobody)
    task = _task(tmp_path)
    outcome = compute(replace(task, plan=replace(task.plan, sister="P102/Health")), _nobody)
    assert "From P102/Health version 1, 4 of 4 inputs matched: held-out loss" in outcome.short
    card = _store(task).card(NAME, 1)
    assert {"transfer_loss_from_sister", "transfer_loss_from_nothing"} <= set(card.metrics)


def test_a_sister_that_was_never_trained_is_refused(tmp_path: Path) -> None:
    task = _task(tmp_path)
    with pytest.raises(NoSuchModel, match="P102/Health"):
        compute(replace(task, plan=replace(task.plan, sister="P102/Health")), _nobody)


def test_a_sister_without_a_matching_input_is_refused(tmp_path: Path) -> None:
    sister = _task(tmp_path)
    others = tuple(replace(role, name=f"Other{role.name}") for role in sister.roles)
    history = {f"Other{name}": one for name, one in sister.history.items()}
    compute(replace(sister, plan=replace(sister.plan, asset="P102"), roles=others, history=history), _nobody)
    task = _task(tmp_path)
    with pytest.raises(SisterUnusable, match="no input matches"):
        compute(replace(task, plan=replace(task.plan, sister="P102/Health")), _nobody)


def test_tasks_together_store_what_each_alone_would_and_one_that_fails_stops_no_other(tmp_path: Path) -> None:
    names = ["P101", "P102", "P103"]
    kinds = [POISONS["unit-jump"], POISONS["flat-line"], lambda flow: flow]
    tasks = [_unhurried(_task(tmp_path / "together", kind)) for kind in kinds]
    tasks = [replace(one, plan=replace(one.plan, asset=name)) for name, one in zip(names, tasks, strict=True)]
    tasks[1] = replace(tasks[1], plan=replace(tasks[1].plan, score=replace(tasks[1].plan.score, window_steps=5)))
    told: set[int] = set()
    found = compute_together(tasks, lambda number, _share, _words: told.add(number))
    assert told == {0, 1, 2}
    assert isinstance(found[1], UnusableInput)
    for number in (0, 2):
        one = found[number]
        assert isinstance(one, TrainOutcome)
        assert (one.model, one.version, one.approved) == (f"{names[number]}/Health", 1, True)
    alone = replace(tasks[2], place=StorePlace(tmp_path / "alone" / "models", tasks[2].place.key))
    compute(alone, _nobody)
    made, wanted = (_store(one).load("P103/Health", 1) for one in (tasks[2], alone))
    for name, value in wanted.model.tensors().items():
        np.testing.assert_allclose(made.model.tensors()[name], value, rtol=1e-3, atol=1e-4, err_msg=name)
    assert made.card.metrics["best_epoch"] == wanted.card.metrics["best_epoch"]

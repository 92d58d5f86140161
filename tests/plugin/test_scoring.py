"""From what a historian said to the quality of a run: Good on Good and fresh inputs alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tagsight.clocks import SECOND
from tagsight.conditions import parse
from tagsight.results import Run
from tagsight.scoring import Scorer, _scored
from tagsight.scoring_task import ScoredRun, ScoreTask, StorePlace, Unloadable
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD, BAD_NO_COMMUNICATION, GOOD, UNCERTAIN, Quality, quality_of
from tagsight_explain.settings import ExplainSettings
from tagsight_models.errors import ModelFileDamaged
from tagsight_models.frame import Floats, Role
from tagsight_models.gates import GateLimits, RoleLimits
from tagsight_models.model_store import Loaded
from tests.plugin.small_site import LEARNED, NORMAL, ROLES, START, Arithmetic, card, plan_of

STEPS = 10
MAX_GAP_S = 180
STATUSES = (GOOD, 0x00A20000, UNCERTAIN, 0x40900000, BAD, BAD_NO_COMMUNICATION, 0x808C0000, 0xC0000000, 0xFFFFFFFF)


@dataclass(frozen=True)
class Told:
    """One value that the historian told."""

    second: int
    status: int = GOOD
    value: float = NORMAL


def _history(told: Sequence[Told]) -> TagHistory:
    times = np.array([START + one.second * SECOND for one in told], dtype=np.int64)
    values = np.array([one.value for one in told], dtype=np.float64)
    return TagHistory(times, values, np.array([one.status for one in told], dtype=np.uint32))


def _loaded(model: object | None = None) -> Loaded:
    return Loaded(model or Arithmetic(), card(), 1)  # type: ignore[arg-type]


def _task(told: dict[str, Sequence[Told]], **changes: object) -> ScoreTask:
    roles = tuple(Role(role) for role in ROLES)
    task = ScoreTask(plan_of("P101"), roles, {role: _history(one) for role, one in told.items()}, {}, (START,))
    return replace(task, **changes)  # type: ignore[arg-type]


def _run(told: dict[str, Sequence[Told]], **changes: object) -> Run:
    (one,) = _scored(_task(told, **changes), _loaded())
    return one.run


def _steady(until: int = 0, status: int = GOOD) -> list[Told]:
    return [Told(second, status) for second in range(-1_500, until + 1, 60)]


def _fresh_and_good(told: Sequence[Told]) -> bool:
    """By the words of the alignment, step by step: every step rests on a value that is known, fresh and Good."""
    for step in range(60 * (1 - STEPS), 1, 60):
        before = [one for one in told if one.second <= step]
        if not before or step - before[-1].second > MAX_GAP_S:
            return False
        last = before[-1]
        cell = [one for one in before if one.second > step - 60 and np.isfinite(one.value)]
        if quality_of(last.status) is not Quality.GOOD or not np.isfinite(last.value):
            return False
        if any(quality_of(one.status) is Quality.UNCERTAIN for one in cell):
            return False
    return True


TOLD = st.builds(
    Told,
    second=st.integers(-1_500, 120),
    status=st.sampled_from(STATUSES),
    value=st.sampled_from([NORMAL, NORMAL + 1.0, np.nan, np.inf, -np.inf]),
)


@st.composite
def _tellings(draw: st.DrawFn) -> list[Told]:
    """Mostly healthy: a value a minute, some of them missing from `silent` on, others replaced or added."""
    silent = draw(st.integers(-900, 120))
    told = {one.second: one for one in _steady(120) if one.second <= silent}
    for one in draw(st.lists(TOLD, max_size=4)):
        told[one.second] = one
    return [told[second] for second in sorted(told)]


@settings(max_examples=300, deadline=None)
@given(flow=_tellings(), pressure=_tellings())
@example(flow=_steady(), pressure=_steady())
@example(flow=_steady(-180), pressure=_steady())
@example(flow=_steady(-240), pressure=_steady())
def test_a_run_is_good_where_every_step_of_every_input_is_good_and_fresh_and_nowhere_else(
    flow: list[Told], pressure: list[Told]
) -> None:
    run = _run({"Flow": flow, "Pressure": pressure})
    good = quality_of(run.quality) is Quality.GOOD
    assert good == (_fresh_and_good(flow) and _fresh_and_good(pressure))
    assert (run.reason == "") == good
    assert not good or run.score is not None


@pytest.mark.parametrize("status", STATUSES, ids=hex)
@pytest.mark.parametrize("age_s", [0, 60, 180, 181, 240, 3_600])
def test_every_status_at_every_age_gives_the_quality_that_it_must(status: int, age_s: int) -> None:
    last = Told(-age_s, status)
    run = _run({"Flow": [*(one for one in _steady() if one.second < -age_s), last], "Pressure": _steady()})
    if age_s > MAX_GAP_S or quality_of(status) is Quality.BAD:
        assert (run.score, quality_of(run.quality)) == (None, Quality.BAD)
        assert "Flow" in run.reason
    else:
        assert run.score is not None
        assert quality_of(run.quality) is quality_of(status)


@pytest.mark.parametrize("missing", [(), ("Flow",), ("Flow", "Pressure")], ids=["none", "one", "all"])
def test_an_input_without_any_value_is_never_scored(missing: tuple[str, ...]) -> None:
    run = _run({role: [] if role in missing else _steady() for role in ROLES})
    assert (run.score is None) is bool(missing)
    assert (quality_of(run.quality) is Quality.BAD) is bool(missing)
    assert all(role in run.reason for role in missing)


RAN = [Told(second, GOOD, 900.0) for second in range(-3_000, -60, 60)]


@pytest.mark.parametrize(
    ("speed", "quality", "words"),
    [
        pytest.param(RAN[:-10], Quality.BAD, "running condition unknown", id="stale"),
        pytest.param([*RAN, Told(-30, BAD, 900.0)], Quality.BAD, "running condition unknown", id="bad"),
        pytest.param([*RAN, Told(-30, GOOD, np.nan)], Quality.BAD, "running condition unknown", id="nan"),
        pytest.param([], Quality.BAD, "running condition unknown", id="none"),
        pytest.param([*RAN, Told(-30, GOOD, 0.0)], Quality.UNCERTAIN, "stopped", id="stopped"),
    ],
)
def test_where_it_is_not_known_that_the_machine_runs_nothing_is_scored(
    speed: list[Told], quality: Quality, words: str
) -> None:
    gates = GateLimits({role: RoleLimits(MAX_GAP_S * SECOND) for role in ROLES}, {"Speed": MAX_GAP_S * SECOND})
    task = _task(
        {role: _steady() for role in ROLES},
        plan=plan_of("P101", running=parse("[Speed] > 100")),
        operands={"Speed": _history(speed)},
    )
    (one,) = _scored(task, replace(_loaded(), card=replace(card(), gates=gates.to_json())))
    assert (one.run.score, quality_of(one.run.quality)) == (None, quality)
    assert words in one.run.reason


class NotANumber(Arithmetic):
    """A model that answers what no model should."""

    def score(self, windows: Floats) -> Floats:
        """NaN."""
        return np.full(len(windows), np.nan)


def test_a_score_that_is_not_a_number_is_bad_and_keeps_the_values_it_rests_on() -> None:
    (one,) = _scored(_task({role: _steady() for role in ROLES}), _loaded(NotANumber()))
    assert (one.run.score, quality_of(one.run.quality)) == (None, Quality.BAD)
    assert one.run.reason == "the model's score is not a number"
    assert [role.actual for role in one.run.roles] == [NORMAL, NORMAL]
    assert one.window is None


def test_a_model_whose_input_is_bound_to_no_tag_says_what_to_do() -> None:
    run = _run({"Flow": _steady()})
    assert quality_of(run.quality) is Quality.BAD
    assert run.reason == "the model's input Pressure is bound to no tag: train again"


def test_a_window_that_was_scored_before_is_scored_again_only_when_it_changed() -> None:
    told = {role: _steady() for role in ROLES}
    first = _run(told)
    assert _scored(_task(told, known={START: first.input_digest}), _loaded()) == []
    late = [*told["Flow"], Told(-30, GOOD, NORMAL + 5.0)]
    again = _run({**told, "Flow": sorted(late, key=lambda one: one.second)}, known={START: first.input_digest})
    assert again.revised
    assert again.score != first.score


def test_a_flat_line_is_the_fault_of_its_sensor() -> None:
    limits = card(limits=LEARNED)
    told = {"Flow": _steady(), "Pressure": [replace(one, value=NORMAL + one.second / 600) for one in _steady()]}
    (one,) = _scored(_task(told), replace(_loaded(), card=limits))
    assert one.sensor_fault
    assert (one.run.reason, quality_of(one.run.quality)) == ("flat line: Flow", Quality.BAD)


def test_a_model_that_cannot_be_loaded_is_a_run_that_says_so(tmp_path: Path) -> None:
    scorer = Scorer(StorePlace(tmp_path / "models", tmp_path / "key"))
    (one,) = scorer.score(_task({role: _steady() for role in ROLES}))
    assert (one.run.score, quality_of(one.run.quality), one.run.version) == (None, Quality.BAD, 0)
    assert "P101/Health" in one.run.reason
    assert scorer.facts(["P101/Health"]) == []


def test_a_score_of_another_version_is_not_explained_by_this_one(tmp_path: Path) -> None:
    scorer = Scorer(StorePlace(tmp_path / "models", tmp_path / "key"))
    scorer._loaded["P101/Health"] = _loaded()
    (one,) = _scored(_task({role: _steady() for role in ROLES}), replace(_loaded(), version=2))
    assert isinstance(one, ScoredRun)
    (explained,) = scorer.explain("P101/Health", [one], ExplainSettings())
    assert explained.explanation is not None
    assert explained.explanation.failure == "another version was approved meanwhile"
    assert explained.score == one.run.score


def test_a_damaged_store_costs_one_models_facts_and_not_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = Scorer(StorePlace(tmp_path / "models", tmp_path / "key"))

    def load(name: str) -> Loaded:
        if name == "P102/Health":
            raise ModelFileDamaged(str(tmp_path), "every version")
        return _loaded()

    monkeypatch.setattr(scorer._store, "load_approved", load)
    found = scorer.facts(["P101/Health", "P102/Health", "P103/Health"])
    assert [(one.model, isinstance(one, Unloadable)) for one in found] == [
        ("P101/Health", False),
        ("P102/Health", True),
        ("P103/Health", False),
    ]


def test_a_card_whose_gate_limits_cannot_be_read_costs_no_other_model_its_facts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = {
        "P101/Health": Loaded(Arithmetic(), replace(card(), gates={"schema": 99}), 3),  # type: ignore[arg-type]
        "P102/Health": Loaded(Arithmetic(), card(), 1),  # type: ignore[arg-type]
    }
    scorer = Scorer(StorePlace(tmp_path, tmp_path / "key"))
    monkeypatch.setattr(scorer._store, "load_approved", loaded.__getitem__)
    damaged, well = scorer.facts(list(loaded))
    assert isinstance(damaged, Unloadable)
    assert "version 3" in damaged.why
    assert "gate limits" in damaged.why
    assert (well.model, isinstance(well, Unloadable)) == ("P102/Health", False)

"""Drift of inputs and of relations, and what a card keeps so that it is seen."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.card import ModelCard
from tagsight_models.drift import TARGET, DriftReference, Recent, drift
from tagsight_models.drift_reference import drift_facts
from tagsight_models.errors import TooLittleData
from tagsight_models.frame import Floats
from tagsight_models.trained import Trained
from tests.models.drifting import DAY, MeanOfOthers, machine, recent_of, reference_of, seen
from tests.models.plants import linear_plant

MODEL = MeanOfOthers(4)
DAYS = 20
HISTORY = machine((DAYS + 10) * DAY)
LEARNED, LATER = HISTORY[: DAYS * DAY], HISTORY[DAYS * DAY :]
REFERENCE = reference_of(MODEL, LEARNED)


def recent(change: Floats | float = 0.0, column: int | slice = 2, day: int = 5) -> Floats:
    values = LATER[day * DAY : (day + 1) * DAY].copy()
    values[:, column] += change
    return values


@pytest.mark.parametrize("seed", range(3))
def test_a_stationary_machine_has_not_drifted(seed: int) -> None:
    values = machine((DAYS + 5) * DAY, seed + 100)
    reference = reference_of(MODEL, values[: DAYS * DAY])
    for day in range(DAYS, DAYS + 5):
        found = seen(MODEL, reference, values[day * DAY : (day + 1) * DAY])
        assert found.relations < 1.0
        assert found.inputs < 1.0
        assert found.moved == ()


def test_an_input_that_slowly_moves_raises_the_drift_day_by_day_and_is_named() -> None:
    sizes = []
    for day in range(8):
        found = seen(MODEL, REFERENCE, recent(0.6 * day, day=day))
        sizes.append(found.relations)
    assert sizes == sorted(sizes)
    assert sizes[0] < 1.0 < sizes[-1]
    assert found.moved[0].role == "role2"
    assert found.moved[0].up
    assert not found.moved[0].at_once


def test_the_same_way_gone_at_once_is_told_apart_from_a_drift() -> None:
    step = np.where(np.arange(DAY) > 800, 4.0, 0.0)
    (first, *_) = seen(MODEL, REFERENCE, recent(step)).moved
    assert (first.role, first.at_once) == ("role2", True)
    (first, *_) = seen(MODEL, REFERENCE, recent(4.0)).moved
    assert not first.at_once


def test_a_machine_that_runs_elsewhere_has_other_inputs_and_the_same_relations() -> None:
    found = seen(MODEL, REFERENCE, recent(-12.0, slice(None)))
    assert found.inputs > 1.0
    assert found.relations < 1.0
    assert {role.role for role in found.moved} == {role.name for role in MODEL.roles}
    assert not any(role.up for role in found.moved)


def test_time_in_a_regime_that_the_training_held_is_no_drift_and_between_two_of_them_it_is() -> None:
    grades = np.repeat([0.0, 40.0, 0.0, 80.0, 40.0], 4 * DAY)[:, None]
    reference = reference_of(MODEL, LEARNED + grades)
    for grade in (0.0, 40.0, 80.0):
        assert seen(MODEL, reference, recent(grade, slice(None))).inputs < 1.0
    for grade in (20.0, 60.0, 120.0):
        assert seen(MODEL, reference, recent(grade, slice(None))).inputs > 1.0


def test_parts_of_the_training_itself_are_never_beyond_the_limit() -> None:
    grades = np.repeat([0.0, 40.0, 0.0, 80.0, 40.0], 4 * DAY)[:, None]
    values = LEARNED + grades
    reference = reference_of(MODEL, values)
    for day in range(DAYS):
        found = seen(MODEL, reference, values[day * DAY : (day + 1) * DAY])
        assert found.relations < 1.0
        assert day % 4 == 0 or found.inputs < 1.0  # a day may begin with the end of the grade before


@settings(deadline=None, max_examples=15)
@given(st.floats(0.1, 50.0), st.floats(-1e4, 1e4), st.sampled_from([1.0, -1.0]))
def test_units_and_signs_of_a_role_change_no_drift(gain: float, offset: float, sign: float) -> None:
    plain = seen(MeanOfOthers(4, blind=True), reference_of(MeanOfOthers(4, blind=True), LEARNED), recent(2.0))
    other = MeanOfOthers(4, blind=True)
    found = seen(other, reference_of(other, sign * gain * LEARNED + offset), sign * gain * recent(2.0) + offset)
    assert found.inputs == pytest.approx(plain.inputs, rel=0.02)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.floats(0.0, 40.0), min_size=2, max_size=6))
def test_the_farther_a_role_is_from_all_training_the_larger_the_drift(offsets: list[float]) -> None:
    sizes = [seen(MODEL, REFERENCE, recent(20.0 + offset)).roles[2] for offset in sorted(offsets)]
    assert [one.inputs for one in sizes] == sorted(one.inputs for one in sizes)
    assert [one.relation for one in sizes] == sorted(one.relation for one in sizes)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 2**32))
def test_when_in_the_recent_time_a_value_was_changes_nothing_of_its_size(seed: int) -> None:
    told = recent_of(MODEL, recent(3.0))
    chosen = np.random.default_rng(seed).permutation(len(told.values))
    mixed = drift(REFERENCE, Recent(told.values[chosen], told.residuals[chosen]))
    plain = drift(REFERENCE, told)
    assert mixed.inputs == pytest.approx(plain.inputs)
    assert mixed.relations == pytest.approx(plain.relations)


def test_of_a_role_of_which_a_model_expects_nothing_only_the_input_can_drift() -> None:
    blind = MeanOfOthers(4, blind=True)
    reference = reference_of(blind, LEARNED)
    assert all(role.residual is None for role in reference.roles)
    found = seen(blind, reference, recent(6.0))
    assert found.relations == 0.0
    assert found.moved[0].role == "role2"


@pytest.mark.parametrize(("off", "moved"), [(0.3, []), (-1.5, [TARGET])])
def test_a_result_that_stays_beside_the_truth_is_a_drift_of_the_relations(off: float, moved: list[str]) -> None:
    told = replace(recent_of(MODEL, recent()), target=np.full(200, off))
    found = drift(REFERENCE, told)
    assert [one.role for one in found.moved] == moved
    assert found.relations == pytest.approx(max(abs(off), *(one.relation for one in found.roles[:-1])))


def test_a_reference_travels_as_json_and_stays_small() -> None:
    text = json.dumps(REFERENCE.to_json())
    assert DriftReference.from_json(json.loads(text)) == REFERENCE
    assert len(text) < 1_000 * len(MODEL.roles)


def test_a_reference_of_another_form_is_refused() -> None:
    with pytest.raises((TypeError, KeyError)):
        DriftReference.from_json({"roles": ["role0"], "mean": [1.0], "edges": []})


def test_too_few_moments_and_too_little_training_are_refused() -> None:
    with pytest.raises(TooLittleData, match="20 are needed"):
        drift(REFERENCE, Recent(np.zeros((19, 4)), np.zeros((19, 4))))
    assert drift_facts(MODEL, LEARNED[:400]) == {}  # type: ignore[arg-type]
    assert drift_facts(MODEL, LEARNED[: 2 * DAY], 3_600_000_000_000) == {}  # type: ignore[arg-type]


def test_what_is_scored_seldom_is_compared_over_a_longer_time() -> None:
    minutes = drift_facts(MODEL, LEARNED, 60_000_000_000)["drift"]["window_ns"]  # type: ignore[arg-type]
    hours = drift_facts(MODEL, LEARNED, 3_600_000_000_000)["drift"]["window_ns"]  # type: ignore[arg-type]
    assert minutes == 86_400_000_000_000
    assert hours >= 30 * 3_600_000_000_000


def test_the_card_of_a_health_model_keeps_its_reference(linear: Trained) -> None:
    kept = DriftReference.from_json(linear.card.facts["drift"])
    assert tuple(role.role for role in kept.roles) == tuple(role.name for role in linear.card.roles)
    steps = kept.window_ns // linear.model.grid_ns + linear.model.window_steps
    assert seen(linear.model, kept, linear_plant(steps, seed=8)).relations < 1.0
    later = linear_plant(steps, seed=8)
    later[:, 2] += 12.0
    assert seen(linear.model, kept, later).moved[0].role == "role2"
    assert ModelCard.from_json(linear.card.to_json()) == linear.card

from dataclasses import replace

import numpy as np
import pytest

from tagsight_models.calibration import calibrate
from tagsight_models.delays import Delays
from tagsight_models.errors import TooLittleData, UnusableInput
from tagsight_models.frame import Frame
from tagsight_models.jobs import train
from tagsight_models.model_file import _tensors
from tagsight_models.reasons import Reason
from tagsight_models.trained import Trained
from tagsight_models.training_data import TrainingData
from tagsight_models.training_settings import TrainingSettings
from tests.models.plants import MINUTE, frame_of, linear_plant, windows_of

QUICK = TrainingSettings()


def with_reason(frame: Frame, steps: slice, column: int, reason: Reason) -> Frame:
    reasons, values = frame.reasons.copy(), frame.values.copy()
    reasons[steps, column] = reason
    if Reason.GAP <= reason <= Reason.NOT_A_NUMBER:
        values[steps, column] = np.nan
    return replace(frame, values=values, reasons=reasons)


def test_a_model_on_simple_data_passes_and_says_that_its_limit_is_provisional(linear: Trained) -> None:
    assert not linear.card.trial
    assert linear.card.provisional == "limit provisional: 2.1 days of normal data"
    assert linear.card.comparison["results"][0]["name"] == "TagSight"


def test_the_same_frame_and_settings_give_the_same_bytes() -> None:
    frame = frame_of(linear_plant(900))
    one, other = train("health", TrainingData(frame), QUICK), train("health", TrainingData(frame), QUICK)
    for name, array in _tensors(one.model).items():
        assert array.tobytes() == _tensors(other.model)[name].tobytes(), name
    assert replace(one.card, seconds=0, metrics={}) == replace(other.card, seconds=0, metrics={})


def test_a_constant_role_is_refused_by_name() -> None:
    values = linear_plant(900)
    values[:, 3] = 7.0
    with pytest.raises(UnusableInput, match="'role3' cannot be used: constant"):
        train("health", TrainingData(frame_of(values)), QUICK)


def test_a_constant_role_is_left_out_with_a_word_in_the_card_where_the_caller_wants_that() -> None:
    values = linear_plant(900)
    values[:, 3] = 7.0
    trained = train("health", TrainingData(frame_of(values)), replace(QUICK, drop_constant=True))
    assert [role.name for role in trained.model.roles] == ["role0", "role1", "role2", "role4", "role5"]
    assert trained.card.dropped == {"role3": "constant (7) in the training data"}


def test_a_role_without_any_value_is_refused_by_name() -> None:
    frame = with_reason(frame_of(linear_plant(900)), slice(None), 1, Reason.BAD_QUALITY)
    with pytest.raises(UnusableInput, match="'role1' cannot be used: no usable value"):
        train("health", TrainingData(frame), QUICK)


def test_too_little_data_says_how_much_would_do() -> None:
    with pytest.raises(TooLittleData, match="100 usable steps, at least 240 are needed"):
        train("health", TrainingData(frame_of(linear_plant(100))), QUICK)


def test_a_frame_without_any_usable_step_is_refused() -> None:
    frame = frame_of(linear_plant(900))
    for column in range(6):
        frame = with_reason(frame, slice(None), column, Reason.EXCLUDED)
    with pytest.raises(TooLittleData, match="0 usable steps"):
        train("health", TrainingData(frame), QUICK)


def test_a_limit_span_without_data_is_refused() -> None:
    with pytest.raises(TooLittleData, match="held-out time of the limit: 0 usable steps"):
        train("health", TrainingData(frame_of(linear_plant(900))), replace(QUICK, limit_span=(0, MINUTE)))


def test_an_unknown_job_is_refused() -> None:
    with pytest.raises(UnusableInput, match="prophecy"):
        train("prophecy", frame_of(linear_plant(900)), QUICK)


def test_the_limit_comes_from_the_span_that_was_given() -> None:
    frame = frame_of(linear_plant(1500))
    span = (int(frame.times[1000]), int(frame.times[1400]))
    card = train("health", TrainingData(frame), replace(QUICK, limit_span=span)).card
    assert (card.limit_start_ns, card.limit_end_ns) == (span[0], span[1] - MINUTE)
    assert card.used_steps == 1100


def test_where_a_limit_span_is_given_the_limit_is_that_of_its_scores_alone() -> None:
    frame = frame_of(linear_plant(1500))
    span = (int(frame.times[1000]), int(frame.times[1400]))
    trained = train("health", TrainingData(frame), replace(QUICK, limit_span=span))
    held = np.where(((frame.times >= span[0]) & (frame.times < span[1]))[:, None], frame.values, np.nan)
    limit = calibrate(frame.times, trained.model.series_distance(held), QUICK.alarming(MINUTE))
    assert not trained.card.limit["folds"]
    assert trained.card.limit["normal_ns"] == limit.normal_ns == (400 - 59) * MINUTE
    assert trained.model.parameters.limit == pytest.approx(limit.value, rel=0.1)


def test_where_no_limit_span_is_given_and_time_is_short_folds_of_the_rest_count_too(linear: Trained) -> None:
    assert linear.card.limit["folds"]
    assert linear.card.limit["normal_ns"] > 2000 * MINUTE


def test_a_limit_is_found_at_the_due_times_alone() -> None:
    frame = frame_of(linear_plant(1500))
    card = train("health", TrainingData(frame), replace(QUICK, every_ns=5 * MINUTE)).card
    every_step = train("health", TrainingData(frame), QUICK).card
    assert card.limit["normal_ns"] == pytest.approx(every_step.limit["normal_ns"], rel=0.05)
    assert card.limit["value"] != every_step.limit["value"]


def test_excluded_steps_are_not_learned_from_and_are_counted() -> None:
    values = linear_plant(1500)
    values[200:500] += 300.0
    frame = frame_of(values)
    for column in range(6):
        frame = with_reason(frame, slice(200, 500), column, Reason.EXCLUDED)
    trained = train("health", TrainingData(frame), QUICK)
    assert trained.card.counts["role0"] == {"used": 1200, "excluded by engineer": 300}
    assert trained.model.score(windows_of(values)[300:301])[0] > 1.0


def test_single_bad_samples_do_not_cost_their_whole_windows() -> None:
    frame = frame_of(linear_plant(1500))
    for step in range(30, 1500, 40):
        frame = with_reason(frame, slice(step, step + 1), step % 6, Reason.BAD_QUALITY)
    assert train("health", TrainingData(frame), QUICK).card.limit["normal_ns"] > 1000 * MINUTE


def test_a_smaller_budget_has_a_higher_limit() -> None:
    data = TrainingData(frame_of(linear_plant(1500)))
    often, seldom = (
        train("health", data, replace(QUICK, at_most=allowed)).model.parameters.limit for allowed in (60.0, 1.0)
    )
    assert seldom > often


def test_gates_hashes_and_budget_are_kept_in_the_card(linear: Trained) -> None:
    trained = train(
        "health",
        TrainingData(frame_of(linear_plant(900))),
        replace(QUICK, delays=Delays(0, MINUTE)),
        gates={"role0": {"max_gap_ns": 5}},
        hashes={"plan": "abc", "data": "def"},
    )
    assert trained.card.gates == {"role0": {"max_gap_ns": 5}}
    assert (trained.card.plan_hash, trained.card.data_hash) == ("abc", "def")
    assert trained.card.budget["off_ns"] == MINUTE
    assert len(linear.card.data_hash) == 64


def test_one_role_alone_can_be_watched() -> None:
    values = linear_plant(900)[:, :1]
    trained = train("health", TrainingData(frame_of(values)), QUICK)
    window = windows_of(values)[:1].copy()
    window[0, 20:] += 500.0
    assert trained.model.score(window)[0] > 1.0

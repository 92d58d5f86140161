from dataclasses import replace

import numpy as np

from tagsight_models.calibration import Alarming, Budget, calibrate
from tagsight_models.comparison import Comparison, Contestant, NormalTime, baselines, compare
from tagsight_models.delays import Delays
from tagsight_models.frame import Floats
from tests.models.plants import MINUTE, START, linear_plant

ALARMING = Alarming(Delays(5 * MINUTE, 5 * MINUTE), Budget(2.0, 30 * 1440 * MINUTE), MINUTE, MINUTE, 60)
TRAIN = linear_plant(1500)
TIMES = START + MINUTE * np.arange(1500, dtype=np.int64)
HELD = NormalTime(TIMES[:600], linear_plant(600, seed=4))
OTHERS = baselines(NormalTime(TIMES, TRAIN), ALARMING, None)


def judged(ours: Contestant) -> Comparison:
    return compare(ours, OTHERS, HELD, alarming=ALARMING)


def test_a_baseline_is_a_draw_with_itself() -> None:
    found = judged(Contestant("ours", OTHERS[0].rows, OTHERS[0].limit))
    assert not found.trial
    assert found.results[0].found == found.results[1].found


def test_a_blind_model_is_on_trial() -> None:
    found = judged(Contestant("ours", lambda values: np.zeros(len(values)), 1.0))
    assert found.trial
    assert "blind" in found.verdict


def test_a_flooding_model_is_on_trial() -> None:
    def floods(values: Floats) -> Floats:
        return np.where(np.arange(len(values)) % 40 < 20, 2.0, 0.0)

    found = judged(Contestant("ours", floods, 1.0))
    assert found.trial
    assert "floods" in found.verdict


def test_a_model_that_loses_to_a_baseline_is_on_trial_and_the_winner_is_named() -> None:
    centre, scale = HELD.values.mean(axis=0), HELD.values.std(axis=0)

    def largest_z(values: Floats) -> Floats:
        return np.asarray(np.abs((values - centre) / scale).max(axis=1))

    limit = 1.05 * float(np.quantile(largest_z(HELD.values), 0.999))
    found = judged(Contestant("ours", largest_z, limit))
    assert found.trial
    assert "the baseline wins" in found.verdict
    assert "blind" not in found.verdict
    assert any(one.name in found.verdict for one in OTHERS)


def test_a_model_that_knows_the_faults_wins() -> None:
    normal = {row.tobytes() for row in HELD.values}

    def oracle(values: Floats) -> Floats:
        return np.array([0.0 if row.tobytes() in normal else 2.0 for row in values])

    found = judged(Contestant("ours", oracle, 1.0))
    assert not found.trial
    assert "ours wins" in found.verdict


def test_every_baseline_has_its_limit_from_rows_that_its_fit_did_not_see() -> None:
    for one in OTHERS:
        inside = one.rows(TRAIN)
        assert one.limit > np.nanquantile(inside, 0.99)


def test_where_the_held_out_time_was_named_every_baseline_has_its_limit_from_it_alone() -> None:
    for one in baselines(NormalTime(TIMES, TRAIN), ALARMING, HELD):
        assert one.limit == calibrate(HELD.times, one.rows(HELD.values), ALARMING).value


def test_only_due_times_count() -> None:
    every_ten = replace(ALARMING, every_ns=10 * MINUTE)
    due = {row.tobytes() for row in HELD.values[every_ten.due(HELD.times)]}

    def wrong_in_between(values: Floats) -> Floats:
        """Finds every fault; shouts at each normal row that is not due."""
        return np.array([0.0 if row.tobytes() in due else 2.0 for row in values])

    found = compare(Contestant("ours", wrong_in_between, 1.0), OTHERS, HELD, alarming=every_ten)
    assert found.results[0].activations == 0
    assert compare(Contestant("ours", wrong_in_between, 1.0), OTHERS, HELD, alarming=ALARMING).results[0].activations

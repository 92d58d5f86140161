import numpy as np

from tagsight_models.production.gain_error import GainError, like_pairs


def test_the_interval_of_a_gain_holds_what_like_times_show() -> None:
    random = np.random.default_rng(0)
    settings, conditions = random.normal(size=(1200, 2)), random.normal(size=(1200, 1))
    errors = 0.5 * random.normal(size=1200) + 0.4 * settings[:, 0]
    parts = slice(0, 300), slice(300, 600)
    pairs = [like_pairs(settings[part], conditions[part], errors[part]) for part in parts]
    calibrated = GainError.fit(pairs, 0.9)
    moves, missed = like_pairs(settings[600:], conditions[600:], errors[600:])
    assert 0.86 < (np.abs(missed) <= calibrated.half(moves)).mean() < 0.94


def test_a_larger_move_than_any_that_was_seen_is_less_certain() -> None:
    random = np.random.default_rng(0)
    calibrated = GainError.fit([(random.uniform(0.0, 2.0, 500), random.normal(size=500))], 0.9)
    small, large, larger = calibrated.half(np.array([1.9, 4.0, 8.0]))
    assert small < large < larger


def test_too_short_a_stretch_gives_no_pairs() -> None:
    moves, missed = like_pairs(np.zeros((6, 1)), np.zeros((6, 1)), np.zeros(6))
    assert len(moves) == len(missed) == 0


def test_the_half_of_the_time_that_tells_gains_worse_counts() -> None:
    random = np.random.default_rng(2)
    moves = random.uniform(0.0, 2.0, (2, 500))
    errors = random.normal(size=(2, 500)) * np.array([[1.0], [3.0]])
    both = GainError.fit([(moves[0], errors[0]), (moves[1], errors[1])], 0.9)
    assert (np.abs(errors[1]) <= both.half(moves[1])).mean() > 0.88
    assert (np.abs(errors[0]) <= both.half(moves[0])).mean() > 0.98

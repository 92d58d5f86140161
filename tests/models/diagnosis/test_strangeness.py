import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.diagnosis.strangeness import Strangeness
from tagsight_models.frame import Floats

RANDOM = np.random.default_rng(3)


def windows(count: int, distance: float, sure: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Log probabilities and distances of windows of the first of three classes."""
    random = np.random.default_rng(seed)
    first = np.clip(sure + 0.05 * random.normal(size=count), 0.34, 0.999)
    rest = (1.0 - first) / 2.0
    apart = np.stack([distance * random.uniform(0.8, 1.2, count), *random.uniform(5.0, 9.0, (2, count))], axis=1)
    return np.log(np.stack([first, rest, rest], axis=1)), apart


KNOWN = Strangeness.of(*windows(2000, 1.0, 0.9))


def test_about_the_stated_share_of_other_known_windows_is_beyond_a_quantile() -> None:
    limit = float(np.quantile(KNOWN(*windows(2000, 1.0, 0.9)), 0.95))
    beyond = float(np.mean(KNOWN(*windows(4000, 1.0, 0.9, seed=1)) > limit))
    assert 0.02 < beyond < 0.09


def test_what_is_far_from_the_class_named_is_strange_however_sure_the_name() -> None:
    limit = float(KNOWN(*windows(500, 1.0, 0.9)).max())
    assert (KNOWN(*windows(50, 3.0, 0.99)) > limit).all()


def test_what_is_named_with_doubt_is_stranger_at_the_same_distance() -> None:
    assert KNOWN(*windows(200, 1.0, 0.4)).mean() > KNOWN(*windows(200, 1.0, 0.9)).mean() + 1.0


def test_doubt_alone_is_not_strange_where_every_held_out_window_was_sure() -> None:
    sure = Strangeness.of(*windows(500, 1.0, 0.999))
    limit = float(np.quantile(sure(*windows(500, 1.0, 0.999)), 0.99))
    assert float(np.mean(sure(*windows(500, 0.9, 0.9)) > limit)) < 0.2


@settings(max_examples=30, deadline=None)
@given(st.floats(0.1, 1e6), st.floats(1.0, 1e3))
def test_farther_is_never_less_strange(distance: float, times: float) -> None:
    chances = np.log([[0.9, 0.05, 0.05]])
    near, far = np.full((1, 3), distance), np.full((1, 3), distance * times)
    assert KNOWN(chances, far)[0] >= KNOWN(chances, near)[0]
    assert np.isfinite(KNOWN(chances, far)).all()


def test_it_travels_as_arrays_and_refuses_others() -> None:
    again = Strangeness.from_tensors(KNOWN.tensors())
    new = windows(20, 2.0, 0.6)
    np.testing.assert_array_equal(again(*new), KNOWN(*new))
    with pytest.raises(ValueError, match="ascending"):
        Strangeness.from_tensors({"doubts": np.array([2.0, 1.0]), "distances": np.array([1.0])})

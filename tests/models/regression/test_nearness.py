import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.regression.nearness import MOST, SHARES, Nearness, best_share, growth

RANDOM = np.random.default_rng(4)
ROWS = RANDOM.normal(size=(4_000, 3))


def test_what_lies_outside_of_the_training_data_is_far() -> None:
    near = Nearness.of(ROWS)
    assert len(near.rows) <= MOST
    inside, outside = near.distance(RANDOM.normal(size=(200, 3))), near.distance(8.0 + RANDOM.normal(size=(200, 3)))
    assert np.median(outside) > 10.0 * np.median(inside)


def test_an_interval_grows_with_the_distance_and_never_shrinks() -> None:
    near = Nearness(ROWS[:500], 0.5, 0.5)
    rows = np.linspace(0.0, 40.0, 30)[:, None] * np.ones(3)
    factors = near.factor(rows)
    assert factors.min() >= 1.0
    assert factors[-1] == 3.0  # four usual distances at most
    assert (np.diff(factors[5:]) >= 0.0).all()


def test_where_errors_grow_with_distance_a_share_is_found_and_else_none() -> None:
    distances = RANDOM.gamma(2.0, 0.5, 3_000)
    errors = RANDOM.laplace(size=3_000)
    assert best_share(distances, errors) == 0.0
    assert best_share(distances, errors * (1.0 + distances)) == 1.0


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(SHARES), st.lists(st.floats(0.0, 1e9), min_size=1, max_size=5))
def test_growth_is_bounded(share: float, distances: list[float]) -> None:
    found = growth(np.array(distances), share)
    assert (found >= 1.0).all()
    assert (found <= 5.0).all()

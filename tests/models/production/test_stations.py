import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tagsight_models.production.settings import ProductionSettings
from tagsight_models.production.stations import longest_at_work, ranked, waiting
from tests.models.plants import windows_of
from tests.models.production.conftest import QUICK, data_of, trained_on

NAMES = ("a starved", "a blocked", "b starved", "b blocked", "c starved", "c blocked")


def steady(*waits: float) -> np.ndarray:
    """The same shares in each of twenty steps."""
    return np.tile(np.array(waits), (20, 1))


def test_the_station_that_waits_least_comes_first_and_the_one_that_waits_most_last() -> None:
    assert ranked(steady(0.5, 0.35, 0.1, 0.4)).tolist() == [2, 1, 3, 0]


def test_a_station_at_an_end_must_wait_clearly_less_than_one_between_two() -> None:
    assert ranked(steady(0.10, 0.11, 0.3))[0] == 1
    assert ranked(steady(0.06, 0.11, 0.3))[0] == 0


def test_of_two_that_wait_alike_the_one_that_works_on_for_longer_comes_first() -> None:
    waits = np.full((40, 4), 0.5)
    waits[:, 1] = np.tile([0.0, 0.2], 20)  # a short pause every other step
    waits[:, 2] = np.repeat([0.0, 0.4], [30, 10])  # one long one
    assert waits[:, 1].mean() == waits[:, 2].mean()
    assert ranked(waits)[0] == 2


def test_periods_of_work_are_as_long_as_they_are_and_ties_are_shared() -> None:
    active = np.array([[1, 0, 1], [1, 1, 1], [0, 1, 1], [1, 1, 0]], dtype=np.bool_)
    # periods: station 0 of two steps and of one, station 1 of three, station 2 of three
    assert longest_at_work(active).tolist() == [0.0, (0.5 + 0.5 + 1.0) / 4, (1.0 + 0.5 + 0.5) / 4]
    assert longest_at_work(np.zeros((3, 2), dtype=np.bool_)).tolist() == [0.0, 0.0]


@given(arrays(np.float64, (2, 6, 5), elements=st.floats(0.0, 0.8)))
def test_every_station_is_ranked_once_and_shares_stay_shares(shares: np.ndarray) -> None:
    waits = waiting(*shares)
    assert sorted(ranked(waits).tolist()) == [0, 1, 2, 3, 4]
    assert (waits <= 1.0).all()
    assert longest_at_work(waits < 0.05).sum() <= 1.0 + 1e-9


def test_a_model_of_a_line_names_its_slowest_station_and_how_long_each_waits() -> None:
    random = np.random.default_rng(0)
    share = np.array([0.0, 0.4, 0.05, 0.02, 0.3, 0.0])  # b is neither starved nor blocked
    waits = np.clip(share + 0.05 * random.normal(size=(800, 6)), 0.0, 1.0)
    waits[:, 0] = 0.0
    output = 100.0 - 40.0 * waits.sum(axis=1) + random.normal(size=800)
    job = ProductionSettings(stations={"a": NAMES[:2], "b": NAMES[2:4], "c": NAMES[4:]}, regressor=QUICK)
    model = trained_on(data_of(waits, output, NAMES), job).model
    said = model.results(windows_of(waits, 4)[:5])
    assert {one["Bottleneck"] for one in said} == {"b"}
    assert 0.2 < float(said[0]["Waiting/a"]) < 0.6
    assert [one.name for one in model.outputs] == list(said[0])

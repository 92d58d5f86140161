import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tagsight_models.production.settings import ProductionSettings
from tagsight_models.production.stations import ranked, waiting
from tests.models.plants import windows_of
from tests.models.production.conftest import QUICK, data_of, trained_on

NAMES = ("a starved", "a blocked", "b starved", "b blocked", "c starved", "c blocked")


def test_the_station_that_blocks_before_it_and_starves_after_it_comes_first() -> None:
    starved, blocked = np.array([0.0, 0.05, 0.02, 0.4]), np.array([0.5, 0.3, 0.01, 0.0])
    assert ranked(starved, blocked, told_apart=True)[0] == 2


def test_a_fast_first_station_is_no_bottleneck_though_it_never_starves() -> None:
    starved, blocked = np.array([0.0, 0.1, 0.0]), np.array([0.6, 0.4, 0.0])
    assert ranked(starved, blocked, told_apart=True)[0] == 2


def test_where_waiting_alone_is_known_the_station_that_waits_least_comes_first() -> None:
    assert ranked(np.array([0.3, 0.1, 0.2]), np.zeros(3), told_apart=False).tolist() == [1, 2, 0]


@given(
    arrays(np.float64, (2, 5), elements=st.floats(0.0, 0.5)),
    st.booleans(),
)
def test_every_station_is_ranked_once_and_shares_stay_shares(shares: np.ndarray, apart: bool) -> None:  # noqa: FBT001
    starved, blocked = shares
    assert sorted(ranked(starved, blocked, told_apart=apart).tolist()) == [0, 1, 2, 3, 4]
    assert (waiting(starved, blocked) <= 1.0).all()


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

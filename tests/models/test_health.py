import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.faults import InjectedFault, inject
from tagsight_models.frame import Role
from tagsight_models.health import HealthModel
from tagsight_models.health_fit import NetworkSettings, fit_health
from tagsight_models.statistics.registry import BASELINES
from tagsight_models.trained import Trained
from tagsight_models.training import FitSettings
from tests.models.plants import MINUTE, linear_plant, two_point_plant, windows_of

NORMAL = windows_of(linear_plant(200, seed=5))


def test_normal_windows_score_below_the_limit_and_their_median_is_near_zero(linear: Trained) -> None:
    scores = linear.model.score(windows_of(linear_plant(2000, seed=5)))
    assert np.median(scores) < 0.3
    assert (scores < 1.0).mean() > 0.999


def test_a_fault_scores_above_the_limit_and_a_larger_one_higher(linear: Trained) -> None:
    scores = []
    for size in (20.0, 40.0, 400.0):
        faulty = NORMAL[:1].copy()
        faulty[0, 20:, 2] += size
        scores.append(float(linear.model.score(faulty)[0]))
    assert 1.0 < scores[0] < scores[1] < scores[2]


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(30)))
def test_a_score_does_not_depend_on_what_else_is_in_the_batch(linear: Trained, order: list[int]) -> None:
    together = linear.model.score(NORMAL[order])
    alone = np.concatenate([linear.model.score(NORMAL[n : n + 1]) for n in order])
    np.testing.assert_allclose(together, alone, rtol=1e-6, atol=1e-12)


def test_a_series_has_the_same_distances_as_its_windows(nonlinear: Trained) -> None:
    series = two_point_plant(400, seed=3)
    found = nonlinear.model.series_distance(series)
    assert np.isnan(found[:59]).all()
    np.testing.assert_allclose(found[59:], nonlinear.model.distance(windows_of(series)), rtol=1e-9)


def test_a_hole_in_a_series_takes_exactly_the_windows_that_hold_it(linear: Trained) -> None:
    series = linear_plant(300, seed=3)
    whole = linear.model.series_distance(series)
    series[150, 0] = np.nan
    found = linear.model.series_distance(series)
    assert np.isnan(found[150:210]).all()
    np.testing.assert_allclose(np.delete(found, range(150, 210))[59:], np.delete(whole, range(150, 210))[59:])


@pytest.mark.parametrize("value", [1e308, -1e308, 1e30, 0.0], ids=str)
def test_a_score_is_finite_whatever_the_value(linear: Trained, value: float) -> None:
    window = NORMAL[:1].copy()
    window[0, :, 1] = value
    assert np.isfinite(linear.model.score(window)).all()
    assert float(linear.model.score(window)[0]) > 1.0


def test_a_fault_in_one_role_does_not_pull_its_expected_value_along(linear: Trained) -> None:
    faulty = NORMAL[:1].copy()
    faulty[0, :, 2] += 500.0
    before, after = linear.model.expectation(NORMAL[:1]), linear.model.expectation(faulty)
    assert after.expected[0, 2] == pytest.approx(before.expected[0, 2])


def test_normal_values_lie_inside_the_band_as_often_as_it_says(nonlinear: Trained) -> None:
    windows = windows_of(two_point_plant(3000, seed=8))
    found = nonlinear.model.expectation(windows)
    inside = (windows[:, -1] >= found.lower) & (windows[:, -1] <= found.upper)
    assert (inside.mean(axis=0) > 0.97).all()


def test_the_reference_scores_zero(linear: Trained, nonlinear: Trained) -> None:
    for model in (linear.model, nonlinear.model):
        assert model.reference.shape == (60, 6)
    assert linear.model.score(linear.model.reference[None])[0] == 0.0


def test_what_is_below_the_smallest_deviation_never_counts() -> None:
    series = linear_plant(1500)

    def fitted(smallest: float) -> HealthModel:
        roles = tuple(Role(f"r{n}", smallest_deviation=smallest if n == 2 else 0.0) for n in range(6))
        quick = NetworkSettings(fit=FitSettings(epochs=0))
        return fit_health(series, roles, quick, lambda _s, _w: None, grid_ns=MINUTE, window_steps=60)[0]

    window = NORMAL[:1].copy()
    window[0, :, 2] = fitted(0.0).expectation(window).expected[0, 2]
    blind = fitted(1e6)
    residuals = blind.residuals(window[0])[8:]
    assert not residuals[:, 2].any()
    assert fitted(0.0).residuals(window[0])[8:, 2].any()


def test_a_nonlinear_expectation_finds_what_linear_statistics_miss(nonlinear: Trained) -> None:
    normal = two_point_plant(6000, seed=21)
    spread = 1.4826 * np.median(np.abs(normal - np.median(normal, axis=0)), axis=0)
    train = two_point_plant(5000)
    ours, found = nonlinear.model.series_distance, {}
    for name, rows in {"ours": ours, **{name: fit(train).rows for name, fit in BASELINES.items()}}.items():
        limit = np.nanquantile(rows(normal), 0.999)
        shares = []
        for number in range(24):
            start = 200 + 200 * number
            fault = InjectedFault("bias", (number % 6,), (0.15,))
            faulty = inject(normal[start : start + 120], 60, fault, spread, number)
            shares.append((rows(faulty)[60:] > limit).mean())
        found[name] = float(np.mean(shares))
    best = max(share for name, share in found.items() if name != "ours")
    assert found["ours"] > best + 0.05

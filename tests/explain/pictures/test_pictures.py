"""Each picture, by what stands in it."""

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tagsight_explain.explanation import Explanation
from tagsight_explain.message import Cause
from tagsight_explain.pictures.canvas import ABNORMAL, PNG, Look
from tagsight_explain.pictures.heat_map import Trends, heat_map
from tagsight_explain.pictures.history import contribution_history
from tagsight_explain.pictures.importance import beeswarm, global_importance
from tagsight_explain.pictures.regimes import importance_by_regime
from tagsight_explain.pictures.scatter import Pairs, scatter
from tagsight_explain.pictures.waterfall import waterfall
from tagsight_explain.pictures.weights import weights
from tagsight_explain.role_time import SLOPES, RoleTime
from tests.explain.pictures.svg import filled, hatched, texts

MINUTE = 60_000_000_000
START = 1_760_000_040_000_000_000 // MINUTE * MINUTE
ROLES = ("PT-101", "FT-101", "TT-107")
BERLIN = Look(timezone=ZoneInfo("Europe/Berlin"))


def explanation(*contributions: float, base: float = 0.1) -> Explanation:
    names = tuple(f"R{number}" for number in range(len(contributions)))
    names = ROLES if len(contributions) == 3 else names
    return Explanation(names, base, np.array(contributions), np.zeros(len(contributions)), 8)


def test_a_waterfall_goes_from_the_normal_score_to_the_score() -> None:
    svg = waterfall(explanation(1.2, 0.5, -0.3), BERLIN)
    said = texts(svg)
    for text in ("PT-101", "+1.20", "+0.50", "-0.30", "0.1", "1.5", "limit", "score when normal"):
        assert text in said, text
    assert filled(svg, ABNORMAL) == 2
    assert hatched(svg) == 1  # what lowers the score is told without colour


def test_a_waterfall_says_what_was_expected() -> None:
    causes = [Cause("PT-101", 4.2, 5.6, 5.4, 5.8, "bar", 62.0)]
    said = texts(waterfall(explanation(1.2, 0.5, -0.3), Look("de"), causes=causes))
    assert "4,20 statt erwartet 5,60 bar" in said
    assert "+1,20" in said


def test_a_waterfall_of_many_roles_adds_up_the_smallest() -> None:
    numbers = np.linspace(1.0, 0.1, 30)
    said = texts(waterfall(explanation(*numbers), BERLIN, most=5))
    assert "26 others" in said
    assert f"+{numbers[4:].sum():.2f}" in said


def test_a_waterfall_of_nothing_is_drawn_too() -> None:
    assert "0" in texts(waterfall(explanation(0.0, 0.0, 0.0, base=0.0), BERLIN))


def trends(steps: int = 20) -> Trends:
    actual = np.random.default_rng(1).normal(size=(steps, 3)) + 5.0
    expected = np.full((steps, 3), 5.0)
    expected[:3] = np.nan  # these steps could not be scored
    times = START + MINUTE * np.arange(steps)
    return Trends(times, actual, expected, expected - 1.0, expected + 1.0, ("bar", "m3/h", ""))


def test_a_heat_map_has_each_role_with_its_trend_and_its_cells() -> None:
    values = np.zeros((20, 3))
    values[10:, 0], values[5:8, 1] = 0.1, -0.05
    svg = heat_map(RoleTime(ROLES, values, SLOPES, np.zeros(3)), trends(), BERLIN)
    said = texts(svg)
    for text in ("PT-101: +1.00", "FT-101: -0.15", "expected", "actual", "normal band", "bar", "m3/h"):
        assert text in said, text
    assert any(text.startswith(("10:", "11:")) for text in said)  # 09:00 UTC in Berlin
    assert hatched(svg) >= 1


def test_a_heat_map_shows_the_leading_roles_only() -> None:
    values = np.zeros((20, 3))
    values[:, 2] = 0.5
    said = texts(heat_map(RoleTime(ROLES, values, SLOPES, np.zeros(3)), trends(), BERLIN, most=1))
    assert any("TT-107" in text for text in said)
    assert not any("PT-101" in text for text in said)


def test_a_history_has_the_limit_and_a_row_for_each_leading_role() -> None:
    times = START + MINUTE * np.arange(50)
    scores = np.where(np.arange(50) > 30, 2.0, 0.2)
    scores[5] = np.nan
    contributions = np.outer(scores, [0.7, 0.3, -0.1])
    contributions[::2] = np.nan  # every other one is explained
    svg = contribution_history(times, scores, contributions, ROLES, BERLIN)
    assert {*ROLES, "limit", "score"} <= set(texts(svg))
    assert ABNORMAL in svg.decode()


def test_a_history_of_normal_scores_has_no_colour_in_its_line() -> None:
    times = START + MINUTE * np.arange(20)
    svg = contribution_history(times, np.full(20, 0.2), np.zeros((20, 3)), ROLES, BERLIN)
    assert f"stroke: {ABNORMAL}" not in svg.decode()


def many(count: int = 40, roles: int = 3) -> tuple[list[Explanation], np.ndarray]:
    random = np.random.default_rng(3)
    numbers = random.normal(size=(count, roles)) * np.linspace(3.0, 1.0, roles)
    return [explanation(*row) for row in numbers], random.normal(size=(count, roles))


def test_global_importance_has_the_mean_sizes() -> None:
    found, actual = many()
    said = texts(global_importance(found, actual, Look("de")))
    sizes = np.abs([one.contributions for one in found]).mean(axis=0)
    for role, size in zip(ROLES, sizes, strict=True):
        assert said.count(role) == 1
        assert f"{size:.2f}".rstrip("0").replace(".", ",") in said
    assert "mittlere Größe des Beitrags, 40 Kennwerte" in said


def test_a_beeswarm_has_a_point_for_each_score_and_role() -> None:
    found, actual = many(25)
    svg = beeswarm(found, actual, BERLIN)
    assert {*ROLES, "low", "high"} <= set(texts(svg))
    assert svg.decode().count("<use ") >= 75


def test_a_beeswarm_is_the_same_each_time_and_leaves_the_generator_of_others_alone() -> None:
    found, actual = many()
    np.random.seed(5)  # noqa: NPY002  # the generator that shap uses
    expected = np.random.random()  # noqa: NPY002  # as above
    np.random.seed(5)  # noqa: NPY002  # as above
    assert beeswarm(found, actual, BERLIN) == beeswarm(found, actual, BERLIN)
    assert np.random.random() == expected  # noqa: NPY002  # as above


def test_many_roles_are_added_up_in_pictures_of_a_period() -> None:
    found, actual = many(roles=30)
    assert "21 others" in texts(global_importance(found, actual, BERLIN, most=10))
    assert "21 others" in texts(beeswarm(found, actual, BERLIN, most=10))


def pairs(roles: int) -> Pairs:
    random = np.random.default_rng(2)
    expected = random.normal(size=(30, roles))
    actual = expected + random.normal(size=(30, roles)) * np.linspace(0.01, 1.0, roles)
    names = tuple(f"R{number}" for number in range(roles))
    inside = (np.abs(actual - expected) < 1.0).astype(float)
    return Pairs(names, ("bar",) * roles, actual, expected, inside)


def test_a_scatter_has_a_panel_for_each_role_and_marks_what_is_outside() -> None:
    svg = scatter(pairs(3), BERLIN)
    assert {"R0 [bar]", "R1 [bar]", "R2 [bar]"} <= set(texts(svg))
    assert f"stroke: {ABNORMAL}" in svg.decode()


def test_a_scatter_of_many_roles_shows_the_worst() -> None:
    said = texts(scatter(pairs(40), BERLIN))
    assert any("12 of 40 inputs" in text for text in said)
    assert "R39 [bar]" in said
    assert "R0 [bar]" not in said


def test_importance_by_regime_has_a_panel_for_each() -> None:
    said = texts(importance_by_regime({"1": np.array([1.0, 2.0, 3.0]), "2": np.ones(3)}, ROLES, BERLIN))
    assert {"regime 1", "regime 2", *ROLES} <= set(said)


def test_weights_say_how_many_and_how_many_are_zero() -> None:
    said = texts(weights({"network.first": np.array([0.0, 0.0, 1.0, -1.0])}, BERLIN))
    assert "network.first" in said
    assert "4 weights, 50 % are 0" in said


@pytest.mark.parametrize("value", [1e-300, 1e12])
def test_contributions_of_any_size_can_be_drawn(value: float) -> None:
    found = explanation(value, -value, 2.0 * value)
    assert waterfall(found, Look(form=PNG)).startswith(b"\x89PNG")

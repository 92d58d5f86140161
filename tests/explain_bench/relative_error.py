"""How far sampled contributions are from those of 400 permutations, at the default budget."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from tagsight_explain.explainers import explain_many
from tagsight_explain.explanation import Explanation
from tagsight_explain.settings import CONDITIONAL, REFERENCE, Absent, ExplainSettings
from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.health_methods import SECOND
from tests.accuracy.result import Result, Suite
from tests.explain_bench.cases import learned
from tests.explain_bench.games import Game, game_of
from tests.explain_bench.network_models import STEPS, Forecast, coupled_series, faulty_windows

WINDOWS: Final = 4
REFERENCE_ORDERS: Final = 400
NETWORKS: Final = ("mlp", "tcn", "gru")
LEARNED: Final = 3000


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """The first seed alone: four windows of each model tell enough."""
    return list(_results(seeds[0]))


def _results(seed: int) -> Iterator[Result]:
    series = coupled_series(LEARNED, seed)
    windows = faulty_windows(series, WINDOWS, seed)
    for name in NETWORKS:
        model = Forecast(name, series, seed)
        yield measured(model, name, REFERENCE, windows)
    health = health_model(series, seed)
    yield measured(health, "health model", CONDITIONAL, windows)


def health_model(series: Floats, seed: int) -> Any:
    """The product's, of the same roles."""
    names = [f"role{number:02d}" for number in range(series.shape[1])]
    return learned(series, names, 60 * SECOND, seed).model


def measured(model: Any, name: str, absent: Absent, windows: Floats, orders: int = REFERENCE_ORDERS) -> Result:
    """Errors of every window."""
    found = explained(model, windows, absent)
    exact = [
        permuted(game_of(model, window, conditional=absent == CONDITIONAL), windows.shape[2], orders)
        for window in windows
    ]
    errors = [relative(one.contributions, truth) for one, truth in zip(found, exact, strict=True)]
    metrics = {
        "mean relative error": [float(np.mean(errors))],
        "largest": [float(np.max(errors))],
        "evaluations": [float(np.mean([one.evaluations for one in found]))],
        "error that it states": [float(np.mean([_stated(one) for one in found]))],
    }
    return Result(f"20 roles x {STEPS} steps", f"{name}, absent roles {absent}", True, metrics)


def explained(
    model: Any, windows: Floats, absent: Absent, settings: ExplainSettings | None = None
) -> list[Explanation]:
    """At the default budget of evaluations; time is not bounded, so that a busy machine changes no figure."""
    chosen = ExplainSettings(seconds=600.0, absent=absent) if settings is None else settings
    found = explain_many(model, windows, model.score(windows), chosen, time.monotonic)
    assert not any(one.failure for one in found), found[0].failure
    return found


def permuted(game: Game, roles: int, orders: int = REFERENCE_ORDERS, seed: int = 12345) -> Floats:
    """Mean gains over random orders, each with its reverse, by the plainest code."""
    random, total = np.random.default_rng(seed), np.zeros(roles)
    for _ in range(orders // 2):
        forward = random.permutation(roles)
        for order in (forward, forward[::-1]):
            coalitions = np.zeros((roles + 1, roles), dtype=np.bool_)
            for joined in range(roles):
                coalitions[joined + 1 :, order[joined]] = True
            total[order] += np.diff(game(coalitions))
    return total / (2 * (orders // 2))


def relative(found: Floats, truth: Floats) -> float:
    """Of the Euclidean norm."""
    return float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def _stated(one: Explanation) -> float:
    return float(np.linalg.norm(one.standard_error) / np.linalg.norm(one.contributions))


SUITE: Final = Suite(
    name="relative-error",
    job="Error of sampled contributions",
    protocol=(
        f"Twenty coupled roles, windows of {STEPS} steps with one to four roles shifted. Three networks that forecast "
        "the newest steps (their residual is the score), and a health model as `tagsight train` makes it. Error: "
        f"Euclidean distance to the mean of {REFERENCE_ORDERS} permutations (each order with its reverse) by the "
        "plainest code, over the norm of that; its own sampling error is part of what is shown."
    ),
    needs=(),
    run=run,
    aims={"mean relative error": "<= 0.10"},
)

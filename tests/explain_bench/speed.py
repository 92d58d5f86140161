"""Time to the same relative error: ours, shap and shapiq on the same model and windows, in one process."""

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from typing import Any, Final

import numpy as np
import torch

from tagsight_explain.settings import CONDITIONAL, REFERENCE, Absent, ExplainSettings
from tagsight_models.frame import Floats
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite
from tests.explain_bench.games import SAMPLERS, game_of, shap_values, shapiq_values
from tests.explain_bench.network_models import Forecast, coupled_series, faulty_windows
from tests.explain_bench.relative_error import explained, health_model, permuted, relative

WINDOWS: Final = 4
ORDERS: Final = 400
REPEATS: Final = 2
BUDGETS: Final = (100, 200, 400, 800, 1600)
OURS: Final = "TagSight"
FEW: Final = 10
"""Roles of the comparison of exact computations."""


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """The first seed alone."""
    return list(_results(seeds[0]))


def _results(seed: int) -> Iterator[Result]:
    series = coupled_series(3000, seed)
    windows = faulty_windows(series, WINDOWS, seed)
    health = health_model(series, seed)
    yield from sampled(health, "health model, 20 roles", CONDITIONAL, windows)
    tcn = Forecast("tcn", series, seed)
    yield from sampled(tcn, "tcn, 20 roles", REFERENCE, windows[: WINDOWS // 2])
    yield gradients(tcn, windows[: WINDOWS // 2])
    few = coupled_series(3000, seed, FEW)
    yield from exact(health_model(few, seed), faulty_windows(few, WINDOWS, seed))


def sampled(model: Any, name: str, absent: Absent, windows: Floats) -> Iterator[Result]:
    """Ours at three errors, and what the others take for the same."""
    roles = windows.shape[2]
    games = [game_of(model, window, conditional=absent == CONDITIONAL) for window in windows]
    truth = [permuted(game, roles, ORDERS) for game in games]
    curves = {
        method: [_point(_each(sampler, games, roles, budget), truth) for budget in BUDGETS]
        for method, sampler in SAMPLERS.items()
    }
    for wanted in (0.1, 0.05):
        settings = ExplainSettings(seconds=600.0, absent=absent, relative_error=wanted)
        ours = _point(_ours(model, windows, absent, settings), truth)
        data = f"{name}: time to a relative error of {ours[1]:.3f}"
        taken = {method: _time_to(ours[1], curve) for method, curve in curves.items()}
        yield Result(data, OURS, True, {"ms a window": [ours[0]], "times as long as ours": [1.0]})
        for method, (milliseconds, note) in sorted(taken.items(), key=lambda one: one[1][0]):
            metrics = {"ms a window": [milliseconds], "times as long as ours": [milliseconds / ours[0]]}
            yield Result(data, method, False, metrics, note)


def exact(model: Any, windows: Floats) -> Iterator[Result]:
    """All coalitions of few roles."""
    roles, data = windows.shape[2], f"health model, {windows.shape[2]} roles: exact"
    games = [game_of(model, window, conditional=True) for window in windows]
    settings = ExplainSettings(seconds=600.0, absent=CONDITIONAL)
    ours, found = _best(_ours(model, windows, CONDITIONAL, settings), len(windows))
    others = {
        "shap Exact": lambda: [shap_values("exact", game, roles, 0) for game in games],
        "shapiq exact": lambda: [shapiq_values("exact", game, roles, 0) for game in games],
    }
    yield Result(data, OURS, True, {"ms a window": [ours], "times as long as ours": [1.0]})
    for method, run_all in others.items():
        taken, values = _best(run_all, len(windows))
        apart = max(relative(one, other) for one, other in zip(found, values, strict=True))
        metrics = {"ms a window": [taken], "times as long as ours": [taken / ours]}
        yield Result(data, method, False, metrics, f"largest relative difference to ours {apart:.1e}")


def gradients(model: Forecast, windows: Floats) -> Result:
    """`shap.GradientExplainer`: expected gradients from the reference, which is another game."""
    import shap

    roles = windows.shape[2]
    truth = [permuted(game_of(model, window, conditional=False), roles, ORDERS) for window in windows]
    background = torch.as_tensor(model.standardised(model.reference[None])).float()
    explainer = shap.GradientExplainer(deepcopy(model.module()).float(), background)
    seen = torch.as_tensor(model.standardised(windows)).float()

    def run_all() -> list[Floats]:
        return [
            np.asarray(explainer.shap_values(one[None], nsamples=200)).reshape(-1, roles).sum(axis=0) for one in seen
        ]

    taken, found = _best(run_all, len(windows))
    error = float(np.mean([relative(one, other) for one, other in zip(found, truth, strict=True)]))
    metrics = {"ms a window": [taken], "relative error": [error]}
    return Result(
        "tcn, 20 roles: gradients", "shap Gradient", False, metrics, "200 samples; it does not get nearer with more"
    )


def _ours(model: Any, windows: Floats, absent: Absent, settings: ExplainSettings) -> Callable[[], list[Floats]]:
    return lambda: [one.contributions for one in explained(model, windows, absent, settings)]


def _each(sampler: Any, games: Sequence[Any], roles: int, budget: int) -> Callable[[], list[Floats]]:
    return lambda: [sampler(game, roles, budget) for game in games]


def _point(run_all: Callable[[], list[Floats]], truth: Sequence[Floats]) -> tuple[float, float]:
    """(ms a window, mean relative error)."""
    taken, found = _best(run_all, len(truth))
    return taken, float(np.mean([relative(one, other) for one, other in zip(found, truth, strict=True)]))


def _best(run_all: Callable[[], list[Floats]], count: int) -> tuple[float, list[Floats]]:
    """The shortest of some runs, ms a window."""
    taken, found = [], []
    for _ in range(REPEATS):
        started = time.perf_counter()
        found = run_all()
        taken.append(1000.0 * (time.perf_counter() - started) / count)
    return min(taken), found


def _time_to(error: float, curve: Sequence[tuple[float, float]]) -> tuple[float, str]:
    """On the line through the points in logarithms; beyond the last by the root law of sampling."""
    good = [number for number, (_, found) in enumerate(curve) if found <= error]
    if not good:
        taken, found = min(curve, key=lambda one: one[1])
        return taken * (found / error) ** 2, f"extrapolated from error {found:.3f} in {taken:.1f} ms"
    after = good[0]
    if after == 0:
        return curve[0][0], f"error {curve[0][1]:.3f} at its smallest budget"
    (before_ms, before), (after_ms, found) = curve[after - 1], curve[after]
    if before_ms >= after_ms or before <= found:
        return after_ms, ""
    share = np.log(before / error) / np.log(before / found)
    return float(np.exp(np.log(before_ms) + share * np.log(after_ms / before_ms))), ""


SUITE: Final = Suite(
    name="speed",
    job="Time of explanations",
    protocol=(
        f"One process, two threads, the same model, value function and {WINDOWS} windows for all; the best of "
        f"{REPEATS} runs. The others call the model in batches of 256 masked windows. Each is run at 100 to 1600 "
        "evaluations, and its time to our error is read off between them. Errors as in relative-error."
    ),
    needs=(),
    run=run,
    aims={"times as long as ours": ">= 10"},
)

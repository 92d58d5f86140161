"""Exact contributions against `shap.ExactExplainer` and shapiq's exact computation, under the same value function."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from tagsight_explain.absence import absence
from tagsight_explain.explainers import explain_many
from tagsight_explain.settings import CONDITIONAL, NORMAL, REFERENCE, Absent, ExplainSettings
from tagsight_models.frame import Floats
from tagsight_models.scoring_model import ConditionalModel
from tests.accuracy.data_folder import DataFolder
from tests.accuracy.result import Result, Suite
from tests.explain.doubles import NumpyModel, small
from tests.explain.trained_jobs import JOBS, windows_near
from tests.explain_bench.games import Game, shap_values, shapiq_values

WINDOWS: Final = 3
ABSENT: Final[tuple[Absent, ...]] = (REFERENCE, NORMAL, CONDITIONAL)


def run(_data: DataFolder, seeds: Sequence[int]) -> list[Result]:
    """All jobs, all value functions; then small random models in double and single precision."""
    return [*_jobs(seeds[0]), *_random(seeds)]


def _jobs(seed: int) -> Iterator[Result]:
    for job, trained in JOBS.items():
        model = trained()
        windows = windows_near(model, WINDOWS, seed)
        for absent in ABSENT:
            apart = differences(model, windows, absent, windows_near(model, 5, seed + 1))
            yield Result("Small models of all jobs", f"{job}, absent roles {absent}", True, apart)


def _random(seeds: Sequence[int]) -> Iterator[Result]:
    for dtype in (np.float64, np.float32):
        apart = [_of_random(seed, dtype) for seed in seeds]
        metrics = {name: [max(one[name][0] for one in apart)] for name in apart[0]}
        yield Result("Random networks of 8 roles", f"computed in {np.dtype(dtype).name}", True, metrics)


def _of_random(seed: int, dtype: Any) -> dict[str, list[float]]:
    model = small(seed, 8)
    inner = model.function
    rounded = NumpyModel(lambda windows: inner(windows.astype(dtype)).astype(dtype).astype(np.float64), model.reference)
    windows = np.random.default_rng(seed).normal(size=(WINDOWS, 3, 8)) * 2.0
    return differences(rounded, windows, REFERENCE, None)


def differences(model: Any, windows: Floats, absent: Absent, normal: Floats | None) -> dict[str, list[float]]:
    """Largest difference of a contribution, in shares of the larger of score and 1."""
    scores, settings = model.score(windows), ExplainSettings(seconds=600.0, absent=absent, at_most_evaluations=2**20)
    ours = explain_many(model, windows, scores, settings, time.monotonic, normal=normal)
    apart: dict[str, list[float]] = {"to shap.ExactExplainer": [0.0], "to shapiq's exact": [0.0], "sum to score": [0.0]}
    for window, score, one in zip(windows, scores, ours, strict=True):
        assert not one.failure, one.failure
        game, scale, roles = _game(model, window, absent, normal), max(1.0, abs(float(score))), windows.shape[2]
        theirs = {
            "to shap.ExactExplainer": shap_values("exact", game, roles, 0),
            "to shapiq's exact": shapiq_values("exact", game, roles, 0),
        }
        for name, values in theirs.items():
            apart[name][0] = max(apart[name][0], float(np.abs(values - one.contributions).max()) / scale)
        apart["sum to score"][0] = max(apart["sum to score"][0], abs(one.total - float(score)) / scale)
    return apart


def _game(model: Any, window: Floats, absent: Absent, normal: Floats | None) -> Game:
    """Plain for (a), (b) and models that tell what they expect; else the formula of the package, one at a time."""
    reference = np.asarray(model.reference)
    if absent == REFERENCE:
        return lambda present: model.score(np.where(present[:, None, :], window, reference))
    if absent == NORMAL and normal is not None:
        return lambda present: np.mean(
            [model.score(np.where(present[:, None, :], window, one)) for one in normal], axis=0
        )
    if isinstance(model, ConditionalModel):
        return lambda present: model.score(model.given(np.broadcast_to(window, (len(present), *window.shape)), present))
    chosen = absence(model, absent, normal)
    return lambda present: np.concatenate([chosen.of_window(window, one[None]) for one in np.asarray(present)])


SUITE: Final = Suite(
    name="equality",
    job="Equality with exact computations",
    protocol=(
        "Small models of all five jobs, trained, and random networks, in double and in single precision. Each value "
        "function is written once more for `shap.ExactExplainer` and `shapiq.ExactComputer`. The largest difference of "
        "a contribution over all roles and windows, in shares of the score (of 1 where it is smaller). A health model "
        "scores many coalitions at once in an arithmetic of its own, parts of it in single precision."
    ),
    needs=(),
    run=run,
    aims={"to shap.ExactExplainer": "1e-8; single precision 1e-5", "to shapiq's exact": "1e-8; single precision 1e-5"},
)

# a benchmark prints
"""Time and error of explanations: ours against shap's permutations at equal error, as ratios of one run.

    python -m tests.benchmarks.explanations

Models: temporal convolutions in NumPy, 20 roles x 60 steps, three statistics of their residuals. Error: Euclidean norm
of the difference to a reference of 400 permutations of another seed, relative to the norm of the reference.
"""

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from tagsight_explain.explainers import explain, explain_many
from tagsight_explain.permutation import sampled
from tagsight_explain.settings import ExplainSettings
from tagsight_explain.shap_explainers import RoleMasker, _shap
from tagsight_models.frame import Floats
from tests.explain.doubles import NumpyModel, faulty, residual

WINDOWS = 8
SHAP_PERMUTATIONS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 48, 64)


def reference(model: NumpyModel, window: Floats) -> Floats:
    """200 pairs, that is 400 permutations, however small the error is before."""
    found = []
    for seed in range(50):
        algorithm = sampled(window.shape[1], 2 + 4 * 2 * (window.shape[1] - 1), 10_000 + seed)
        coalitions = next(algorithm)
        while True:
            try:
                coalitions = algorithm.send(model.score(np.where(coalitions[:, None], window, model.reference)))
            except StopIteration as end:
                found.append(end.value.contributions)
                break
    return np.mean(found, axis=0)


def timed(compute: Callable[[], Floats], truth: Floats, repeats: int = 3) -> tuple[float, float]:
    """Best milliseconds, and relative error."""
    durations = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = compute()
        durations.append(1e3 * (time.perf_counter() - start))
    return min(durations), float(np.linalg.norm(found - truth) / np.linalg.norm(truth))


def by_shap(model: NumpyModel, window: Floats, permutations: int, seed: int) -> Floats:
    """The library as one would use it: its own masking of the window, its largest batches."""
    roles = window.shape[1]

    def score(rows: Floats) -> Floats:
        return model.score(np.where(rows[:, None, :] > 0.5, window, model.reference))

    explainer = _shap().PermutationExplainer(score, RoleMasker(roles), seed=seed)
    found = explainer(np.ones((1, roles)), max_evals=permutations * (2 * roles + 1), batch_size=4096, silent=True)
    return np.asarray(found.values[0])


def compare(kind: str) -> None:
    """Print ours, then the first setting of shap whose mean error is not larger."""
    cases = [(residual(seed, kind=kind), faulty(seed)) for seed in range(WINDOWS)]
    truths = [reference(model, window) for model, window in cases]
    settings = ExplainSettings(seconds=60.0)

    def ours(model: NumpyModel, window: Floats) -> Floats:
        return explain(model, window, float(model.score(window[None])[0]), settings, time.monotonic).contributions

    fast = np.array([timed(partial(ours, *case), truth) for case, truth in zip(cases, truths, strict=True)])
    print(f"{kind:8} fast: {fast[:, 0].mean():6.2f} ms, error {fast[:, 1].mean():.3f} (largest {fast[:, 1].max():.3f})")
    for permutations in SHAP_PERMUTATIONS:
        duration, error = np.mean(
            [
                timed(partial(by_shap, *case, permutations, seed), truth)
                for seed, (case, truth) in enumerate(zip(cases, truths, strict=True))
            ],
            axis=0,
        )
        print(f"{'':8} shap x {permutations:2}: {duration:6.2f} ms, error {error:.3f}")
        if error <= fast[:, 1].mean():
            print(f"{'':8} ratio at equal error: {duration / fast[:, 0].mean():.1f}")
            return


def exact(roles: int, windows: int) -> None:
    """Exact values of many windows of one model."""
    model = residual(0, roles)
    many = np.stack([faulty(seed, roles) for seed in range(windows)])
    start = time.perf_counter()
    found = explain_many(model, many, model.score(many), ExplainSettings(seconds=60.0), time.monotonic)
    duration = 1e3 * (time.perf_counter() - start) / windows
    print(f"exact, {roles} roles, {found[0].evaluations} evaluations: {duration:.1f} ms a window")


def main() -> None:
    """Print everything."""
    model, window = residual(0), faulty(0)
    by_shap(model, window, 1, 0)  # numba compiles
    start = time.perf_counter()
    for _ in range(20):
        model.score(np.repeat(window[None], 50, axis=0))
    print(f"the model: {1e6 * (time.perf_counter() - start) / 1000:.1f} us a window in batches of 50")
    for kind in ("square", "root", "largest"):
        compare(kind)
    for roles in (6, 10):
        exact(roles, 20)


if __name__ == "__main__":
    main()

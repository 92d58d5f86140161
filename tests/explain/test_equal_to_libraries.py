"""Our exact contributions are those of shap and shapiq under the same value function, for the models of all jobs."""

import time

import numpy as np
import pytest

from tagsight_explain.explainers import explain_many
from tagsight_explain.settings import CONDITIONAL, NORMAL, REFERENCE, Absent, ExplainSettings
from tests.explain.doubles import NumpyModel, small
from tests.explain.trained_jobs import JOBS, windows_near
from tests.explain_bench.equality import differences

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning", "ignore:.*:PendingDeprecationWarning")

DOUBLE, SINGLE = 1e-8, 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("absent", [REFERENCE, NORMAL, CONDITIONAL])
@pytest.mark.parametrize("job", JOBS)
def test_contributions_of_every_job_are_those_of_shap_and_shapiq(job: str, absent: Absent) -> None:
    model = JOBS[job]()
    apart = differences(model, windows_near(model, 2, 3), absent, windows_near(model, 3, 4))
    # what scores coalitions of a health model at once computes in part in single precision
    allowed = SINGLE if job == "health" and absent != NORMAL else DOUBLE
    assert max(value for values in apart.values() for value in values) < allowed, apart


@pytest.mark.parametrize(("dtype", "allowed"), [(np.float64, DOUBLE), (np.float32, SINGLE)], ids=["double", "single"])
def test_contributions_of_random_networks_are_those_of_shap_and_shapiq(dtype: type, allowed: float) -> None:
    model = small(5, 7)
    inner = model.function
    rounded = NumpyModel(lambda windows: inner(windows.astype(dtype)).astype(np.float64), model.reference)
    apart = differences(rounded, np.random.default_rng(0).normal(size=(2, 3, 7)), REFERENCE, None)
    assert max(value for values in apart.values() for value in values) < allowed, apart


@pytest.mark.parametrize("at_most", [4096, 100], ids=["exact", "sampled"])
def test_roles_that_are_alike_in_model_and_window_get_alike(at_most: int) -> None:
    model = NumpyModel(lambda windows: np.abs(windows.sum(axis=2)).mean(axis=1) ** 1.5, np.zeros((4, 9)))
    window = np.repeat(np.random.default_rng(0).normal(size=(1, 4, 3)) + 2.0, 3, axis=2)
    settings = ExplainSettings(at_most_evaluations=at_most)
    found = explain_many(model, window, model.score(window), settings, time.monotonic)[0]
    error = 0.0 if at_most == 4096 else 4.0 * found.standard_error.max()
    for group in np.split(found.contributions, 3):
        assert np.ptp(group) <= 1e-9 + error

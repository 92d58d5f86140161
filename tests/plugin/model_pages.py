"""What holds of the page of every version, and of when in the window its inputs counted."""

import re

import numpy as np

from tagsight.job_scoring import explained_as
from tagsight.looking_back import explanation_of
from tagsight.scoring import Scorer
from tagsight.scoring_task import ScoredRun, StorePlace
from tagsight_explain.role_time import OCCLUSION, RoleTimeSettings, role_time
from tagsight_explain.settings import ExplainSettings
from tagsight_models.model_store import ModelStore


def checked_page(place: StorePlace, name: str, version: int = 1) -> str:
    """The page, after it was found whole: every array in it, nothing from elsewhere."""
    store = ModelStore(place.root, place.key)
    page = store.page(name, version).read_text(encoding="utf-8")
    assert f"<h1>Model {name}, version {version}</h1>" in page
    arrays = store.load(name, version).model.tensors()
    for array in arrays:
        assert f">{array}</td>" in page, array
    assert f"{sum(array.size for array in arrays.values()):,}" in page
    assert store.card(name, version).words().splitlines()[0] in page
    assert "Structure" in page
    assert page.count("<svg") >= 2
    for outside in ("<script", "<img", "@import", "http://", "https://"):
        assert outside not in re.sub(r"http://www\.w3\.org/[\w/.-]*", "", page)
    return page


def checked_time(scorer: Scorer, name: str, scored: ScoredRun) -> None:
    """By occlusion the segments of time add up to the contributions, and something lies in each role that has one."""
    (run,) = scorer.explain(name, [scored], ExplainSettings(seconds=60.0))
    assert scored.window is not None
    whole = explanation_of(run)
    assert not whole.failure
    model = explained_as(scorer.loaded(name).model, run)
    found = role_time(model, scored.window, whole, RoleTimeSettings(orders=8))
    assert found.method == OCCLUSION
    np.testing.assert_allclose(found.values.sum(axis=0), whole.contributions, atol=1e-9)
    leading = int(np.abs(whole.contributions).argmax())
    assert np.ptp(found.values[:, leading]) > 0.0

import numpy as np

from tagsight_models.production.support import Support


def test_what_never_stood_together_is_far_though_each_by_itself_was_seen() -> None:
    along = np.random.default_rng(0).uniform(-2.0, 2.0, 400)
    support = Support.fit(np.stack([along, -(along**2)], axis=1))
    near, far = support.distance(np.array([[1.0, -1.0], [0.0, -3.0]]))
    assert near <= support.limit < far


def test_a_long_history_is_kept_in_bounds() -> None:
    assert len(Support.fit(np.random.default_rng(0).normal(size=(9000, 2))).rows) <= 1500

"""What is handed to shap's plots."""

import numpy as np

from tagsight_explain.explainers import explain_many
from tagsight_explain.settings import ExplainSettings
from tagsight_explain.shap_explainers import to_shap
from tests.explain.doubles import small


def test_an_explanation_of_shap_has_values_base_data_and_names() -> None:
    model = small(0, 4)
    windows = np.random.default_rng(0).normal(size=(5, 3, 4))
    scores = model.function(windows)
    found = to_shap(explain_many(model, windows, scores, ExplainSettings(), lambda: 0.0), windows[:, -1])
    import shap  # after the place that silences its import

    assert isinstance(found, shap.Explanation)
    np.testing.assert_allclose(found.base_values + found.values.sum(axis=1), scores)
    np.testing.assert_array_equal(found.data, windows[:, -1])
    assert found.feature_names == ["role0", "role1", "role2", "role3"]

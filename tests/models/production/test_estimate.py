import numpy as np

from tagsight_models.production.estimate import estimated
from tagsight_models.production.samples import Samples
from tagsight_models.regression.oblivious_trees import TreeSettings
from tagsight_models.regression.regressor import RegressorSettings
from tagsight_models.training import silent

SETTINGS = RegressorSettings(networks=0, trees=TreeSettings(trees=20, depth=2))


def half_width(drift: float) -> float:
    """Of the interval of a target that moves away from its inputs by so much within the year."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(600, 2))
    values = inputs @ np.array([2.0, -1.0]) + 0.2 * random.normal(size=600) + drift * np.linspace(0.0, 1.0, 600)
    samples = Samples(np.arange(600, dtype=np.int64), values, inputs[:, None])
    made = estimated(samples, (0, 1), (1,), SETTINGS, silent)
    assert [part.stop for part in made.crossed.parts] == [300, None]
    return made.half_quantile(0.9) * made.estimate.noise.overall


def test_an_interval_holds_what_changes_between_the_halves_of_the_time() -> None:
    assert half_width(4.0) > 2.0
    assert half_width(4.0) > 3.0 * half_width(0.0)

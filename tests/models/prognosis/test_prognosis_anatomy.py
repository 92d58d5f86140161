import numpy as np

from tagsight_models.frame import Role
from tagsight_models.prognosis.crossing import CrossingModel, Reach
from tagsight_models.prognosis.settings import Crossing
from tagsight_models.prognosis.trained import PrognosisTrained
from tagsight_models.prognosis.trend import Spread
from tests.models.outlines import checked


def test_a_prognosis_is_told_part_by_part(trained: PrognosisTrained) -> None:
    stages = checked(trained.model)
    assert len(next(stage for stage in stages if stage[0].name == "network")) == 4  # members


def test_a_trend_is_told_part_by_part() -> None:
    spread = Spread(np.array([1.0, 10.0]), np.array([-1.0, -2.0]), np.array([1.0, 2.0]))
    model = CrossingModel(Role("T"), Crossing("T", 80.0), spread, 50.0, Reach(24, 12.0, 100.0), grid_ns=10**9)
    assert [block.name for stage in checked(model) for block in stage] == ["window", "line", "interval", "score"]

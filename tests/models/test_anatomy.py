from tagsight_models.anatomy import OUTLINES, learned_weights
from tagsight_models.kinds import KINDS
from tagsight_models.trained import Trained
from tests.models.outlines import checked


def test_every_kind_of_model_has_an_outline() -> None:
    assert OUTLINES.keys() == KINDS.keys()


def test_a_health_model_is_told_part_by_part(linear: Trained) -> None:
    stages = checked(linear.model)
    names = [block.name for stage in stages for block in stage]
    assert names[:2] == ["window", "standardise"]
    assert names[-2:] == ["largest", "score"]
    assert "network.linear" in learned_weights(stages)

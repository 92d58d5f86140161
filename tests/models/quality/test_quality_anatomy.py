from tagsight_models.quality.fit import QualityTrained
from tests.models.outlines import checked


def test_a_soft_sensor_is_told_part_by_part(viscosity: QualityTrained) -> None:
    names = {block.name for stage in checked(viscosity.model) for block in stage}
    assert {"features", "line", "network", "trees", "laboratory"} <= names

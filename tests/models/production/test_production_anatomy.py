from tagsight_models.production.fit import ProductionTrained
from tests.models.outlines import checked


def test_a_model_of_production_is_told_part_by_part(production: ProductionTrained) -> None:
    names = {block.name for stage in checked(production.model) for block in stage}
    assert {"features", "line", "trees"} <= names

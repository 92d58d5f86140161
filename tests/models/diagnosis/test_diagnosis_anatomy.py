from tagsight_models.diagnosis.fit import DiagnosisTrained
from tests.models.outlines import checked


def test_a_diagnosis_is_told_part_by_part(running_machine: DiagnosisTrained) -> None:
    names = {block.name for stage in checked(running_machine.model) for block in stage}
    assert {"features", "forest", "discriminants", "network", "judgement"} <= names


def test_so_is_one_of_two_components(cycling_machine: DiagnosisTrained) -> None:
    names = [block.name for stage in checked(cycling_machine.model) for block in stage]
    assert names.count("judgement") == 2

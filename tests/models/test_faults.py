import numpy as np
import pytest

from tagsight_models.faults import KINDS, InjectedFault, drawn_faults, inject
from tests.models.plants import linear_plant

VALUES = linear_plant(100)
SPREAD = VALUES.std(axis=0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_changes_its_roles_after_its_onset_and_nothing_else(kind: str) -> None:
    faulty = inject(VALUES, 40, InjectedFault(kind, (1, 3), (2.0, -2.0)), SPREAD, 0)
    np.testing.assert_array_equal(faulty[:40], VALUES[:40])
    np.testing.assert_array_equal(faulty[:, [0, 2, 4, 5]], VALUES[:, [0, 2, 4, 5]])
    assert (faulty[41:, [1, 3]] != VALUES[41:, [1, 3]]).all()


def test_a_bias_has_its_size_in_spreads() -> None:
    faulty = inject(VALUES, 40, InjectedFault("bias", (1,), (2.0,)), SPREAD, 0)
    np.testing.assert_allclose(faulty[40:, 1] - VALUES[40:, 1], 2.0 * SPREAD[1])


def test_a_stuck_role_holds_its_last_value() -> None:
    faulty = inject(VALUES, 40, InjectedFault("stuck", (1,), (2.0,)), SPREAD, 0)
    assert (faulty[40:, 1] == VALUES[39, 1]).all()


def test_half_of_the_drawn_faults_move_several_roles_and_all_kinds_come() -> None:
    faults = drawn_faults(np.corrcoef(VALUES.T), 48, (1.0, 2.0, 4.0), 0)
    assert [len(fault.columns) for fault in faults[:4]] == [1, 4, 1, 4]
    assert {fault.kind for fault in faults} == set(KINDS)
    assert faults == drawn_faults(np.corrcoef(VALUES.T), 48, (1.0, 2.0, 4.0), 0)


def test_one_role_alone_can_be_faulty() -> None:
    assert {fault.columns for fault in drawn_faults(np.ones((1, 1)), 8, (1.0,), 0)} == {(0,)}

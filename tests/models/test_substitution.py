from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_models.reasons import Reason
from tagsight_models.substitution import most_replaced, replaceable, why_replaced
from tagsight_models.windows import Windows, windows
from tests.models.plants import frame_of, linear_plant

STEPS = 20


def cut(*marks: tuple[slice, int | slice, Reason]) -> Windows:
    frame = frame_of(linear_plant(60))
    reasons, values = frame.reasons.copy(), frame.values.copy()
    for rows, columns, reason in marks:
        reasons[rows, columns] = reason
        if reason in {Reason.BAD_QUALITY, Reason.GAP}:
            values[rows, columns] = np.nan
    return windows(replace(frame, reasons=reasons, values=values), STEPS)


def test_a_window_that_can_be_scored_needs_no_estimate() -> None:
    assert not replaceable(cut(), 0.2).any()


def test_one_bad_input_is_replaced_in_every_window_that_it_spoils() -> None:
    made = cut((slice(30, 45), 2, Reason.BAD_QUALITY))
    found = replaceable(made, 0.2)
    np.testing.assert_array_equal(found.any(axis=1), ~made.usable)
    assert found[~made.usable][:, 2].all()
    assert not np.delete(found, 2, axis=1).any()
    assert why_replaced(made, int(np.flatnonzero(found[:, 2])[0]), 2) is Reason.BAD_QUALITY


def test_more_roles_than_allowed_are_not_replaced() -> None:
    made = cut((slice(30, 45), slice(0, 2), Reason.GAP))
    assert not replaceable(made, 0.2).any()
    assert replaceable(made, 0.4)[~made.usable][:, :2].all()


@pytest.mark.parametrize("reason", [Reason.NOT_RUNNING, Reason.STARTING, Reason.EXCLUDED, Reason.CONDITION_UNKNOWN])
def test_nothing_is_replaced_where_the_machine_is_the_reason(reason: Reason) -> None:
    made = cut((slice(30, 32), slice(None), reason), (slice(30, 60), 2, Reason.BAD_QUALITY))
    assert not replaceable(made, 0.2)[11:32].any()


def test_a_flat_line_that_ended_is_named_as_long_as_it_is_in_the_window() -> None:
    made = cut((slice(30, 40), 4, Reason.FLAT_LINE))
    found = replaceable(made, 0.2)
    assert found[-2, 4]
    assert why_replaced(made, len(made) - 2, 4) is Reason.FLAT_LINE


@given(st.floats(0.0, 1.0), st.integers(1, 60))
def test_never_more_than_the_share_but_one_where_any_is_allowed(share: float, roles: int) -> None:
    found = most_replaced(share, roles)
    assert found <= max(1.0, share * roles)
    assert (found == 0) == (share == 0.0 or roles < 3)

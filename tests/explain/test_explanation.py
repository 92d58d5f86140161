"""Shares of an explanation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tagsight_explain.explanation import Explanation


def of(contributions: list[float]) -> Explanation:
    values = np.array(contributions)
    return Explanation(tuple(map(str, range(len(values)))), 0.0, values, values * 0, 0)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_shares_add_up_to_a_hundred_or_to_nothing(contributions: list[float]) -> None:
    shares = of(contributions).shares()
    assert (shares >= 0).all()
    assert shares.sum() == pytest.approx(100.0 if max(contributions) > 0 else 0.0)


def test_what_lowers_the_score_has_no_share() -> None:
    assert of([3.0, -5.0, 1.0]).shares() == pytest.approx([75.0, 0.0, 25.0])


def test_missing_contributions_have_no_share() -> None:
    assert of([np.nan, np.nan]).shares().tolist() == [0.0, 0.0]

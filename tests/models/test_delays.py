"""Alarms are found stretch by stretch; what they are is said score by score."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tagsight_models.delays import Activation, Delays, activations
from tagsight_models.frame import Floats, Times


def one_by_one(times: Times, scores: Floats, limit: float, delays: Delays) -> list[Activation]:
    """As an operator would watch it."""
    found: list[Activation] = []
    above_since: int | None = None
    below_since: int | None = None
    for time, score in zip(times.tolist(), scores.tolist(), strict=True):
        active = bool(found) and found[-1].cleared_ns is None
        above_since = None if not score > limit else time if above_since is None else above_since
        below_since = None if not score <= limit else time if below_since is None else below_since
        if not active and above_since is not None and time - above_since >= delays.on_ns:
            found.append(Activation(above_since, time, None))
        elif active and below_since is not None and time - below_since >= delays.off_ns:
            found[-1] = Activation(found[-1].since_ns, found[-1].announced_ns, time)
    return found


SCORES = st.lists(st.tuples(st.integers(1, 4), st.sampled_from([0.0, 1.0, 2.0, float("nan")])), max_size=30)


@settings(max_examples=300, deadline=None)
@given(SCORES, st.integers(0, 6), st.integers(0, 6))
def test_alarms_are_those_of_watching_score_by_score(scores: list[tuple[int, float]], on_ns: int, off_ns: int) -> None:
    times = np.cumsum([step for step, _ in scores], dtype=np.int64)
    values = np.array([score for _, score in scores], dtype=np.float64)
    delays = Delays(on_ns, off_ns)
    assert activations(times, values, 1.0, delays) == one_by_one(times, values, 1.0, delays)

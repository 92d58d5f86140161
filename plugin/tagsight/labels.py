"""What somebody said of periods of the past, from every source that the configuration names. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tagsight.job_plans import LabelsPlan
from tagsight.judged_alarms import JudgedAlarm, Verdict
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import Quality, qualities_of
from tagsight_models.training_data import NORMAL, LabelledPeriod

FAULT = "fault"
"""The label of an alarm that an operator called true."""


def labelled_periods(
    plan: LabelsPlan, told: TagHistory | None, alarms: Sequence[JudgedAlarm], end_ns: int
) -> tuple[LabelledPeriod, ...]:
    """Of the file, of the tag and of the operators, in the order of time.

    Args:
        plan: which sources count.
        told: history of the tag that tells, None where there is none.
        alarms: of the model, with what operators said of them; maintenance says nothing of the machine before it.
        end_ns: of the training: the last value of the tag holds until then.
    """
    found = [LabelledPeriod(one.start_ns, one.end_ns, one.label, one.component) for one in plan.periods]
    if told is not None:
        found += periods_of_states(told, plan.names, end_ns)
    if plan.feedback:
        said = {Verdict.TRUE: FAULT, Verdict.FALSE: plan.normal.get("", NORMAL)}
        judged = [one for one in alarms if one.verdict in said and one.since_ns < one.until_ns]
        found += [LabelledPeriod(one.since_ns, one.until_ns, said[one.verdict]) for one in judged]
    return tuple(sorted(found, key=lambda one: (one.start_ns, one.end_ns, one.component, one.label)))


def periods_of_states(told: TagHistory, names: Mapping[str, str], end_ns: int) -> Iterator[LabelledPeriod]:
    """A value holds until the next one; one that is Bad or has no name has no label."""
    bad = qualities_of(told.status) == Quality.BAD
    said = ["" if bad[n] else names.get(_text(value), "") for n, value in enumerate(told.values)]
    changes = [n for n in range(len(said)) if n == 0 or said[n] != said[n - 1]]
    ends = [*(int(told.times[n]) for n in changes[1:]), end_ns]
    for n, until in zip(changes, ends[: len(changes)], strict=True):
        start = int(told.times[n])
        if said[n] and start < until:
            yield LabelledPeriod(start, until, said[n])


def _text(value: Any) -> str:
    """As the configuration writes it: 3.0 is "3", True is "1"."""
    if isinstance(value, bool | np.bool_):
        return str(int(value))
    if isinstance(value, int | float | np.number):
        return f"{float(value):g}"
    return str(value)

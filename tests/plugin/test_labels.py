"""Labels from a table, from a tag and from operators; alarms that a model must not learn from."""

from pathlib import Path

import numpy as np

from tagsight.clocks import SetClock
from tagsight.job_plans import LabelsPlan, NamedPeriod
from tagsight.judged_alarms import JudgedAlarm, Verdict, judged_alarms, kept_out
from tagsight.labels import labelled_periods, periods_of_states
from tagsight.ledger.ledger import Ledger
from tagsight.ledger.records import Activation, OperatorAct, TickRecord
from tagsight_connectors.history import TagHistory
from tagsight_connectors.quality import BAD, GOOD
from tagsight_models.training_data import LabelledPeriod

NAMES = {"0": "normal", "1": "bearing", "OPEN": "valve"}


def told(times: list[int], values: list[object], status: list[int] | None = None) -> TagHistory:
    array = np.array(values, dtype=object if any(isinstance(one, str) for one in values) else np.float64)
    found = status or [GOOD] * len(times)
    return TagHistory(np.array(times, dtype=np.int64), array, np.array(found, dtype=np.uint32))


def test_a_state_holds_until_the_next_one_and_the_last_one_until_the_end() -> None:
    found = list(periods_of_states(told([10, 20, 30, 40], [0.0, 0.0, 1.0, 0.0]), NAMES, 50))
    assert found == [
        LabelledPeriod(10, 30, "normal"),
        LabelledPeriod(30, 40, "bearing"),
        LabelledPeriod(40, 50, "normal"),
    ]


def test_a_bad_value_or_one_without_a_name_ends_the_label_before_it_and_has_none() -> None:
    history = told([10, 20, 30, 40], [1.0, 7.0, 1.0, 1.0], [GOOD, GOOD, GOOD, BAD])
    assert list(periods_of_states(history, NAMES, 50)) == [
        LabelledPeriod(10, 20, "bearing"),
        LabelledPeriod(30, 40, "bearing"),
    ]


def test_states_in_words_are_labels_too() -> None:
    assert list(periods_of_states(told([10], ["OPEN"]), NAMES, 50)) == [LabelledPeriod(10, 50, "valve")]


def test_an_empty_history_tells_nothing() -> None:
    assert list(periods_of_states(told([], []), NAMES, 50)) == []


def test_a_false_alarm_is_labelled_as_the_machine_without_a_fault_is() -> None:
    plan = LabelsPlan(feedback=True, normal={"": "ok"})
    (found,) = labelled_periods(plan, None, (JudgedAlarm(15, 18, Verdict.FALSE),), 22)
    assert found.label == "ok"


def test_all_sources_are_joined_in_the_order_of_time() -> None:
    plan = LabelsPlan((NamedPeriod(30, 40, "bearing", "pump"),), "Code", NAMES, feedback=True)
    alarms = (JudgedAlarm(5, 8, Verdict.TRUE), JudgedAlarm(15, 18, Verdict.FALSE), JudgedAlarm(25, 28))
    found = labelled_periods(plan, told([20], [1.0]), alarms, 22)
    assert [(one.start_ns, one.end_ns, one.label) for one in found] == [
        (5, 8, "fault"),
        (15, 18, "normal"),
        (20, 22, "bearing"),
        (30, 40, "bearing"),
    ]


def test_what_operators_said_counts_only_where_the_configuration_says_so() -> None:
    assert labelled_periods(LabelsPlan(), None, (JudgedAlarm(5, 8, Verdict.TRUE),), 10) == ()


def test_a_model_must_not_learn_from_alarms_but_those_called_false() -> None:
    alarms = [JudgedAlarm(n, n + 1, verdict) for n, verdict in enumerate(Verdict)]
    out = kept_out(alarms)
    assert [one.start_ns for one in out] == [Verdict.NONE, Verdict.TRUE, Verdict.MAINTENANCE]
    assert all(one.reason for one in out)


def test_an_alarm_that_is_active_counts_to_the_end_and_the_newest_word_on_it_counts(tmp_path: Path) -> None:
    with Ledger.open(tmp_path / "ledger.sqlite", SetClock(100)) as ledger:
        active = Activation("P101/Health", since_ns=10, announced_ns=20)
        ledger.record(TickRecord(activations=(active,)))
        assert judged_alarms(ledger, "P101/Health", 0, 50) == (JudgedAlarm(10, 50),)
        said = [OperatorAct(f"e{n}", "P101/Health", "anna", 30 + n, feedback=word) for n, word in enumerate((2, 1))]
        ledger.act(said)
        assert judged_alarms(ledger, "P101/Health", 0, 50) == (JudgedAlarm(10, 50, Verdict.TRUE),)
        assert judged_alarms(ledger, "P102/Health", 0, 50) == ()

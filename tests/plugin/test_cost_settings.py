"""`alarm: {cost: ...}`: from the file to the training."""

from dataclasses import replace
from pathlib import Path

import pytest

from tagsight.configuration import Checked, check_text
from tagsight.fitting import _settings
from tagsight.judged_alarms import JudgedAlarm, Verdict
from tagsight.plan import AlarmPlan, CostPlan
from tagsight.summary import summary
from tagsight.training import _labels
from tagsight_connectors.history import Span
from tagsight_models.cost import Cost
from tagsight_models.training_data import LabelledPeriod
from tests.plugin.small_site import MINUTE, plan_of

YEAR = 365 * 86_400_000_000_000
HEAD = """\
timezone: UTC
historian: {url: "opc.tcp://scada01:4840", user: tagsight}
models:
  - {name: M, asset: P101, inputs: ["Plant/P101/*"], """


def checked(text: str, folder: Path) -> Checked:
    return check_text(HEAD + text + "}\n", folder / "tagsight.yaml")


def test_costs_are_part_of_the_alarm_and_shown(tmp_path: Path) -> None:
    plan = checked("alarm: {cost: {false: 200, missed: 20000}}", tmp_path).plan
    assert plan is not None
    assert plan.models[0].alarm.cost == CostPlan(200.0, 20_000.0, 1.0, YEAR)
    assert "limit by cost: false 200, missed 20000, 1 per year" in "\n".join(summary(plan))
    often = checked("alarm: {cost: {false: 1, missed: 2, faults: 3 per month}}", tmp_path).plan
    assert often is not None
    assert _settings(often.models[0], MINUTE).cost == Cost(1.0, 2.0, 3.0)
    assert _settings(plan_of("P101"), MINUTE).cost is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("alarm: {cost: {false: 200}}", "missed"),
        ("alarm: {cost: {false: -1, missed: 2}}", "cost.false"),
        ("alarm: {cost: {false: 1, missed: 2, faults: 1 per moon}}", "faults"),
        (
            "job: quality, quality: {target: Lab/X}, alarm: {cost: {false: 1, missed: 2}}",
            "only the limit of `health` is chosen by its cost",
        ),
    ],
)
def test_what_is_wrong_with_costs_is_said(text: str, said: str, tmp_path: Path) -> None:
    assert said in "\n".join(str(fault) for fault in checked(text, tmp_path).faults)


def test_alarms_called_true_are_the_known_faults_of_a_model_with_costs() -> None:
    alarms = (JudgedAlarm(1, 5, Verdict.TRUE), JudgedAlarm(7, 9, Verdict.FALSE), JudgedAlarm(11, 13))
    priced = replace(plan_of("P101"), alarm=AlarmPlan(cost=CostPlan(1.0, 2.0, 1.0, YEAR)))
    assert _labels(priced, (), alarms, Span(0, 20)) == (LabelledPeriod(1, 5, "fault"),)
    assert _labels(plan_of("P101"), (), alarms, Span(0, 20)) == ()

"""The groups of single jobs, and the tables that they name."""

from pathlib import Path

import pytest

from tagsight.configuration import Checked, check_text
from tagsight.job_plans import DiagnosisPlan, LifePlan, NamedPeriod, ProductionPlan, PrognosisPlan, QualityPlan
from tagsight.job_training import job_settings
from tagsight.plan import Job
from tagsight.summary import summary
from tagsight_models.diagnosis.settings import DiagnosisSettings

HOUR = 3_600_000_000_000
HEAD = """\
timezone: Europe/Berlin
historian: {url: "opc.tcp://scada01:4840", user: tagsight}
models:
  - {name: M, asset: P101, inputs: ["Plant/P101/*"], """


def checked(text: str, folder: Path) -> Checked:
    return check_text(HEAD + text + "}\n", folder / "tagsight.yaml")


def faults(text: str, folder: Path) -> str:
    return "\n".join(str(fault) for fault in checked(text, folder).faults)


def of_job(text: str, folder: Path) -> object:
    found = checked(text, folder)
    assert found.plan is not None, found.faults
    return found.plan.models[0].of_job


def test_labelled_periods_come_from_a_table_in_the_time_zone_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text("from;to;label\n2026-01-05 06:00;2026-01-05 08:00;bearing\n", encoding="utf-8")
    plan = of_job("job: diagnosis, diagnosis: {labels: {file: faults.csv}}", tmp_path)
    assert isinstance(plan, DiagnosisPlan)
    start = 1_767_589_200_000_000_000  # 2026-01-05 05:00 UTC
    assert plan.labels.periods == (NamedPeriod(start, start + 2 * HOUR, "bearing"),)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("from,to\n2026-01-05,2026-01-06\n", "no column 'label'"),
        ("from,to,label\n2026-01-05,2026-01-04,x\n", "`to` is not after `from` (faults.csv line 2)"),
        ("from,to,label\nyesterday,2026-01-04,x\n", "not a date (faults.csv line 2)"),
        ("from,to,label\n2026-03-29 02:30,2026-03-30,x\n", "does not exist"),
        ("from,to,label\n2026-01-05,2026-01-06,\n", "a period without a label (faults.csv line 2)"),
        ("", "has no lines"),
    ],
)
def test_every_fault_of_a_table_of_periods_is_named(table: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "faults.csv").write_text(table, encoding="utf-8")
    assert said in faults("job: diagnosis, diagnosis: {labels: {file: faults.csv}}", tmp_path)


def test_the_normal_label_of_each_component_is_said_in_the_configuration(tmp_path: Path) -> None:
    rows = "from,to,label,component\n2026-01-05,2026-01-06,100,valve\n2026-01-05,2026-01-06,ok,pump\n"
    (tmp_path / "faults.csv").write_text(rows, encoding="utf-8")
    labels = 'file: faults.csv, normal: ok, normal_of: {valve: "100 "}'
    found = checked(f"job: diagnosis, diagnosis: {{labels: {{{labels}}}}}", tmp_path).plan
    assert found is not None
    settings = job_settings(found.models[0])
    assert isinstance(settings, DiagnosisSettings)
    assert settings.normal == {"": "ok", "valve": "100"}
    assert "Write it in quotes" in faults(
        "job: diagnosis, diagnosis: {labels: {file: faults.csv, normal_of: {valve: 100}}}", tmp_path
    )


def test_a_table_that_is_not_there_is_a_fault_with_its_path(tmp_path: Path) -> None:
    found = faults("job: prognosis, prognosis: {lives: lives.csv}", tmp_path)
    assert "prognosis.lives" in found
    assert str(tmp_path / "lives.csv") in found


def test_lives_say_whether_they_ended_in_failure(tmp_path: Path) -> None:
    rows = ("from,to,failed", "2026-01-01,2026-01-05,yes", "2026-01-05,2026-01-09,no", "2026-01-09,2026-01-12,")
    (tmp_path / "lives.csv").write_text("\n".join(rows), encoding="utf-8")
    plan = of_job("job: prognosis, prognosis: {lives: lives.csv, horizon: 2d}", tmp_path)
    assert isinstance(plan, PrognosisPlan)
    assert [life.failed for life in plan.lives] == [True, False, True]
    assert plan.lives[0].end_ns == plan.lives[1].start_ns
    assert isinstance(plan.lives[0], LifePlan)
    (tmp_path / "lives.csv").write_text("from,to,failed\n2026-01-01,2026-01-05,perhaps\n", encoding="utf-8")
    assert "neither yes nor no" in faults("job: prognosis, prognosis: {lives: lives.csv}", tmp_path)


def test_a_prognosis_sees_more_at_once_unless_the_engineer_says_how_much(tmp_path: Path) -> None:
    for score, steps in (("", 120), (", score: {window: 60}", 60), (", score: {every: 5m}", 120)):
        plan = checked(f"job: prognosis, prognosis: {{tag: P/L, below: 1.5}}{score}", tmp_path).plan
        assert plan is not None
        assert plan.models[0].score.window_steps == steps


def test_a_prognosis_knows_from_which_side_its_tag_meets_the_limit(tmp_path: Path) -> None:
    plan = of_job("job: prognosis, prognosis: {tag: Plant/P101/Level, below: 1.5}", tmp_path)
    assert isinstance(plan, PrognosisPlan)
    assert (plan.tag, plan.limit, plan.rising) == ("Plant/P101/Level", 1.5, False)


def test_targets_and_bounds_of_quality_and_production_are_in_the_plan(tmp_path: Path) -> None:
    quality = of_job(
        "job: quality, quality: {target: Lab/NOX, high: 80, known_after: 4h, adjustable: {Feed: [1, 2.5]}}", tmp_path
    )
    assert isinstance(quality, QualityPlan)
    assert (quality.target, quality.high, quality.known_after_ns) == ("Lab/NOX", 80.0, 4 * HOUR)
    assert quality.adjustable == {"Feed": (1.0, 2.5)}
    found = checked(
        "job: production, production: {target: Line/Rate, goal: lower, stations: {Filler: [Starved]}}", tmp_path
    )
    assert found.plan is not None
    plan = found.plan.models[0]
    assert plan.job is Job.PRODUCTION
    assert plan.inputs == ("Plant/P101/*", "Line/Rate")
    assert plan.beside_inputs == ()
    assert isinstance(plan.of_job, ProductionPlan)
    assert (plan.of_job.rising, plan.of_job.stations) == (False, {"Filler": ("Starved",)})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("job: quality", "`job: quality` without its settings"),
        ("quality: {target: Lab/X}", "belongs to `job: quality`, and this is `job: health`"),
        ("network: tcn", "`health` has a network of its own kind"),
        ("job: diagnosis, diagnosis: {labels: {}}", "labels from nowhere"),
        ("job: diagnosis, diagnosis: {labels: {tag: Fault}}", "what the values of `tag` mean"),
        ("job: prognosis, prognosis: {}", "one of `lives` and `tag`"),
        ("job: prognosis, prognosis: {tag: X}", "needs one limit"),
        ("job: prognosis, prognosis: {tag: X, above: 1, below: 0}", "needs one limit"),
        ("job: quality, quality: {target: X, low: 3, high: 2}", "is not below"),
        ("job: quality, quality: {target: X, adjustable: {A: [1, 2]}}", "advice needs a limit"),
        ("job: quality, quality: {target: X, high: 1, adjustable: {A: [2, 1]}}", "not in order"),
        ("job: quality, quality: {target: X, high: 1, adjustable: {A: [2]}}", "not two numbers"),
    ],
)
def test_settings_that_do_not_go_together_are_faults(text: str, said: str, tmp_path: Path) -> None:
    assert said in faults(text, tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("job: quality, quality: {target: Lab/X, high: 3, known_after: 4h, adjustable: {A: [1, 2]}}",
         "predicts Lab/X, known 4h after its sample; limits none to 3; may advise A 1 to 2"),
        ("job: prognosis, prognosis: {tag: P/V, above: 7.1, horizon: 3d}",
         "time until P/V rises to 7.1; alarm 3d before"),
        ("job: production, production: {target: Line/Rate, goal: lower}", "to lower Line/Rate"),
        ('job: diagnosis, diagnosis: {labels: {tag: Code, names: {"1": worn}, feedback: true}}',
         "labels from Code, what operators said of alarms"),
    ],
)  # fmt: skip
def test_check_tells_what_a_job_is_about(text: str, said: str, tmp_path: Path) -> None:
    plan = checked(text, tmp_path).plan
    assert plan is not None
    assert any(said in line for line in summary(plan))

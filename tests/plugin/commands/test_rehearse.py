"""`tagsight rehearse` on an export of the small plant, from the command line."""

import csv
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.clocks import SystemClock
from tagsight.errors import NotReady
from tagsight.ledger.ledger import Ledger
from tagsight.page_tasks import Asked, page_tasks, rehearsing, training
from tagsight.what_if import what_if
from tagsight_models.delays import Delays
from tests.end_to_end.plant import MINUTE, START, TAGS, values

pytestmark = pytest.mark.slow  # a model is trained

CONFIGURATION = """
timezone: UTC
historian: {{url: "{url}"}}
models:
  - name: Health
    asset: P101
    job: health
    inputs: [{inputs}]
    train: {{from: "{start}", to: "{trained}"}}
    score: {{every: 1m, grid: 1m}}
"""
DAYS = 2
STEPS = DAYS * 1440 + 180


def _moment(minute: int) -> str:
    return datetime.fromtimestamp((START + minute * MINUTE) / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, its export with a fault in the last 90 minutes, and a trained model."""
    root = tmp_path_factory.mktemp("rehearse")
    export = root / "export.csv"
    series = values(STEPS, fault_from=STEPS - 90)
    with export.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *TAGS])
        writer.writerows([f"{_moment(n + 1)}:00", *(f"{series[name][n]:.6f}" for name in TAGS)] for n in range(STEPS))
    inputs = ", ".join(TAGS)
    text = CONFIGURATION.format(url=export.as_uri(), inputs=inputs, start=_moment(0), trained=_moment(DAYS * 1440))
    (root / "tagsight.yaml").write_text(text, encoding="utf-8")
    assert run(["train", str(root / "tagsight.yaml"), "--data", str(root / "data")]) == 0
    return root


def _rehearse(folder: Path, *options: str) -> int:
    return run(["rehearse", str(folder / "tagsight.yaml"), "--data", str(folder / "data"), *options])


def test_the_alarm_of_a_fault_is_printed_with_its_cause_and_the_exit_code_is_0(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = _rehearse(folder, "--from", _moment(DAYS * 1440), "--to", _moment(STEPS))
    printed = capsys.readouterr().out
    assert code == 0
    assert "P101/Health version 1" in printed
    assert "Pressure low" in printed
    assert "Alarms per 30 days: " in printed
    assert "Not scored: " in printed


def test_a_period_counted_back_from_its_end_is_as_long_as_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _rehearse(folder, "--last", "2h", "--to", _moment(STEPS)) == 0
    assert "of 120 (" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--last", "soon"], "--last soon: not a duration"),
        (["--from", "yesterday"], "--from yesterday: not a date"),
        (["--from", "2025-02-01", "--to", "2025-01-01"], "the period ends before it begins"),
    ],
)
def test_a_period_that_is_none_is_a_usage_error(
    folder: Path, options: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _rehearse(folder, *options) == 2
    assert words in capsys.readouterr().err


def test_an_unknown_model_is_named_with_those_that_there_are(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _rehearse(folder, "--model", "P101/Other") == 4
    printed = capsys.readouterr().err
    assert "no model 'P101/Other'" in printed
    assert "P101/Health" in printed


def test_without_a_trained_model_the_command_says_what_comes_first(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["rehearse", str(folder / "tagsight.yaml"), "--data", str(tmp_path)]) == 4
    assert "tagsight train" in capsys.readouterr().err


def test_the_pages_rehearse_and_train_by_the_same_functions_in_their_own_process(folder: Path) -> None:
    tasks, said = page_tasks(), list[tuple[float, str]]()
    asked = Asked(folder / "tagsight.yaml", folder / "data", "P101/Health", "emil")
    span = (START + DAYS * 1440 * MINUTE, START + STEPS * MINUTE)
    task = rehearsing(replace(asked, span=span))
    found = tasks[task.name](task.argument, lambda share, words: said.append((share, words)))
    (alarm,) = found.alarms
    assert "Pressure low" in alarm.message
    assert said[-1][0] == 1.0
    again = what_if(found.times, found.scores, MINUTE, limit=1.0, delays=Delays(5 * MINUTE, 5 * MINUTE))
    assert [one.announced_ns for one in again.alarms] == [alarm.activation.announced_ns]
    task = training(asked, 600.0)
    outcome = tasks[task.name](task.argument, lambda share, words: said.append((share, words)))
    assert (outcome.model, outcome.version, outcome.approved) == ("P101/Health", 2, False)
    assert any("values read" in words for _, words in said)
    with Ledger.open_reader(folder / "data" / "ledger.sqlite", SystemClock()) as ledger:
        assert ("emil", "trained") in {(entry.who, entry.what) for entry in ledger.newest_audit(0, 20)}


def test_the_pages_refuse_to_rehearse_what_was_never_trained(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "tagsight.yaml"
    file.write_text((folder / "tagsight.yaml").read_text(encoding="utf-8").replace("P101", "P102"), encoding="utf-8")
    task = rehearsing(Asked(file, folder / "data", "P102/Health", "emil", (START, START + MINUTE)))
    with pytest.raises(NotReady, match="no approved version"):
        page_tasks()[task.name](task.argument, lambda _share, _words: None)

"""`tagsight rehearse` on an export of the small plant, from the command line."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tagsight.__main__ import run
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

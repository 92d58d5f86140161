"""`tagsight explain` on an export of the small plant, from the command line."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

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
    running: "[Current] > 5"
    train: {{from: "{start}", to: "{trained}"}}
    score: {{every: 1m, grid: 1m}}
"""
DAYS = 2
STEPS = DAYS * 1440 + 240
FAULT = STEPS - 150


def _moment(minute: int) -> str:
    return datetime.fromtimestamp((START + minute * MINUTE) / 1e9, tz=UTC).strftime("%Y-%m-%d %H:%M")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A configuration, its export with a fault and then a stop at the end, and a trained model."""
    root = tmp_path_factory.mktemp("explain")
    export = root / "export.csv"
    series = values(STEPS, fault_from=FAULT)
    series["Current"][-30:] = 0.0
    with export.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["time", *TAGS])
        writer.writerows([f"{_moment(n + 1)}:00", *(f"{series[name][n]:.6f}" for name in TAGS)] for n in range(STEPS))
    inputs = ", ".join(TAGS)
    text = CONFIGURATION.format(url=export.as_uri(), inputs=inputs, start=_moment(0), trained=_moment(DAYS * 1440))
    (root / "tagsight.yaml").write_text(text, encoding="utf-8")
    assert run(["train", str(root / "tagsight.yaml"), "--data", str(root / "data")]) == 0
    return root


def _explain(folder: Path, *options: str) -> int:
    return run(["explain", str(folder / "tagsight.yaml"), "--data", str(folder / "data"), *options])


def _texts(svg: Path) -> str:
    texts = ET.parse(svg).iter("{http://www.w3.org/2000/svg}text")
    return "\n".join("".join(one.itertext()) for one in texts)


def test_a_moment_is_told_with_its_inputs_and_pictures(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _explain(folder, "--at", _moment(FAULT + 30), "--out", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "Pressure low" in printed
    assert "since" in printed
    assert "contributions exact" in printed
    assert [line.split()[0] for line in printed.splitlines()].index("Pressure") > 0
    names = {one.name for one in tmp_path.iterdir()}
    assert names == {"index.html", "waterfall.svg", "waterfall.png", "heat_map.svg", "heat_map.png"}
    assert "Pressure" in _texts(tmp_path / "waterfall.svg")
    assert "normal band" in _texts(tmp_path / "heat_map.svg")
    assert (tmp_path / "waterfall.png").read_bytes().startswith(b"\x89PNG")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2
    for outside in ("<script", 'src="', "@import", "http://"):
        assert outside not in page.replace("http://www.w3.org", "")


def test_the_same_moment_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert _explain(folder, "--at", _moment(FAULT + 30), "--out", str(tmp_path / name)) == 0
    for one in (tmp_path / "a").iterdir():
        assert one.read_bytes() == (tmp_path / "b" / one.name).read_bytes(), one.name


def test_a_period_is_told_with_what_mattered(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = _explain(folder, "--from", _moment(FAULT - 60), "--to", _moment(FAULT + 30), "--out", str(tmp_path))
    printed = capsys.readouterr().out
    assert code == 0
    assert "90 of 90 due times scored" in printed
    assert "highest score" in printed
    assert {one.stem for one in tmp_path.glob("*.svg")} == {"history", "importance", "beeswarm"}
    assert "Pressure" in _texts(tmp_path / "beeswarm.svg")


def test_language_decides_texts_and_pictures(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _explain(folder, "--at", _moment(FAULT + 30), "--language", "de", "--out", str(tmp_path)) == 0
    printed = capsys.readouterr().out
    assert "Pressure niedrig" in printed
    assert "Beitrag" in printed
    assert "Grenzwert" in _texts(tmp_path / "waterfall.svg")
    assert '<html lang="de">' in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_a_moment_of_the_training_data_is_told_as_such(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _explain(folder, "--at", _moment(1440), "--out", str(tmp_path)) == 0
    assert "lies inside the training data" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        pytest.param(["--at", _moment(STEPS - 10)], 4, "cannot be scored at", id="gated"),
        pytest.param(["--at", _moment(STEPS - 10)], 4, ": stopped", id="gated-why"),
        pytest.param(["--at", "2019-05-01 10:00"], 4, "has a value at 2019-05-01 10:00:00 UTC", id="no-data"),
        pytest.param(["--at", "2019-05-01 10:00"], 4, "There are values from 2025-10-", id="where-there-is-some"),
        pytest.param(["--at", _moment(FAULT), "--version", "7"], 4, "has no version 7", id="no-version"),
        pytest.param(["--at", "yesterday"], 2, "--at yesterday: not a date", id="no-date"),
        pytest.param([], 2, "give either --at, or --from and --to", id="no-moment"),
        pytest.param(["--at", _moment(FAULT), "--language", "xx"], 2, "there are de, en", id="no-language"),
        pytest.param(["--at", _moment(FAULT), "--model", "P101/No"], 4, "no model 'P101/No'", id="no-model"),
        pytest.param(["--from", _moment(FAULT), "--to", _moment(1)], 2, "ends before it begins", id="backwards"),
        pytest.param(
            ["--from", _moment(STEPS - 9), "--to", _moment(STEPS)], 4, "at any of 9 due times: stopped", id="all-gated"
        ),
    ],
)
def test_what_cannot_be_told_is_said_why(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, words: str
) -> None:
    assert _explain(folder, *options, "--out", str(folder / "none")) == code
    assert words in capsys.readouterr().err
    assert not (folder / "none").exists()


def test_the_card_names_the_page_which_is_written_anew_where_it_is_missing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, data = folder / "data" / "models" / "P101" / "Health" / "1.html", str(folder / "data")
    assert run(["model", "show", "P101/Health", "--data", data]) == 0
    assert f"Page           {page}" in capsys.readouterr().out
    whole = page.read_text(encoding="utf-8")
    page.unlink()
    assert run(["model", "page", "P101/Health", "--data", data, "--language", "de"]) == 0
    assert capsys.readouterr().out.strip() == str(page)
    again = page.read_text(encoding="utf-8")
    assert "Expected and actual" in whole
    assert "Aufbau" in again
    assert "Erwartet und" not in again


def test_before_any_training_the_command_says_what_comes_first(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["explain", str(folder / "tagsight.yaml"), "--data", str(tmp_path), "--at", _moment(FAULT)]) == 4
    assert "tagsight train" in capsys.readouterr().err

from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight_connectors.memory import MemoryStore

FILE = """
timezone: UTC
historian: {{url: "{url}"}}
results: {{{results}}}
models:
  - name: Health
    asset: P101
    job: health
    inputs: ["{inputs}"]
    train: {{from: 2024-01-01, to: 2024-01-02}}
    score: {{every: 5m}}
    alarm: {{at_most: 2 per month, on_delay: 5m}}
"""
WRITE = 'to: write, address: "TagSight/{asset}/{model}/{output}"'


@pytest.fixture
def export(tmp_path: Path) -> Path:
    path = tmp_path / "export.csv"
    rows = "".join(
        f"2024-01-01T{m // 60:02}:{m % 60:02}:00,{m},{'Scan Timeout' if m % 3 else m}\n" for m in range(1440)
    )
    path.write_text("time,Flow [m3/h],Level\n" + rows)
    return path


def probe(tmp_path: Path, url: str, inputs: str = "*", results: str = WRITE) -> int:
    file = tmp_path / "tagsight.yaml"
    file.write_text(FILE.format(url=url, inputs=inputs, results=results))
    return run(["probe", str(file), "--data", str(tmp_path / "data"), "--watch", "0"])


def test_an_export_is_examined_and_fit_to_run(tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(tmp_path, export.as_uri()) == 0
    out = capsys.readouterr().out
    for words in (
        "ok: P101/Health: *: 2 tags",
        "66.7% of its values are bad (states: Scan Timeout (960))",
        "score.grid 1m",
        "Flow [m3/h] | 1,440 | 1m",
        "will be made in a file beside the export",
    ):
        assert words in out


def test_what_prevents_running_ends_with_exit_code_6_and_a_mend(
    tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert probe(tmp_path, export.as_uri(), inputs="Pressure*") == 6
    shown = capsys.readouterr()
    assert "prevents running: P101/Health: P101/Health: no tag matches 'Pressure*'" in shown.out
    assert "tagsight browse" in shown.out
    assert "1 finding marked" in shown.err


def test_an_unreachable_historian_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert probe(tmp_path, (tmp_path / "nowhere.csv").as_uri()) == 6
    assert "there is no such file" in capsys.readouterr().out


def test_missing_result_tags_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tagsight_connectors.tag import Tag

    store = MemoryStore.named("probed")
    store.add(Tag("Plant/Flow", "Plant/Flow"))
    store.append("Plant/Flow", [1_704_067_200_000_000_000 + m * 60_000_000_000 for m in range(1440)], [1.0] * 1440)
    store.add_result("TagSight/P101/Health/Score")
    assert probe(tmp_path, "memory://probed", inputs="Plant/*") == 6
    out = capsys.readouterr().out
    assert "tags are missing: TagSight/" in out
    assert "`tagsight tags FILE --csv`" in out
    assert store.writes == []


@pytest.mark.parametrize("command", ["probe", "train"])
def test_a_period_without_values_is_answered_with_the_one_that_has_them(
    command: str, tmp_path: Path, export: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tagsight.yaml"
    text = FILE.format(url=export.as_uri(), inputs="Flow", results="to: server")
    file.write_text(text.replace("from: 2024-01-01, to: 2024-01-02", "last: 90d"))
    assert run([command, str(file), "--data", str(tmp_path / "data")]) == 6
    shown = capsys.readouterr().out
    period = 'train: {from: "2024-01-01 00:00+00:00", to: "2024-01-02 00:00+00:00"}'
    assert shown.replace("\n", "").count(period) == 1
    file.write_text(text.replace("train: {from: 2024-01-01, to: 2024-01-02}", period))
    assert run(["probe", str(file), "--data", str(tmp_path / "data")]) == 0

from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.configuration import check_file


@pytest.fixture
def first(tmp_path: Path) -> Path:
    file = tmp_path / "tagsight.yaml"
    options = [
        "--url",
        "opc.tcp://scada01:4840",
        "--user",
        "tagsight",
        "--asset",
        "P101",
        "--timezone",
        "Europe/Berlin",
    ]
    assert run(["init", str(file), *options, "--inputs", "Plant/P101/*", "--running", "[Plant/P101/Speed] > 100"]) == 0
    return file


def test_init_writes_a_file_of_at_most_twelve_lines_that_check_accepts(first: Path) -> None:
    lines = [line for line in first.read_text(encoding="utf-8").splitlines() if not line.strip().startswith("#")]
    assert len(lines) <= 12
    assert check_file(first).plan is not None


def test_init_never_overwrites(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = first.read_bytes()
    assert run(["init", str(first), "--url", "memory://a", "--asset", "X", "--inputs", "y"]) == 3
    assert first.read_bytes() == before
    assert "exists already" in capsys.readouterr().err


def test_init_writes_nothing_that_check_would_refuse(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tagsight.yaml"
    assert run(["init", str(file), "--url", "ftp://a", "--asset", "P/1", "--inputs", "x"]) == 2
    assert not file.exists()
    assert "2 faults" in capsys.readouterr().err


def test_check_tells_what_a_file_means(first: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    assert run(["check", str(first)]) == 0
    shown = capsys.readouterr()
    for words in (
        "Europe/Berlin",
        "opc.tcp://scada01:4840",
        "P101/Health",
        "from the data",
        "the last 90d",
        "provisional",
    ):
        assert words in shown.out
    assert "warning: " in shown.err


def test_check_prints_every_fault_and_exits_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("timezone: Mars\nhistorian: {url: ftp://x}\nmodels: [{name: A, asset: B}]\n")
    assert run(["check", str(file)]) == 2
    shown = capsys.readouterr()
    assert "3 faults" in shown.err
    assert not shown.out


def test_init_takes_the_training_period_of_an_export_from_its_data(tmp_path: Path) -> None:
    export, file = tmp_path / "export.csv", tmp_path / "tagsight.yaml"
    export.write_text("time,Flow\n" + "".join(f"2019-03-{day:02} 06:30:00,{day}\n" for day in range(1, 21)))
    options = ["--url", export.as_uri(), "--asset", "P101", "--inputs", "*", "--timezone", "Europe/Berlin"]
    assert run(["init", str(file), *options]) == 0
    assert 'train: {from: "2019-03-01", to: "2019-03-21"}' in file.read_text(encoding="utf-8")
    assert check_file(file).plan is not None


def test_init_of_an_export_that_is_not_there_yet_writes_its_file_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "tagsight.yaml"
    options = ["--url", (tmp_path / "later.csv").as_uri(), "--asset", "P101", "--inputs", "*"]
    assert run(["init", str(file), *options]) == 0
    assert "last: 90d" in file.read_text(encoding="utf-8")
    assert "there is no such file" in capsys.readouterr().err


def test_init_asks_for_a_user_unless_it_is_told_to_go_without(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ["--url", "opc.tcp://scada01:4840", "--asset", "P101", "--inputs", "*", "--timezone", "UTC"]
    asked = tmp_path / "asked.yaml"
    monkeypatch.setattr("click.prompt", lambda text: "tagsight" if text.startswith("User name") else "")
    assert run(["init", str(asked), *options]) == 0
    assert 'user: "tagsight"' in asked.read_text(encoding="utf-8")
    anonymous = tmp_path / "anonymous.yaml"
    assert run(["init", str(anonymous), *options, "--anonymous"]) == 0
    assert "anonymous: true" in anonymous.read_text(encoding="utf-8")
    capsys.readouterr()
    assert run(["check", str(anonymous)]) == 0
    assert "connects anonymously" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("", "wants to know who connects"),
        (", user: t, anonymous: true", "`user` and `anonymous` exclude one another"),
        (", user: t, user_certificate: a.der", "`user` and `user_certificate` exclude one another"),
        (", user: t, user_key: a.pem", "`user_key` without `user_certificate`"),
        (", user_certificate: a.der, security: none", "needs secured messages"),
    ],
)
def test_who_connects_is_said_in_exactly_one_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: str, words: str
) -> None:
    file = tmp_path / "a.yaml"
    historian = f'historian: {{url: "opc.tcp://scada01:4840"{settings}}}'
    file.write_text(f"timezone: UTC\n{historian}\nmodels: [{{name: A, asset: B, inputs: [x]}}]\n")
    assert run(["check", str(file)]) == 2
    assert words in capsys.readouterr().err


def test_the_file_of_a_user_certificate_counts_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    historian = 'historian: {url: "opc.tcp://scada01:4840", user_certificate: users/t.der, user_key: users/t.pem}'
    file.write_text(f"timezone: UTC\n{historian}\nmodels: [{{name: A, asset: B, inputs: [x]}}]\n")
    plan = check_file(file).plan
    assert plan is not None
    found = plan.historians["default"]
    assert (found.user_certificate, found.user_key) == (str(tmp_path / "users/t.der"), str(tmp_path / "users/t.pem"))

import io
from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.data_folder import DataFolder
from tagsight.secrets import Secrets
from tagsight.users import Users
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.serving import UserRole


def given(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_user_is_added_listed_and_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path)]
    given(monkeypatch, "correct horse\n")
    assert run(["user", "add", "bob", "--role", "engineer", "--password-stdin", *data]) == 0
    assert Users(tmp_path / "users.json").authenticate("bob", "correct horse") is UserRole.ENGINEER
    assert run(["user", "list", *data]) == 0
    assert "bob\tengineer" in capsys.readouterr().out
    assert run(["user", "remove", "bob", *data]) == 0
    assert run(["user", "remove", "bob", *data]) == 4


def test_a_short_password_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "short\n")
    arguments = ["user", "add", "bob", "--role", "admin", "--password-stdin", "--data", str(tmp_path)]
    assert run(arguments) == 2
    assert "short" not in capsys.readouterr().err.replace("shorter", "")


def test_a_password_of_a_historian_is_kept_in_the_private_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given(monkeypatch, "s3cret of the plant\n")
    assert run(["password", "set", "north", "--file", "--password-stdin", "--data", str(tmp_path)]) == 0
    assert Secrets(DataFolder(tmp_path), {}).password("north") == "s3cret of the plant"
    assert "s3cret" not in capsys.readouterr().out


def test_a_user_is_added_with_a_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data, own = ["--data", str(tmp_path)], ensure_certificate(tmp_path / "eve", "eve", "urn:user:eve", [])
    added = ["user", "add", "eve", "--role", "operator", "--certificate"]
    assert run([*added, str(own.certificate), *data]) == 0
    found = Users(tmp_path / "users.json").by_certificate(own.certificate.read_bytes())
    assert found == ("eve", UserRole.OPERATOR)
    assert run(["user", "list", *data]) == 0
    assert "eve\toperator, certificate" in capsys.readouterr().out
    assert run([*added, str(own.key), *data]) == 2
    assert "not a certificate" in capsys.readouterr().err

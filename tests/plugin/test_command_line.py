import subprocess
import sys
from pathlib import Path

import click
import pytest

from tagsight import __main__ as command_line
from tagsight.errors import (
    AlreadyRunning,
    CheckFailed,
    ConfigurationError,
    Fault,
    NotAllowed,
    NotReady,
    StorageError,
    exit_code_of,
)
from tagsight_connectors.errors import HistorianError, NotConnected
from tagsight_models.errors import ModelError, NoSuchModel

HEAVY = ("torch", "lightning", "shap", "numba", "pandas", "sklearn", "asyncua", "sqlalchemy", "matplotlib", "pydantic",
         "numpy", "scipy", "pyarrow", "apscheduler", "ruamel")  # fmt: skip
MODULES = sorted(
    path.stem
    for path in (Path(command_line.__file__).parent / "commands").glob("*.py")
    if path.stem not in ("__init__", "options")
)


def listed(name: str) -> bool:
    return name in {one.module for one in command_line.COMMANDS.values()}


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["check", "--help"], ["user", "add", "--help"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys; from tagsight.__main__ import run; code = run(sys.argv[1:]);"
        f"print('loaded', [name for name in {HEAVY!r} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("loaded []\n")


def test_every_command_is_named_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name, one in command_line.COMMANDS.items() if not one.hidden)
    assert "reference files" not in shown


@pytest.mark.parametrize("module", [name for name in MODULES if listed(name)])
def test_a_command_module_exposes_its_command(module: str) -> None:
    name = next(name for name, one in command_line.COMMANDS.items() if one.module == module)
    with click.Context(command_line.cli) as context:
        assert isinstance(command_line.cli.get_command(context, name), click.Command)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("a.yaml", [Fault(1, "a", "b", "c", "d")]), 2),
        (NotAllowed("no"), 3),
        (AlreadyRunning(), 3),
        (NotReady("no"), 4),
        (StorageError("full"), 5),
        (CheckFailed("no"), 6),
        (NotConnected("opc.tcp://a", "refused"), 7),
        (HistorianError("x"), 7),
        (NoSuchModel("a/b"), 8),
        (ModelError("x"), 8),
        (RuntimeError("x"), 1),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_each_error_has_the_exit_code_of_its_branch(error: Exception, code: int) -> None:
    assert exit_code_of(error) == code


def failing(monkeypatch: pytest.MonkeyPatch, error: Exception, *options: str) -> int:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(command_line.LazyGroup, "get_command", lambda *_: fails)
    return command_line.run([*options, "check"])


def test_an_error_ends_in_words_and_its_mend(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, NotReady("no model yet", "Train one.")) == 4
    assert capsys.readouterr().err == "error: no model yet\n       Train one.\n"


def test_an_unexpected_error_ends_in_words_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failing(monkeypatch, ZeroDivisionError("division")) == 1
    shown = capsys.readouterr().err
    assert shown.startswith("error: unexpected ZeroDivisionError")
    assert "Traceback" not in shown


def test_debug_shows_where(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    failing(monkeypatch, ZeroDivisionError("division"), "--debug")
    assert "Traceback" in capsys.readouterr().err


def test_an_unknown_command_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.run(["chekc"]) == 2
    assert "chekc" in capsys.readouterr().err

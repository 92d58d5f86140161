"""Rules that no linter of ours knows: platform calls in one file, no pickle, no POSIX-only calls."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for package in (
        "plugin/tagsight",
        "connectors/tagsight_connectors",
        "models/tagsight_models",
        "explain/tagsight_explain",
    )
    for path in (ROOT / package).rglob("*.py")
)
PLATFORM = ROOT / "plugin" / "tagsight" / "platform.py"
PLATFORM_MODULES = {"fcntl", "msvcrt", "signal", "pwd", "grp", "resource", "termios", "winreg"}
PLATFORM_CALLS = {"fork", "nice", "kill", "killpg", "getppid", "setsid", "geteuid", "getuid", "chown"}
PICKLES = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "shelve", "marshal"}


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def called_on_os(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "os":
            yield node.attr
        elif isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (alias.name for alias in node.names)


def faults_of(source: str, *, is_platform: bool = False) -> set[str]:
    tree = ast.parse(source)
    found = set(imported(tree)) & PICKLES
    if not is_platform:
        found |= set(imported(tree)) & PLATFORM_MODULES
        found |= set(called_on_os(tree)) & PLATFORM_CALLS
    return found


def test_platform_calls_stand_in_one_file_and_nothing_is_pickled() -> None:
    found = {
        str(path.relative_to(ROOT)): faults
        for path in SOURCES
        if (faults := faults_of(path.read_text(encoding="utf-8"), is_platform=path == PLATFORM))
    }
    assert not found


@pytest.mark.parametrize(
    "source",
    [
        "import fcntl",
        "from signal import SIGTERM",
        "import os\nos.fork()",
        "from os import nice",
        "import os\nos.getppid()",
        "def f():\n    import pickle",
        "import msvcrt as m",
    ],
)
def test_the_rule_sees_what_it_forbids(source: str) -> None:
    assert faults_of(source)


OPC_UA = ROOT / "connectors" / "tagsight_connectors" / "opcua"
STORING = {"write", "history_update"}
NEVER_SENT = {"CallRequest", "AddNodesRequest", "DeleteNodesRequest", "call_method", "add_nodes", "delete_nodes"}


def _named(path: Path) -> set[str]:
    """Names and attributes that a file uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    attributes = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return attributes | {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _sends(path: Path) -> set[str]:
    """Storing services that a file calls on the session's services."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in STORING
        and ast.unparse(node.func.value).endswith(("service", "session"))
    }


def test_one_module_sends_writes_and_nobody_calls_methods_or_changes_nodes_of_a_historian() -> None:
    client = [path for path in OPC_UA.glob("*.py") if not path.name.startswith(("server", "guard", "condition"))]
    assert {path.name for path in client if _sends(path)} == {"service.py", "writing.py"}
    assert {path.name: found for path in client if (found := _named(path) & NEVER_SENT)} == {}

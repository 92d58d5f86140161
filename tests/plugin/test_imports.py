"""What serves and watches must start fast and stay small: torch belongs to the workers alone."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "lightning", "shap", "numba", "sklearn", "matplotlib")


def _imported(*statements: str) -> set[str]:
    code = "; ".join([*statements, "import sys", "print(*{name.partition('.')[0] for name in sys.modules})"])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=100)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        pytest.param("tagsight.service", id="service"),
        pytest.param("tagsight.worker_tasks", id="names-of-the-workers-tasks"),
        pytest.param("tagsight.tag_server", id="tag-server"),
        pytest.param("tagsight.tag_server_process", id="process-of-the-tag-server"),
        pytest.param("tagsight.web.process", id="pages"),
        pytest.param("tagsight.commands.run", id="run"),
        pytest.param("tagsight.commands.status", id="status"),
    ],
)
def test_what_runs_beside_the_workers_imports_nothing_that_computes(module: str) -> None:
    assert _imported(f"import {module}") & set(HEAVY) == set()


def test_the_command_line_imports_next_to_nothing() -> None:
    heavy = {*HEAVY, "pandas", "asyncua", "sqlalchemy"}
    assert _imported("import tagsight.__main__") & heavy == set()


def test_this_test_would_see_torch() -> None:
    assert "torch" in _imported("import tagsight.fitting")

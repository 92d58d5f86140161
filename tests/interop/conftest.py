"""Historians that somebody else wrote: one that a test asks for by name, or each of them in turn."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from tests.interop.foreign import HERE, ForeignHistorian, ForeignTag, legacy_historian, node_historian

StartHistorian = Callable[[Sequence[ForeignTag]], ForeignHistorian]


@pytest.fixture(scope="session")
def node_modules() -> Path:
    """node-opcua, installed once into a cache outside the checkout (TAGSIGHT_INTEROP_CACHE)."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are needed for node-opcua; install Node.js 20 or newer")
    cache = Path(os.environ.get("TAGSIGHT_INTEROP_CACHE") or user_cache_path("tagsight-interop")) / "node"
    cache.mkdir(parents=True, exist_ok=True)
    wanted = (HERE / "package.json").read_text(encoding="utf-8")
    stamp = cache / "installed.json"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        (cache / "package.json").write_text(wanted, encoding="utf-8")
        command = [npm, "install", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=cache, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install node-opcua (no registry?): {done.stderr.strip()[-200:]}")
        stamp.write_text(wanted, encoding="utf-8")
    return cache / "node_modules"


@pytest.fixture
def running() -> Iterator[ExitStack]:
    """Every historian started ends with the test."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def start_node_historian(node_modules: Path, tmp_path: Path, running: ExitStack) -> StartHistorian:
    """Call it with tags."""
    return lambda tags: running.enter_context(node_historian(node_modules, tmp_path, tags))


@pytest.fixture
def start_legacy_historian(tmp_path: Path, running: ExitStack) -> StartHistorian:
    """Call it with tags."""
    return lambda tags: running.enter_context(legacy_historian(tmp_path, tags))


@pytest.fixture(params=["node", "legacy"], ids=["node-opcua", "legacy-opcua"])
def start_historian(request: pytest.FixtureRequest) -> StartHistorian:
    """Call it with tags; the test runs on each historian."""
    start: StartHistorian = request.getfixturevalue(f"start_{request.param}_historian")
    return start

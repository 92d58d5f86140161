"""What `install.sh` refuses, before it changes anything. Its success is in `test_installed_bundle.py`."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bundle_files.check_machine import this_machine

FILES = Path(__file__).parents[2] / "packaging" / "bundle_files"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a script for Linux")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle without wheels, in a folder with blanks in its name."""
    folder = tmp_path / "a bundle with blanks"
    shutil.copytree(FILES, folder)
    (folder / "wheels").mkdir()
    (folder / "requirements.txt").write_text("tagsight==0.1.0 --hash=sha256:00\n")
    fits = this_machine() | {"glibc": "", "megabytes": 0}
    (folder / "made_for.json").write_text(json.dumps(fits))
    return folder


def install(folder: Path, target: Path, python: str = sys.executable) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PYTHON": python}
    command = ["sh", str(folder / "install.sh"), str(target)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_a_python_that_is_not_there_is_named(folder: Path, tmp_path: Path) -> None:
    done = install(folder, tmp_path / "target", python="python9.99")
    assert done.returncode == 1
    assert "there is no python9.99; name one: PYTHON=" in done.stderr


def test_a_python_that_is_too_old_is_told_before_anything_else_runs_on_it(folder: Path, tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\n[ "$1" = -V ] && echo Python 3.9.2 && exit 0\n[ "$1" = -c ] && exit 1\nexit 99\n')
    old.chmod(0o755)
    done = install(folder, tmp_path / "target", python=str(old))
    assert done.returncode == 1
    assert "python3 is Python 3.9.2, TagSight needs Python 3.11 or newer" in done.stderr


def test_a_machine_that_the_bundle_was_not_made_for_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "made_for.json").write_text(json.dumps(this_machine() | {"python": "3.99", "glibc": "", "megabytes": 0}))
    done = install(folder, tmp_path / "target")
    assert done.returncode == 1
    assert "this bundle was made for 3.99" in done.stderr
    assert not (tmp_path / "target").exists()


def test_a_folder_with_anything_else_in_it_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "target" / "letter.txt").write_text("dear")
    done = install(folder, tmp_path / "target")
    assert done.returncode == 1
    assert "is no installation of TagSight" in done.stderr
    assert (tmp_path / "target" / "letter.txt").read_text() == "dear"


def test_an_installation_comes_back_when_its_upgrade_fails(folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "the target"
    (target / "bin").mkdir(parents=True)
    (target / "pyvenv.cfg").touch()
    (target / "bin" / "tagsight").write_text("old")
    done = install(folder, target)
    assert done.returncode != 0
    assert "everything is as it was" in done.stderr
    assert (target / "bin" / "tagsight").read_text() == "old"
    assert not (tmp_path / "the target.previous").exists()


def test_nothing_is_left_of_a_first_installation_that_fails(folder: Path, tmp_path: Path) -> None:
    done = install(folder, tmp_path / "target")
    assert done.returncode != 0
    assert not (tmp_path / "target").exists()

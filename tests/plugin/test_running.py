"""A running service takes over what was applied."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tagsight.__main__ import run
from tagsight.applied import AppliedFolder
from tagsight.applying import apply_file
from tagsight.clocks import SystemClock
from tagsight.configuration import check_text, load
from tagsight.data_folder import DataFolder
from tagsight.heartbeat import HeartbeatFile
from tagsight.ledger.ledger import Ledger
from tagsight.platform import InstanceLock

FILE = """
timezone: UTC
historian: {url: "memory://plant"}
results: {to: write, address: "Results/{asset}/{model}/{output}", root: Results}
models:
  - {name: Health, asset: P101, inputs: ["*"], score: {every: 1m}}
"""
SECOND_MODEL = '  - {name: Health, asset: P102, inputs: ["*"], score: {every: 1m}}\n'


@dataclass
class Site:
    """A service in a process of its own."""

    file: Path
    data: DataFolder
    process: "subprocess.Popen[bytes]"

    def wait_until(self, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 90.0
        while not done():
            assert self.process.poll() is None, f"the service ended with {self.process.returncode}"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def apply(self, *options: str) -> int:
        return run(["apply", str(self.file), "--data", str(self.data.root), *options])

    def heartbeat(self) -> int:
        status = HeartbeatFile(self.data.heartbeat).read()
        return status.heartbeat if status is not None else 0

    def audited(self) -> list[str]:
        with Ledger.open(self.data.ledger, SystemClock()) as ledger:
            return [entry.what for entry in ledger.audit_entries()]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    file, data = folder / "tagsight.yaml", DataFolder(folder / "data")
    file.write_text(FILE, encoding="utf-8")
    command = [sys.executable, "-m", "tagsight", "run", str(file), "--data", str(data.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = Site(file, data, process)
    made.wait_until(lambda: made.heartbeat() > 0)
    yield made
    process.terminate()
    process.wait(30)


def test_an_applied_configuration_is_taken_over_by_the_running_service(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    site.file.write_text(FILE + SECOND_MODEL, encoding="utf-8")
    beats = site.heartbeat()
    assert site.apply() == 0
    assert "taken over: new: P102/Health; 1 unchanged and running on" in capsys.readouterr().out
    holder = InstanceLock(site.data.lock).holder()
    assert holder is not None
    assert (holder.pid, holder.about) == (site.process.pid, load(site.file).digest)
    site.wait_until(lambda: site.heartbeat() > beats)
    assert "configuration applied" in site.audited()
    with Ledger.open(site.data.ledger, SystemClock()) as ledger:
        assert "P102/Health" in {bound.model for bound in ledger.bindings()}
    assert run(["apply", "--list", "--data", str(site.data.root)]) == 0
    assert load(site.file).digest[:16] in capsys.readouterr().out


def test_a_file_with_a_fault_is_refused_before_the_service_hears_of_it(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    before = AppliedFolder(site.data.applied).request()
    site.file.write_text(FILE.replace("asset: P101", "aset: P101"), encoding="utf-8")
    assert site.apply() == 2
    assert "aset" in capsys.readouterr().err
    assert AppliedFolder(site.data.applied).request() == before


def test_a_file_that_was_edited_again_since_is_refused_and_what_runs_goes_on(site: Site) -> None:
    folder = AppliedFolder(site.data.applied)
    holder = InstanceLock(site.data.lock).holder()
    site.file.write_text(FILE, encoding="utf-8")
    meant = check_text(FILE + "language: de\n", site.file).plan
    assert meant is not None
    request = folder.store("# what it was", meant, site.file, "olga", SystemClock().now_ns())
    site.wait_until(lambda: (answer := folder.answer()) is not None and answer.name == request.name)
    answer = folder.answer()
    assert answer is not None
    assert not answer.taken
    assert "edited again since" in answer.words
    assert InstanceLock(site.data.lock).holder() == holder


def test_another_file_than_the_service_was_started_with_is_refused(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    other = site.file.with_name("other.yaml")
    other.write_text(FILE, encoding="utf-8")
    assert run(["apply", str(other), "--data", str(site.data.root)]) == 1
    assert "takes over no other file" in capsys.readouterr().err
    assert "configuration refused" in site.audited()


def test_without_a_service_the_copy_is_kept_for_the_next_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, data = tmp_path / "tagsight.yaml", DataFolder(tmp_path / "data")
    file.write_text(FILE, encoding="utf-8")
    assert run(["apply", str(file), "--data", str(data.root)]) == 0
    assert "takes effect at the next start" in capsys.readouterr().out
    (copy,) = AppliedFolder(data.applied).copies()
    assert run(["apply", "--show", copy.name, "--data", str(data.root)]) == 0
    assert capsys.readouterr().out == FILE
    assert apply_file(file, AppliedFolder(data.applied), "olga", SystemClock().now_ns()).digest == copy.digest

"""The bundle in `dist/bundle`, installed and run as on a machine without internet: `make bundle-test`.

Everything runs in a network namespace of its own that has nothing but the loopback interface; where the system does not
allow one, the two tests about the network say so and are left out, and the rest runs with the network of this machine.
"""

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import sbom

ROOT = Path(__file__).parents[2]
BUNDLE = ROOT / "dist" / "bundle"
ISOLATE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "isolated"]
COUNTERS = 'code=0; "$@" || code=$?; cat /proc/net/snmp /proc/net/snmp6 > "$HOME/counters"; exit $code'
WITH_COUNTERS = ["sh", "-c", COUNTERS, "counted"]

pytestmark = [
    pytest.mark.bundle,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(sys.platform == "win32", reason="install.ps1 has not been run yet"),
]


@dataclass(frozen=True)
class Ran:
    """What a command said, and what the counters of its network said after it."""

    code: int
    said: str
    counters: str

    def counter(self, protocol: str, name: str) -> int:
        if found := re.search(rf"^{protocol}{name}\s+(\d+)$", self.counters, re.MULTILINE):
            return int(found[1])
        lines = [line.split()[1:] for line in self.counters.splitlines() if line.startswith(f"{protocol}:")]
        return int(lines[1][lines[0].index(name)])


@dataclass(frozen=True)
class Server:
    """A machine that knows nothing of this one but its Python: own home, own environment, no network."""

    folder: Path
    isolated: bool

    @property
    def target(self) -> Path:
        return self.folder / "opt with blanks" / "tagsight"

    def run(self, *command: str) -> Ran:
        home, temporary = self.folder / "home", self.folder / "tmp"
        for folder in (home, temporary):
            folder.mkdir(exist_ok=True)
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "LANG": "C.UTF-8",
            "PYTHON": str(Path(sysconfig.get_config_var("BINDIR")) / "python3"),
        }
        wrapped = [*(ISOLATE if self.isolated else []), *WITH_COUNTERS, *command]
        done = subprocess.run(
            wrapped, env=environment, cwd=home, umask=0o077, capture_output=True, text=True, check=False
        )
        return Ran(done.returncode, done.stdout + done.stderr, (home / "counters").read_text())

    def install(self, bundle: Path) -> Ran:
        return self.run("sh", str(bundle / "install.sh"), str(self.target))

    def tagsight(self, *arguments: str) -> Ran:
        return self.run(str(self.target / "bin" / "tagsight"), *arguments)

    def python(self, *arguments: str) -> Ran:
        return self.run(str(self.target / "bin" / "python"), *arguments)


def _network_can_be_taken_away() -> bool:
    if shutil.which("unshare") is None:
        return False
    return subprocess.run([*ISOLATE, "true"], capture_output=True, check=False).returncode == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With TagSight installed by the script, where an older installation was."""
    assert (BUNDLE / "requirements.txt").exists(), "there is no bundle: run `make bundle-test`"
    server = Server(tmp_path_factory.mktemp("server"), isolated=_network_can_be_taken_away())
    (server.target / "bin").mkdir(parents=True)
    (server.target / "pyvenv.cfg").touch()
    (server.target / "bin" / "tagsight").write_text("the version before")
    done = server.install(BUNDLE)
    assert done.code == 0, done.said
    yield server
    shutil.rmtree(server.folder)


@pytest.fixture(scope="module")
def demo(server: Server) -> Ran:
    return server.tagsight("demo", "--once")


@pytest.fixture
def isolated(server: Server) -> None:
    if not server.isolated:
        pytest.skip(
            "`unshare --map-root-user --net` is not allowed here: everything ran WITH the network of this machine"
        )


def test_the_demo_runs_through_from_the_installed_bundle(demo: Ran) -> None:
    assert demo.code == 0, demo.said
    assert demo.said.splitlines()[-1].startswith("demo passed: alarm ")


def test_the_demo_leaves_no_file_behind(server: Server, demo: Ran) -> None:
    places = [server.folder / name for name in ("home", "tmp")]
    left = [one for place in places for one in place.rglob("*") if not one.is_dir()]  # torch makes an empty folder
    assert left == [server.folder / "home" / "counters"], demo.said


@pytest.mark.usefixtures("isolated")
def test_the_counters_see_whoever_tries_to_get_out(server: Server) -> None:
    tried = server.python("-c", "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)")
    assert "Network is unreachable" in tried.said
    assert tried.counter("Ip", "OutNoRoutes") == 1


@pytest.mark.usefixtures("isolated")
def test_the_demo_asks_for_no_name_and_no_address_outside(demo: Ran) -> None:
    assert demo.code == 0, demo.said
    assert [demo.counter(protocol, "OutNoRoutes") for protocol in ("Ip", "Ip6")] == [0, 0]
    assert [demo.counter(protocol, "OutDatagrams") for protocol in ("Udp", "Udp6")] == [0, 0]


def test_what_is_installed_is_what_the_bill_of_materials_says(server: Server) -> None:
    listing = server.python("-I", "-m", "pip", "--isolated", "--disable-pip-version-check", "list", "--format=json")
    installed = {(sbom.normalised(one["name"]), one["version"]) for one in json.loads(listing.said)}
    bill = json.loads((BUNDLE / "sbom.cdx.json").read_text(encoding="utf-8"))
    listed = {(one["name"], one["version"]) for one in [bill["metadata"]["component"], *bill["components"]]}
    assert {one for one in installed if one[0] != "pip"} == listed  # pip is the server's own


def test_every_account_may_read_what_was_installed_with_a_closed_umask(server: Server) -> None:
    for path in (
        server.target,
        server.target / "bin" / "tagsight",
        *server.target.glob("lib/*/site-packages/tagsight"),
    ):
        assert path.stat().st_mode & 0o005 == 0o005, path


def test_the_installation_before_is_kept(server: Server) -> None:
    assert (server.target.with_name("tagsight.previous") / "bin" / "tagsight").read_text() == "the version before"


def test_a_wheel_that_was_changed_on_the_way_is_refused_and_the_installation_stays(server: Server) -> None:
    changed = server.folder / "changed bundle"
    shutil.copytree(BUNDLE, changed, copy_function=shutil.copy, ignore=shutil.ignore_patterns("torch-*.whl"))
    for wheel in BUNDLE.glob("wheels/torch-*.whl"):
        (changed / "wheels" / wheel.name).symlink_to(wheel)
    with next((changed / "wheels").glob("click-*.whl")).open("ab") as wheel:
        wheel.write(b"!")
    done = server.install(changed)
    assert done.code != 0
    assert "DO NOT MATCH THE HASHES" in done.said
    assert server.tagsight("--version").code == 0

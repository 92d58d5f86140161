"""Historians that somebody else wrote, started as processes of their own."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from platformdirs import user_cache_path

from tagsight_connectors.connection import Connection, MessageSecurity
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.trust import TrustList

HERE = Path(__file__).parent
NODE_URI = "urn:plant:node"
LEGACY_URI = "urn:plant:legacy"
USER, PASSWORD = "tagsight", "secret of the plant"


@dataclass
class ForeignHistorian:
    """A running historian, and how to connect to it (its certificate is trusted already)."""

    process: subprocess.Popen[str]
    connection: Connection

    def set(self, path: str, value: float, time_ms: int) -> None:
        """A new value of one tag."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"path": path, "value": value, "time_ms": time_ms}) + "\n")
        self.process.stdin.flush()


@dataclass
class NodeTag:
    """A tag of the node-opcua historian; see node_historian.js."""

    path: str
    values: Sequence[float | str | bool] = ()
    type: str = "Double"
    start_ms: int = 1_700_000_000_000
    step_ms: int = 1_000
    writable: bool = False
    bad: Sequence[int] = ()
    extra: dict[str, Any] = field(default_factory=dict)

    def config(self) -> dict[str, Any]:
        plain = {name: value for name, value in vars(self).items() if name != "extra"}
        return {**plain, "values": list(self.values), "bad": list(self.bad), **self.extra}


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


StartNode = Callable[[Sequence[NodeTag]], ForeignHistorian]


@pytest.fixture
def start_node_historian(node_modules: Path, tmp_path: Path) -> Iterator[StartNode]:
    """Call it with tags; every historian started ends with the test."""
    with ExitStack() as running:

        def start(tags: Sequence[NodeTag]) -> ForeignHistorian:
            return running.enter_context(node_historian(node_modules, tmp_path, tags))

        yield start


@contextmanager
def node_historian(node_modules: Path, folder: Path, tags: Sequence[NodeTag]) -> Iterator[ForeignHistorian]:
    """A node-opcua historian with SignAndEncrypt, a user, and the histories of these tags."""
    port = free_port()
    own = ensure_certificate(folder / "node", "node", f"{NODE_URI}:server", ["127.0.0.1", "localhost"])
    pem = own.certificate.with_suffix(".crt")
    pem.write_bytes(x509.load_der_x509_certificate(own.certificate.read_bytes()).public_bytes(Encoding.PEM))
    TrustList(folder / "certificates").add(own.certificate)
    config = {
        "port": port,
        "folder": str(folder / "node"),
        "certificate": str(pem),
        "key": str(own.key),
        "user": USER,
        "password": PASSWORD,
        "applicationUri": own.application_uri,
        "tags": [tag.config() for tag in tags],
    }
    (folder / "node.json").write_text(json.dumps(config), encoding="utf-8")
    command = ["node", str(HERE / "node_historian.js"), str(folder / "node.json")]
    environment = {**os.environ, "NODE_PATH": str(node_modules), "NODEOPCUA_NO_WARNING": "1"}
    url = f"opc.tcp://127.0.0.1:{port}"
    connection = Connection(url, USER, PASSWORD, certificates=folder / "certificates", timeout_s=30.0)
    with started(command, environment, folder / "node.log") as process:
        yield ForeignHistorian(process, connection)


@contextmanager
def legacy_historian(folder: Path, count: int, start_s: int) -> Iterator[ForeignHistorian]:
    """The deprecated `opcua` package as a server, unencrypted, with one historized tag."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", str(HERE / "legacy_historian.py"), str(port), str(count), str(start_s)]
    connection = Connection(f"opc.tcp://127.0.0.1:{port}", security=MessageSecurity.NONE, timeout_s=30.0)
    with started(command, dict(os.environ), folder / "legacy.log") as process:
        yield ForeignHistorian(process, connection)


@contextmanager
def started(command: Sequence[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that said "ready"; it ends when its stdin does."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if line.strip() == "ready":
                    break
            else:
                pytest.fail(f"{command[0]} did not start:\n{log.read_text(encoding='utf-8')[-2_000:]}")
            yield process
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

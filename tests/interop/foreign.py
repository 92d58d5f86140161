"""Historians that somebody else wrote, started as processes of their own; all serve the same tags."""

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from tagsight_connectors.connection import Connection
from tagsight_connectors.opcua.certificates import ensure_certificate
from tagsight_connectors.opcua.trust import TrustList

HERE = Path(__file__).parent
NODE_URI = "urn:plant:node"
LEGACY_URI = "urn:plant:legacy"
USER, PASSWORD = "tagsight", "secret of the plant"
DEADLINE_S = 60.0


@dataclass
class ForeignTag:
    """A historized tag; see node_historian.js. `extra`: low and high, unit, description."""

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


class Kept:
    """What a historian says that its history has taken since it started: path -> newest time."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._changed = threading.Condition()
        self._newest: dict[str, int] = {}
        self.thread = threading.Thread(target=self._listen, args=[lines], daemon=True)
        self.thread.start()

    def wait_exactly(self, path: str, number: int) -> None:
        """Back when the historian has answered this very number."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._newest.get(path) == number, DEADLINE_S):
                pytest.fail(f"the historian has not answered {path} {number} in {DEADLINE_S} s")

    def wait(self, wanted: Mapping[str, int]) -> None:
        """Back when the history of every path has come to its time, ms."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._missing(wanted) == [], DEADLINE_S):
                pytest.fail(f"the historian has not kept {self._missing(wanted)} in {DEADLINE_S} s")

    def _missing(self, wanted: Mapping[str, int]) -> list[str]:
        return [path for path, time_ms in wanted.items() if self._newest.get(path, -1) < time_ms]

    def _listen(self, lines: Iterable[str]) -> None:
        for line in lines:
            if line.startswith('{"path"'):
                kept = json.loads(line)
                with self._changed:
                    self._newest[kept["path"]] = kept["time_ms"]
                    self._changed.notify_all()


@dataclass
class ForeignHistorian:
    """A running historian, and how to connect to it (its certificate is trusted already).

    `namespace` is the URI of its tags.
    """

    process: subprocess.Popen[str]
    kept: Kept
    connection: Connection
    namespace: str

    def address(self, path: str) -> str:
        return f"nsu={self.namespace};s={path}"

    def live(self, values: Mapping[str, float], time_ms: int) -> None:
        """A new value of each of these tags, unlike the one before; back when their histories have it."""
        assert self.process.stdin is not None
        for path, value in values.items():
            self.process.stdin.write(json.dumps({"path": path, "value": value, "time_ms": time_ms}) + "\n")
        self.process.stdin.flush()
        self.kept.wait(dict.fromkeys(values, time_ms))

    def tell_service_level(self, level: int) -> None:
        """From now on this is what clients are told; node-opcua only."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"service_level": level}) + "\n")
        self.process.stdin.flush()
        self.kept.wait_exactly("ServiceLevel", level)


@contextmanager
def node_historian(
    node_modules: Path, folder: Path, tags: Sequence[ForeignTag], *, aggregates: bool = False, **settings: object
) -> Iterator[ForeignHistorian]:
    """A node-opcua historian with SignAndEncrypt only, and a user, or as `settings` (of node_historian.js) have it.

    `aggregates`: it computes them.
    """
    command = ["node", str(HERE / "node_historian.js")]
    environment = {**os.environ, "NODE_PATH": str(node_modules), "NODEOPCUA_NO_WARNING": "1"}
    with historian(command, environment, folder, NODE_URI, tags, aggregates=aggregates, **settings) as foreign:
        yield foreign


@contextmanager
def legacy_historian(
    folder: Path, tags: Sequence[ForeignTag], *, unencrypted: bool = False
) -> Iterator[ForeignHistorian]:
    """The deprecated `opcua` package as a server, with SignAndEncrypt and a user; `unencrypted`: for anybody too."""
    command = [sys.executable, "-W", "ignore", str(HERE / "legacy_historian.py")]
    with historian(command, dict(os.environ), folder, LEGACY_URI, tags, unencrypted=unencrypted) as foreign:
        yield foreign


@contextmanager
def historian(
    command: Sequence[str],
    environment: dict[str, str],
    folder: Path,
    uri: str,
    tags: Sequence[ForeignTag],
    **settings: object,
) -> Iterator[ForeignHistorian]:
    """A historian with a certificate that is trusted already, and the tags of its configuration file."""
    port, name = settings.get("port") or free_port(), uri.rpartition(":")[2]
    own = ensure_certificate(folder / name, name, f"{uri}:server", ["127.0.0.1", "localhost"])
    TrustList(folder / "certificates").add(own.certificate)
    pem = own.certificate.with_suffix(".crt")
    pem.write_bytes(x509.load_der_x509_certificate(own.certificate.read_bytes()).public_bytes(Encoding.PEM))
    config = {
        "port": port,
        "folder": str(folder / name),
        "certificate": str(own.certificate),
        "certificatePem": str(pem),
        "key": str(own.key),
        "user": USER,
        "password": PASSWORD,
        "applicationUri": own.application_uri,
        "tags": [tag.config() for tag in tags],
        **settings,
    }
    file = folder / name / "config.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    url = f"opc.tcp://127.0.0.1:{port}"
    connection = Connection(url, USER, PASSWORD, certificates=folder / "certificates", timeout_s=30.0)
    with started([*command, str(file)], environment, folder / name / "log.txt") as (process, kept):
        yield ForeignHistorian(process, kept, connection, uri)


@contextmanager
def started(
    command: Sequence[str], environment: dict[str, str], log: Path
) -> Iterator[tuple[subprocess.Popen[str], Kept]]:
    """A process that said "ready"; it ends when its stdin does."""
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    with process:
        assert process.stdout is not None
        try:
            if "ready" not in map(str.strip, process.stdout):
                pytest.fail(f"{command[0]} did not start:\n{log.read_text(encoding='utf-8')[-2_000:]}")
            kept = Kept(process.stdout)
            try:
                yield process, kept
            finally:
                process.kill()
                kept.thread.join(DEADLINE_S)
        finally:
            process.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

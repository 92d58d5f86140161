"""An address space by node-opcua without security, as a process of its own (node_space.js)."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tagsight_connectors.connection import Connection, MessageSecurity
from tests.interop.foreign import HERE, NODE_URI, Kept, free_port, started


@dataclass
class NodeSpace:
    """It runs."""

    connection: Connection
    process: subprocess.Popen[str]
    kept: Kept

    def address(self, identifier: str) -> str:
        return f"nsu={NODE_URI};{identifier}"

    def live(self, value: float, time_ms: int) -> None:
        """A new value of Plant/Live, unlike the one before; back when its history has it."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"value": value, "time_ms": time_ms}) + "\n")
        self.process.stdin.flush()
        self.kept.wait({"Plant/Live": time_ms})


@contextmanager
def node_space(node_modules: Path, folder: Path, scene: str, *, count: int = 0, port: int = 0) -> Iterator[NodeSpace]:
    """`scene` and `count`: see node_space.js."""
    port = port or free_port()
    file = folder / f"{scene}.json"
    file.write_text(json.dumps({"port": port, "scene": scene, "count": count}), encoding="utf-8")
    environment = {**os.environ, "NODE_PATH": str(node_modules), "NODEOPCUA_NO_WARNING": "1"}
    command = ["node", str(HERE / "node_space.js"), str(file)]
    with started(command, environment, folder / f"{scene}.txt") as (process, kept):
        url, none = f"opc.tcp://127.0.0.1:{port}", MessageSecurity.NONE
        unencrypted = Connection(url, security=none, anonymous=True, certificates=folder / "client", timeout_s=30.0)
        yield NodeSpace(unencrypted, process, kept)

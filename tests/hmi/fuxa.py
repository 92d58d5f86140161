"""FUXA, an HMI that nobody here wrote: installed by npm into a cache, started on loopback, spoken to by its own API."""

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION = "1.3.4"
DRIVER = "2.148.0"
PATIENCE_S = 60.0
INSTALL_S = 1_800.0
NATIVE = ("sqlite3", "@serialport/bindings-cpp")
"""Packages with install scripts, which newer npm runs only when told so."""


@dataclass(frozen=True)
class Fuxa:
    """A running one."""

    url: str
    folder: Path

    def post(self, path: str, content: Any, patience_s: float = PATIENCE_S) -> None:
        """A call of its API."""
        body = json.dumps(content).encode()
        request = urllib.request.Request(self.url + path, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=patience_s) as answer:
            assert answer.status == 200

    def set_security(self, device: str, user: str, password: str) -> None:
        """What an engineer chooses in the dialog of the device; FUXA stores it beside the project."""
        policy = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"
        value = {"uid": user, "pwd": password, "mode": {"securityMode": "3", "securityPolicy": policy}}
        self.post("/api/device", {"params": {"query": "security", "name": device, "value": value}})


def install(cache: Path) -> str:
    """Where it is not yet installed, do so: minutes. "" or why it cannot be."""
    stamp = cache / "installed.json"
    wanted = json.dumps({"fuxa": VERSION, "node-opcua": DRIVER})
    if stamp.exists() and stamp.read_text(encoding="utf-8") == wanted:
        return ""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return "node and npm are needed; install Node.js 20 or newer"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "package.json").write_text(json.dumps({"dependencies": {"@frangoteam/fuxa": VERSION}}), encoding="utf-8")
    steps = [
        ["install", "--no-audit", "--no-fund", "--loglevel=error"],
        ["install-scripts", "approve", *NATIVE],  # unknown to older npm, which runs them anyway
        ["rebuild", *NATIVE, "--foreground-scripts"],
    ]
    for step in steps:
        try:
            done = subprocess.run(
                [npm, *step], cwd=cache, capture_output=True, text=True, timeout=INSTALL_S, check=False
            )
        except subprocess.TimeoutExpired:
            return f"npm {step[0]} took longer than {INSTALL_S:g} s"
        if done.returncode and step[0] != "install-scripts":
            return f"npm could not install FUXA (no registry?): {done.stderr.strip()[-200:]}"
    try:
        with running(cache) as fuxa:
            driver = {"name": "node-opcua", "version": DRIVER, "pkg": True}
            fuxa.post("/api/plugins", {"headers": {}, "params": driver}, INSTALL_S)
    except urllib.error.URLError as error:
        return f"FUXA could not install its OPC UA driver (no registry?): {error}"
    stamp.write_text(wanted, encoding="utf-8")
    return ""


@contextmanager
def running(cache: Path) -> Iterator[Fuxa]:
    """On loopback, with a fresh project and fresh certificates, but the drivers of the cache."""
    folder = cache / "user"
    for old in ("_appdata", "_db", "_logs", "config"):
        shutil.rmtree(folder / old, ignore_errors=True)
    settings = folder / "_appdata" / "settings.js"
    settings.parent.mkdir(parents=True)
    program = cache / "node_modules" / "@frangoteam" / "fuxa"
    text = (program / "settings.default.js").read_text(encoding="utf-8")
    changed, count = re.subn(r"//\s*uiHost: *\"127\.0\.0\.1\"", 'uiHost: "127.0.0.1"', text)
    assert count == 1
    settings.write_text(changed, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "XDG_CONFIG_HOME": str(folder / "config"), "NODEOPCUA_NO_WARNING": "1"}
    command = ["node", str(program / "main.js"), "--port", str(port), "--userDir", str(folder)]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        fuxa = Fuxa(f"http://127.0.0.1:{port}", folder)
        _wait_for(fuxa, process)
        yield fuxa
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(fuxa: Fuxa, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"{fuxa.url}/api/version", timeout=5).close()
        except OSError:
            assert process.poll() is None, (fuxa.folder / "log.txt").read_text(encoding="utf-8")[-2_000:]
            assert time.monotonic() < deadline, "FUXA never answered"
            time.sleep(0.2)
        else:
            return
